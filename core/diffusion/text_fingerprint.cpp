// SPDX-License-Identifier: GPL-3.0-or-later
/// The key of the prompt cache. It covers every byte of the text encoders: a fine-tuned one may differ anywhere. A
/// gigabyte is not read again for that at each start: the key is remembered together with the identity of the files.
#include <array>
#include <sstream>
#include <vector>

#include "diffusion/cache_files.h"
#include "diffusion/prompt_cache.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

/// Two hashes in one pass: 128 bits.
class Key {
 public:
  void add(const void* data, std::size_t size) {
    for (Hash& h : hashes_) h.add(data, size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  void add(std::int64_t number) {
    for (Hash& h : hashes_) h.add(number);
  }
  std::string name() const { return hex(hashes_[0].value()) + hex(hashes_[1].value()); }

 private:
  std::array<Hash, 2> hashes_{Hash(1), Hash(2)};
};

std::size_t add_layout(Key& key, const std::string& name, const TensorView& view) {
  key.add(name);
  key.add(static_cast<std::int64_t>(view.dtype) * 2 + view.transposed);
  std::size_t bytes = static_cast<std::size_t>(dtype_size(view.dtype));
  for (const std::int64_t side : view.shape) {
    key.add(side);
    bytes *= static_cast<std::size_t>(side);
  }
  return bytes;
}

/// The configuration and the header as text.
void add_layout(Key& key, const TextConfig& config, const Checkpoint& weights) {
  for (const int number :
       {config.layers, config.hidden_size, config.intermediate_size, config.heads, config.vocab_size, config.max_positions,
        config.projection_dim, config.eos_token_id, int(config.quick_gelu), int(config.penultimate)})
    key.add(static_cast<std::int64_t>(number));
  key.add(&config.layer_norm_eps, sizeof config.layer_norm_eps);
  for (const std::string& name : weights.keys()) add_layout(key, name, *weights.find(name));
}

void add_content(Key& key, const Checkpoint& weights) {
  constexpr std::size_t kPiece = 64 << 10;  // both hashes find it in the processor's cache
  for (const std::string& name : weights.keys()) {
    const TensorView* view = weights.find(name);
    const std::size_t bytes = add_layout(key, name, *view);
    for (std::size_t from = 0; from < bytes; from += kPiece) key.add(view->data + from, std::min(kPiece, bytes - from));
    weights.forget(name);
  }
}

constexpr char kRemembered[] = "text-encoders.hashes";
constexpr std::size_t kMostRemembered = 100, kNameLength = 32, kLineLength = 2 * kNameLength + 2;

/// The lines "files key" of the cache, the newest first.
std::vector<std::string> remembered() {
  std::istringstream in(read_cache_file(kRemembered, 2 * kMostRemembered * kLineLength));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (line.size() == kLineLength - 1 && line[kNameLength] == ' ' &&
        line.find_first_not_of("0123456789abcdef ") == std::string::npos)
      lines.push_back(line);
  return lines;
}

void remember(const std::string& files, const std::string& key) {
  std::string all = files + " " + key + "\n";
  std::size_t count = 1;
  for (const std::string& line : remembered())
    if (line.compare(0, kNameLength, files) != 0 && count++ < kMostRemembered) all += line + "\n";
  write_cache_file(kRemembered, all);
}

/// A name for the files as they are now; empty if a change of them might go unnoticed.
std::string state_of(const ModelFiles& files) {
  Key key;
  for (const auto& [config, weights] : {std::pair(&files.text, &files.text_weights), {&files.text_2, &files.text_2_weights}}) {
    if (!*weights) continue;
    const std::string identity = (*weights)->identity();
    if (identity.empty()) return {};
    key.add(identity);
    add_layout(key, *config, **weights);
  }
  return key.name();
}

}  // namespace

std::string text_fingerprint(const ModelFiles& files) {
  if (!files.text_weights) return "";
  const std::string state = state_of(files);
  if (!state.empty())
    for (const std::string& line : remembered())
      if (line.compare(0, kNameLength, state) == 0) return line.substr(kNameLength + 1);
  Key key;
  add_layout(key, files.text, *files.text_weights);
  add_content(key, *files.text_weights);
  if (files.text_2_weights) {
    add_layout(key, files.text_2, *files.text_2_weights);
    add_content(key, *files.text_2_weights);
  }
  require_intact_mappings();
  if (!state.empty() && state_of(files) == state) remember(state, key.name());
  return key.name();
}

}  // namespace geometry_transfer
