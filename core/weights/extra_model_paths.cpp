// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/extra_model_paths.h"

#include <yaml.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "request/text.h"
#include "weights/mapped_file.h"

namespace fs = std::filesystem;

namespace geometry_transfer {
namespace {

constexpr std::size_t kMaxBytes = 256 << 10, kMaxFolders = 100;
constexpr int kMaxDepth = 16;  // libyaml's time grows with the square of it: a minute for 256 kB of "["

/// A text of the file, and the line where it begins.
struct Text {
  std::string value;
  std::size_t line = 0;
  bool nothing = false;  // null: `key:` or `key: ~`
};

struct Event {
  yaml_event_type_t type;
  Text text;
};

/// Reads by libyaml's events. No tree is built, so aliases cost nothing.
class Reader {
 public:
  Reader(const char* text, std::size_t size, const fs::path& file)
      : text_(text), size_(size), file_(file.string()), ready_(yaml_parser_initialize(&parser_) == 1) {
    if (!ready_) throw std::bad_alloc();
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text), size);
  }
  ~Reader() { yaml_parser_delete(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Event next() {
    yaml_event_t raw;
    if (!yaml_parser_parse(&parser_, &raw)) throw broken();
    Event event{raw.type, {{}, raw.start_mark.line + 1, false}};
    if (raw.type == YAML_SCALAR_EVENT) {
      event.text.value.assign(reinterpret_cast<const char*>(raw.data.scalar.value), raw.data.scalar.length);
      const std::string& v = event.text.value;
      event.text.nothing = raw.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                           (v.empty() || v == "~" || v == "null" || v == "Null" || v == "NULL");
    }
    yaml_event_delete(&raw);
    depth_ += step(event);
    if (depth_ > kMaxDepth) throw wrong(event, _("{0}, line {1}: nested too deeply."));
    return event;
  }
  /// Reads on to the end of the value that `first` begins.
  void skip(const Event& first) {
    int open = step(first);
    while (open > 0) open += step(next());
  }
  template <class... Values>
  Error wrong(const Event& at, const char* translated, const Values&... values) const {
    return error(Error::Kind::model, translated, file_, at.text.line, values...);
  }

 private:
  static int step(const Event& event) {
    switch (event.type) {
      case YAML_MAPPING_START_EVENT:
      case YAML_SEQUENCE_START_EVENT:
        return 1;
      case YAML_MAPPING_END_EVENT:
      case YAML_SEQUENCE_END_EVENT:
        return -1;
      default:
        return 0;
    }
  }
  Error broken() const {
    if (parser_.error == YAML_MEMORY_ERROR) throw std::bad_alloc();
    std::size_t line = parser_.problem_mark.line + 1;
    // Bytes that are no text have no mark.
    if (parser_.error == YAML_READER_ERROR)
      line = 1 + static_cast<std::size_t>(std::count(text_, text_ + std::min(parser_.problem_offset, size_), '\n'));
    return error(Error::Kind::model, _("{0}, line {1}: this is not valid YAML ({2})."), file_, line,
                 parser_.problem ? parser_.problem : "?");
  }

  const char* text_;
  std::size_t size_;
  std::string file_;
  yaml_parser_t parser_;
  bool ready_;
  int depth_ = 0;
};

/// `text` with $NAME and ${NAME} replaced by the environment's values. As in ComfyUI, a name without a value stays.
std::string with_variables(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool braced = text.compare(at, 2, "${") == 0;
    const std::size_t from = at + (braced ? 2 : 1);
    std::size_t end = from;
    const auto is_name = [](char c) {
      return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    while (text[at] == '$' && end < text.size() && is_name(text[end])) ++end;
    const bool is_variable = text[at] == '$' && end > from && (!braced || (end < text.size() && text[end] == '}'));
    const char* value = is_variable ? std::getenv(text.substr(from, end - from).c_str()) : nullptr;
    if (value) {
      out += value;
      at = end + (braced ? 1 : 0);
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::vector<std::string> lines_of(const std::string& block) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= block.size();) {
    const std::size_t end = std::min(block.find('\n', at), block.size());
    if (end > at) lines.push_back(block.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// One section: a base_path, and kinds of models with one path a line.
void read_section(Reader& reader, const fs::path& folder, const fs::path& home, std::vector<fs::path>& folders) {
  std::map<std::string, Event> found;  // the last of a name counts, as in ComfyUI
  for (Event key = reader.next(); key.type != YAML_MAPPING_END_EVENT; key = reader.next()) {
    reader.skip(key);
    const Event value = reader.next();
    reader.skip(value);
    const std::string& name = key.text.value;
    if (name != "base_path" && name != "checkpoints" && name != "diffusers") continue;
    if (value.type != YAML_SCALAR_EVENT || value.text.value.find('\0') != std::string::npos)
      throw reader.wrong(value, _("{0}, line {1}: \"{2}\" must be a text with one path a line."), name);
    if (value.text.nothing)
      found.erase(name);
    else
      found[name] = value;
  }
  fs::path base = folder;
  if (const auto own = found.find("base_path"); own != found.end())
    base /= with_home(with_variables(own->second.text.value), home);
  for (const char* kind : {"checkpoints", "diffusers"}) {
    const auto list = found.find(kind);
    if (list == found.end()) continue;
    for (const std::string& line : lines_of(list->second.text.value)) {
      if (folders.size() == kMaxFolders)
        throw reader.wrong(list->second, _("{0}, line {1}: more than {2} folders are listed."), kMaxFolders);
      folders.push_back((base / with_home(line, home)).lexically_normal());
    }
  }
}

}  // namespace

bool is_yaml_name(const fs::path& path) { return path.extension() == ".yaml" || path.extension() == ".yml"; }

fs::path with_home(const std::string& path, const fs::path& home) {
  if (path == "~") return home;
  return path.compare(0, 2, "~/") == 0 ? home / fs::path(path.substr(2)).relative_path() : fs::path(path);
}

std::vector<fs::path> parse_extra_model_paths(const char* text, std::size_t size, const fs::path& file, const fs::path& home) {
  std::vector<fs::path> folders;
  const fs::path folder = fs::absolute(file).parent_path();
  Reader reader(text, size, file);
  reader.next();  // the stream begins
  if (reader.next().type == YAML_STREAM_END_EVENT) return folders;
  const Event root = reader.next();
  const auto no_section = [&](const Event& at) {
    return reader.wrong(at, _("{0}, line {1}: here must be sections with names and paths, as in ComfyUI's "
                              "extra_model_paths.yaml.example."));
  };
  if (root.type != YAML_MAPPING_START_EVENT && !root.text.nothing) throw no_section(root);
  if (root.type == YAML_MAPPING_START_EVENT)
    for (Event name = reader.next(); name.type != YAML_MAPPING_END_EVENT; name = reader.next()) {
      reader.skip(name);
      const Event value = reader.next();
      if (value.type == YAML_MAPPING_START_EVENT)
        read_section(reader, folder, home, folders);
      else if (!value.text.nothing)
        throw no_section(value);
    }
  reader.next();  // the document ends
  if (const Event more = reader.next(); more.type != YAML_STREAM_END_EVENT) throw no_section(more);
  return folders;
}

std::vector<fs::path> read_extra_model_paths(const fs::path& file, const fs::path& home) {
  std::error_code unknown;
  if (fs::file_size(file, unknown) == 0 && !unknown) return {};  // a mapping cannot be empty
  const MappedFile mapped(file);
  if (mapped.size() > kMaxBytes)
    throw error(Error::Kind::model, _("{0} is too large for a file of its kind: {1} bytes."), file.string(), mapped.size());
  return parse_extra_model_paths(reinterpret_cast<const char*>(mapped.data()), mapped.size(), file, home);
}

}  // namespace geometry_transfer
