// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads the keys of one config.json one by one, and refuses keys that were not read.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "diffusion/config.h"
#include "weights/json_file.h"

namespace geometry_transfer {

// A configuration with larger values is refused; published models stay far below.
constexpr int kMaxLevels = 8, kMaxChannels = 16384, kMaxLayers = 16, kMaxTransformers = 64, kMaxTextLayers = 128;
constexpr int kMaxSampleSize = 256;  // latent pixels; published models have 64 to 128

/// Takes keys out of a config.json. Each reader marks its key as taken. A key that is absent or null gives the default.
/// A value of another type or out of range throws Error (model) with file, key and value.
class ConfigFields {
 public:
  explicit ConfigFields(const std::string& path);

  /// True if the key is there and not null.
  bool has(const char* key) const;
  /// True if the key is there and null.
  bool is_null(const char* key) const;

  int integer(const char* key, int otherwise, int low, int high);
  double number(const char* key, double otherwise, double low, double high);
  bool boolean(const char* key, bool otherwise);
  std::string text(const char* key, const std::string& otherwise);
  /// Reads a list of `levels` numbers, or one number for all levels.
  std::vector<int> integers(const char* key, int otherwise, std::size_t levels, int low, int high);
  std::vector<int> list(const char* key, const std::vector<int>& otherwise, int low, int high);
  std::vector<std::string> words(const char* key, const std::vector<std::string>& otherwise);

  /// Refuses all values of the key but those given. Null and absence are allowed.
  void fixed(const char* key, const std::vector<Json>& allowed);
  /// The same for a key that may also hold a list of that value.
  void fixed_each(const char* key, const Json& allowed);
  /// Marks keys that have no effect here as taken.
  void ignore(std::initializer_list<const char*> keys);
  /// Throws if a key was not taken. Keys that start with an underscore are notes of the writing library and are
  /// skipped.
  void finish() const;

  /// Throws the Error for a value that cannot be used.
  [[noreturn]] void wrong(const char* key, const Json& value) const;
  [[noreturn]] void wrong(const char* key) const;

  /// Throws if a network with this configuration cannot be built.
  template <class Config>
  void check_fit(const Config& config) const {
    for (const auto& misfit : {out_of_range(config), indivisible(config)})
      if (misfit) wrong(misfit->key);
  }

 private:
  const Json* take(const char* key);
  int integer_of(const char* key, const Json& value, int low, int high) const;
  std::vector<int> list_of(const char* key, const Json& value, int low, int high) const;

  std::string path_;
  Json json_;
  std::set<std::string> taken_;
};

}  // namespace geometry_transfer
