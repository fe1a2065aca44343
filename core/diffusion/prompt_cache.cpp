// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/prompt_cache.h"

#include <cstring>

#include "diffusion/cache_files.h"

namespace geometry_transfer {
namespace {

// File format: magic, name, tokens, width, pooled, then context and pooled as floats, then a hash of all before. Native
// byte order, because the cache stays on this machine.
constexpr char kMagic[8] = {'G', 'T', 'p', 'r', 'm', 'p', 't', '1'};
constexpr std::int64_t kMaxTokens = 1 << 14, kMaxWidth = 1 << 15;

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

constexpr char kEnd[] = ".prompt";

}  // namespace

std::string family_fingerprint(const ModelFiles& files) {
  std::string name = files.family + "-" + std::to_string(files.unet.cross_attention_dim);
  for (char& c : name)
    if (c == ' ' || c == '/') c = '-';
  return name;
}

std::optional<PromptEmbedding> read_prompt_cache(const std::string& fingerprint) try {
  constexpr std::uintmax_t kMaxFile = 64 << 20;
  if (fingerprint.empty()) return {};
  return decode(fingerprint, read_cache_file(fingerprint + kEnd, kMaxFile));
} catch (const std::exception&) {
  return {};
}

void write_prompt_cache(const std::string& fingerprint, const PromptEmbedding& embedding) try {
  if (!fingerprint.empty()) write_cache_file(fingerprint + kEnd, encode(fingerprint, embedding));
} catch (const std::exception&) {
}

}  // namespace geometry_transfer
