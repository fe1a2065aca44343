// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/key_map.h"

#include <algorithm>
#include <map>

#include "request/text.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

using Numbers = std::map<char, int>;

/// Matches `pattern` with the first components of `key`. Returns its numbers; `rest` receives the remaining components.
std::optional<Numbers> match(const char* pattern, const std::string& key, std::string& rest) {
  Numbers numbers;
  std::size_t at = 0;
  for (const char* p = pattern; *p; ++p) {
    if (*p != '{') {
      if (at == key.size() || key[at] != *p) return {};
      ++at;
      continue;
    }
    std::size_t digits = 0;
    int value = 0;
    while (at + digits < key.size() && key[at + digits] >= '0' && key[at + digits] <= '9' && digits < 4)
      value = 10 * value + (key[at + digits++] - '0');
    if (digits == 0 || (digits > 1 && key[at] == '0')) return {};
    numbers[p[1]] = value;
    at += digits;
    p += 2;  // to the closing brace
  }
  if (at == key.size()) {
    rest.clear();
    return numbers;
  }
  if (key[at] != '.' || at + 1 == key.size()) return {};
  rest = key.substr(at + 1);
  return numbers;
}

std::string fill(const char* pattern, const Numbers& numbers) {
  std::string text;
  for (const char* p = pattern; *p; ++p) {
    if (*p != '{') {
      text += *p;
      continue;
    }
    text += std::to_string(numbers.at(p[1]));
    p += 2;
  }
  return text;
}

std::string joined(const std::string& front, const std::string& back) { return back.empty() ? front : front + "." + back; }

bool holds(const char* pattern, const char* number) { return std::string(pattern).find(number) != std::string::npos; }

/// Converts a block's running number in the file to level and place in the level. Each level has `layers` + 1 blocks.
/// On the way in, number 0 is conv_in, and the last block of a level changes the resolution.
struct Place {
  int level, place;
};
std::optional<Place> place_of(int running, bool way_in, int layers) {
  const int number = running - (way_in ? 1 : 0);
  if (number < 0) return {};
  return Place{number / (layers + 1), number % (layers + 1)};
}

}  // namespace

bool KeyMap::fits(const BlockRow& row, bool way_in, int level) const {
  const int fine = way_in ? level : levels - 1 - level;
  return row.attends < 0 || attention.at(static_cast<std::size_t>(fine)) == (row.attends == 1);
}

std::vector<Stored> KeyMap::to_model(const std::string& file_key) const {
  if (file_key.compare(0, prefix.size(), prefix) != 0) return {};
  const std::string key = file_key.substr(prefix.size());
  for (const BlockRow& row : *rows) {
    std::string rest;
    auto numbers = match(row.file, key, rest);
    if (!numbers) continue;
    if (numbers->count('r')) {
      (*numbers)['r'] = levels - 1 - (*numbers)['r'];
      if ((*numbers)['r'] < 0) continue;
    }
    const bool in = numbers->count('i'), out = numbers->count('o');
    if (in || out) {
      const auto where = place_of((*numbers)[in ? 'i' : 'o'], in, layers_per_block);
      if (!where || where->level >= levels || !fits(row, in, where->level)) continue;
      // A change of resolution comes last in its level.
      if (!holds(row.model, "{j}") && where->place != layers_per_block) continue;
      if (holds(row.model, "{j}") && in && where->place == layers_per_block) continue;
      (*numbers)['b'] = where->level;
      (*numbers)['j'] = where->place;
    }
    const std::string block = fill(row.model, *numbers);
    if (!row.names) return {{joined(block, rest)}};
    std::vector<Stored> found;
    for (const NameRow& name : *row.names) {
      std::string after;
      if (*name.file ? !match(name.file, rest, after) : !rest.empty()) continue;
      found.push_back({joined(joined(block, name.model), after), name.part, name.parts, name.transposed, name.conv});
    }
    if (!found.empty()) return found;
  }
  return {};
}

