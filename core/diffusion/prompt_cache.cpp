// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/prompt_cache.h"

#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "weights/safetensors.h"

namespace fs = std::filesystem;

namespace geometry_transfer {
namespace {

// File format: magic, name, tokens, width, pooled, then context and pooled as floats, then a hash of all before. Native
// byte order, because the cache stays on this machine.
constexpr char kMagic[8] = {'G', 'T', 'p', 'r', 'm', 'p', 't', '1'};
constexpr std::int64_t kMaxTokens = 1 << 14, kMaxWidth = 1 << 15;

/// A 64-bit hash, eight bytes at a time (the finaliser of splitmix64). It finds accidental damage, not attacks.
class Hash {
 public:
  explicit Hash(std::uint64_t seed) : state_(seed) {}
  void add(const void* data, std::size_t size) {
    const char* bytes = static_cast<const char*>(data);
    for (std::size_t at = 0; at < size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes + at, std::min<std::size_t>(8, size - at));
      mix(word);
    }
    mix(size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  void add(std::int64_t number) { mix(static_cast<std::uint64_t>(number)); }
  std::uint64_t value() const { return state_; }

 private:
  void mix(std::uint64_t word) {
    std::uint64_t z = state_ ^ word;
    z = (z + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 30) * 0x94d049bb133111ebu;
    state_ = z ^ z >> 31;
  }
  std::uint64_t state_;
};

void add(Hash& hash, const TextConfig& config, const Checkpoint& weights) {
  for (const int number :
       {config.layers, config.hidden_size, config.intermediate_size, config.heads, config.vocab_size, config.max_positions,
        config.projection_dim, config.eos_token_id, int(config.quick_gelu), int(config.penultimate)})
    hash.add(static_cast<std::int64_t>(number));
  hash.add(&config.layer_norm_eps, sizeof config.layer_norm_eps);
  for (const std::string& key : weights.keys()) {
    const TensorView* view = weights.find(key);
    hash.add(key);
    hash.add(static_cast<std::int64_t>(view->dtype));
    std::size_t bytes = static_cast<std::size_t>(dtype_size(view->dtype));
    for (const std::int64_t side : view->shape) {
      hash.add(side);
      bytes *= static_cast<std::size_t>(side);
    }
    constexpr std::size_t kSample = 1024;
    if (bytes <= 3 * kSample) {
      hash.add(view->data, bytes);
      continue;
    }
    for (const std::size_t from : {std::size_t{0}, bytes / 2, bytes - kSample}) hash.add(view->data + from, kSample);
  }
}

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

/// Empty if the user has no cache folder.
fs::path cache_folder() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache && cache[0] == '/') return fs::path(cache) / "geometry-transfer";
  const char* home = std::getenv("HOME");
  return home && home[0] == '/' ? fs::path(home) / ".cache" / "geometry-transfer" : fs::path();
}

template <class T>
void put(std::string& out, const T* data, std::size_t count) {
  out.append(reinterpret_cast<const char*>(data), count * sizeof(T));
}

std::string encode(const std::string& fingerprint, const PromptEmbedding& e) {
  std::string out(kMagic, sizeof kMagic);
  const std::int64_t sizes[] = {static_cast<std::int64_t>(fingerprint.size()), e.tokens, e.width,
                                static_cast<std::int64_t>(e.pooled.size())};
  put(out, sizes, 4);
  out += fingerprint;
  put(out, e.context.data(), e.context.size());
  put(out, e.pooled.data(), e.pooled.size());
  Hash hash(1);
  hash.add(out);
  const std::uint64_t check = hash.value();
  put(out, &check, 1);
  return out;
}

std::optional<PromptEmbedding> decode(const std::string& fingerprint, const std::string& bytes) {
  std::int64_t sizes[4];
  std::uint64_t check;
  const std::size_t head = sizeof kMagic + sizeof sizes;
  if (bytes.size() < head + sizeof check || std::memcmp(bytes.data(), kMagic, sizeof kMagic) != 0) return {};
  std::memcpy(sizes, bytes.data() + sizeof kMagic, sizeof sizes);
  const auto [name, tokens, width, pooled] = sizes;
  if (name != static_cast<std::int64_t>(fingerprint.size()) || tokens < 1 || tokens > kMaxTokens || width < 1 ||
      width > kMaxWidth || pooled < 0 || pooled > kMaxWidth)
    return {};
  const std::size_t numbers = static_cast<std::size_t>(tokens * width + pooled);
  if (bytes.size() != head + fingerprint.size() + numbers * sizeof(float) + sizeof check) return {};
  if (bytes.compare(head, fingerprint.size(), fingerprint) != 0) return {};
  std::memcpy(&check, bytes.data() + bytes.size() - sizeof check, sizeof check);
  Hash hash(1);
  hash.add(bytes.data(), bytes.size() - sizeof check);
  if (hash.value() != check) return {};
  PromptEmbedding e;
  e.tokens = tokens;
  e.width = width;
  e.context.resize(static_cast<std::size_t>(tokens * width));
  e.pooled.resize(static_cast<std::size_t>(pooled));
  const char* data = bytes.data() + head + fingerprint.size();
  std::memcpy(e.context.data(), data, e.context.size() * sizeof(float));
  if (!e.pooled.empty()) std::memcpy(e.pooled.data(), data + e.context.size() * sizeof(float), e.pooled.size() * sizeof(float));
  return e;
}

/// Ends of the names of caches and of files that are still written: `name.prompt`, `name.prompt.XXXXXX`.
constexpr char kEnd[] = ".prompt", kRandom[] = ".XXXXXX";

/// Removes what a write left behind when its process was killed. A write takes far less than a day.
void remove_leftovers(const fs::path& folder) {
  const auto yesterday = fs::file_time_type::clock::now() - std::chrono::hours(24);
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    const fs::path& path = it->path();
    if (path.stem().extension() != kEnd || path.extension().native().size() != sizeof kRandom - 1) continue;
    std::error_code skip;
    if (fs::symlink_status(path, skip).type() != fs::file_type::regular) continue;
    const auto written = fs::last_write_time(path, skip);
    if (!skip && written < yesterday) fs::remove(path, skip);
  }
}

}  // namespace