std::optional<Stored> KeyMap::to_file(const std::string& model_key) const {
  for (const BlockRow& row : *rows) {
    std::string rest;
    auto numbers = match(row.model, model_key, rest);
    if (!numbers) continue;
    if (numbers->count('b')) {
      const int level = (*numbers)['b'];
      const bool in = holds(row.file, "{i}");
      if (level >= levels) continue;
      if (!fits(row, in, level)) continue;
      const int place = numbers->count('j') ? (*numbers)['j'] : layers_per_block;
      if (numbers->count('j') && place > layers_per_block - (in ? 1 : 0)) continue;
      (*numbers)[in ? 'i' : 'o'] = level * (layers_per_block + 1) + place + (in ? 1 : 0);
    }
    if (numbers->count('r') && ((*numbers)['r'] = levels - 1 - (*numbers)['r']) < 0) continue;
    const std::string block = prefix + fill(row.file, *numbers);
    if (!row.names) return Stored{joined(block, rest)};
    for (const NameRow& name : *row.names) {
      std::string after;
      if (*name.model ? !match(name.model, rest, after) : !rest.empty()) continue;
      return Stored{joined(joined(block, name.file), after), name.part, name.parts, name.transposed, name.conv};
    }
  }
  return {};
}

namespace {

class Mapped : public Checkpoint {
 public:
  Mapped(std::shared_ptr<const Checkpoint> file, const KeyMap& map, const std::vector<std::string>& ignored)
      : file_(std::move(file)) {
    std::vector<std::string> unknown;
    for (const std::string& key : file_->keys()) {
      if (key.compare(0, map.prefix.size(), map.prefix) != 0) continue;
      const bool skip = std::any_of(ignored.begin(), ignored.end(), [&](const std::string& start) {
        return key.compare(map.prefix.size(), start.size(), start) == 0;
      });
      if (skip) continue;
      const auto targets = map.to_model(key);
      if (targets.empty()) unknown.push_back(key);
      for (const Stored& target : targets) add(key, target);
    }
    if (!unknown.empty())
      throw error(Error::Kind::model, _("{0} has {1} tensors that are not part of such a model: {2}."), file_->path(),
                  unknown.size(), some_of(unknown));
  }

  const TensorView* find(const std::string& key) const override {
    const auto found = tensors_.find(key);
    if (found == tensors_.end()) return nullptr;
    file_->find(found->second.source);  // the file may have changed
    return &found->second.view;
  }
  void forget(const std::string& key) const override {
    const auto found = tensors_.find(key);
    if (found != tensors_.end()) file_->forget(found->second.source);
  }
  std::vector<std::string> keys() const override {
    std::vector<std::string> all;
    for (const auto& row : tensors_) all.push_back(row.first);
    return all;
  }
  std::string identity() const override { return file_->identity(); }
  std::string path() const override { return file_->path(); }

 private:
  struct Entry {
    std::string source;
    TensorView view;
  };

  void add(const std::string& source, const Stored& target) {
    TensorView view = *file_->find(source);
    auto& shape = view.shape;
    const auto wrong = [&] {
      return error(Error::Kind::model, _("{0}: \"{1}\" has a shape that does not fit its place."), file_->path(), source);
    };
    if (target.parts > 1) {
      if (shape.empty() || shape[0] % target.parts != 0) throw wrong();
      shape[0] /= target.parts;
      std::uint64_t numbers = 1;  // cannot overflow: the whole tensor is in the file
      for (const std::int64_t side : shape) numbers *= static_cast<std::uint64_t>(side);
      view.data += static_cast<std::uint64_t>(target.part) * numbers * static_cast<std::uint64_t>(dtype_size(view.dtype));
    }
    // Some files store this weight as a linear layer already.
    if (target.conv && shape.size() == 4 && shape[2] == 1 && shape[3] == 1) shape.resize(2);
    if (target.transposed) {
      if (shape.size() != 2) throw wrong();
      std::swap(shape[0], shape[1]);
      view.transposed = !view.transposed;
    }
    if (!tensors_.emplace(target.key, Entry{source, std::move(view)}).second)
      throw error(Error::Kind::model, _("{0} has \"{1}\" twice, under two names."), file_->path(), target.key);
  }

  std::shared_ptr<const Checkpoint> file_;
  std::map<std::string, Entry> tensors_;
};

}  // namespace

std::shared_ptr<const Checkpoint> map_keys(std::shared_ptr<const Checkpoint> file, const KeyMap& map,
                                           const std::vector<std::string>& ignored) {
  return std::make_shared<Mapped>(std::move(file), map, ignored);
}

}  // namespace geometry_transfer