std::string text_fingerprint(const ModelFiles& files) {
  if (!files.text_weights) return "";
  std::string name;
  for (const std::uint64_t seed : {1u, 2u}) {
    Hash hash(seed);
    add(hash, files.text, *files.text_weights);
    if (files.text_2_weights) add(hash, files.text_2, *files.text_2_weights);
    name += hex(hash.value());
  }
  return name;
}

std::string family_fingerprint(const ModelFiles& files) {
  std::string name = files.family + "-" + std::to_string(files.unet.cross_attention_dim);
  for (char& c : name)
    if (c == ' ' || c == '/') c = '-';
  return name;
}

std::optional<PromptEmbedding> read_prompt_cache(const std::string& fingerprint) try {
  const fs::path folder = cache_folder();
  if (folder.empty() || fingerprint.empty()) return {};
  const fs::path path = folder / (fingerprint + kEnd);
  std::error_code failed;
  // Check the size first, because the file may be anything.
  constexpr std::uintmax_t kMaxFile = 64 << 20;
  if (!fs::is_regular_file(path, failed) || fs::file_size(path, failed) > kMaxFile || failed) return {};
  std::ifstream in(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return decode(fingerprint, bytes);
} catch (const std::exception&) {
  return {};
}

void write_prompt_cache(const std::string& fingerprint, const PromptEmbedding& embedding) try {
  const fs::path folder = cache_folder();
  if (folder.empty() || fingerprint.empty()) return;
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) return;
  remove_leftovers(folder);
  std::string temporary = folder / (fingerprint + kEnd + kRandom);
  const int file = mkstemp(temporary.data());
  if (file < 0) return;
  const std::string bytes = encode(fingerprint, embedding);
  std::size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t n = write(file, bytes.data() + written, bytes.size() - written);
    if (n <= 0) break;
    written += static_cast<std::size_t>(n);
  }
  const bool whole = written == bytes.size() && fsync(file) == 0;
  close(file);
  if (whole) fs::rename(temporary, folder / (fingerprint + kEnd), failed);
  if (!whole || failed) fs::remove(temporary, failed);
} catch (const std::exception&) {
}

}  // namespace geometry_transfer
