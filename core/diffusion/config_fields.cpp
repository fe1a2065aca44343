// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/config_fields.h"

#include <cmath>

#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr std::size_t kMaxConfig = 1 << 20;  // bytes

}  // namespace

ConfigFields::ConfigFields(const std::string& path) : path_(path), json_(read_json_object(path, kMaxConfig)) {}

bool ConfigFields::has(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

bool ConfigFields::is_null(const char* key) const {
  const auto found = json_.find(key);
  return found != json_.end() && found->is_null();
}

int ConfigFields::integer(const char* key, int otherwise, int low, int high) {
  const Json* value = take(key);
  return value ? integer_of(key, *value, low, high) : otherwise;
}

double ConfigFields::number(const char* key, double otherwise, double low, double high) {
  const Json* value = take(key);
  if (!value) return otherwise;
  if (!value->is_number()) wrong(key, *value);
  const double number = value->get<double>();
  if (!(number >= low && number <= high)) wrong(key, *value);
  return number;
}

bool ConfigFields::boolean(const char* key, bool otherwise) {
  const Json* value = take(key);
  if (!value) return otherwise;
  if (!value->is_boolean()) wrong(key, *value);
  return value->get<bool>();
}

std::string ConfigFields::text(const char* key, const std::string& otherwise) {
  const Json* value = take(key);
  if (!value) return otherwise;
  if (!value->is_string()) wrong(key, *value);
  return value->get<std::string>();
}

std::vector<int> ConfigFields::integers(const char* key, int otherwise, std::size_t levels, int low, int high) {
  const Json* value = take(key);
  if (!value) return std::vector<int>(levels, otherwise);
  if (!value->is_array()) return std::vector<int>(levels, integer_of(key, *value, low, high));
  if (value->size() != levels) wrong(key, *value);
  return list_of(key, *value, low, high);
}

std::vector<int> ConfigFields::list(const char* key, const std::vector<int>& otherwise, int low, int high) {
  const Json* value = take(key);
  if (!value) return otherwise;
  if (!value->is_array() || value->empty() || value->size() > kMaxLevels) wrong(key, *value);
  return list_of(key, *value, low, high);
}

std::vector<std::string> ConfigFields::words(const char* key, const std::vector<std::string>& otherwise) {
  const Json* value = take(key);
  if (!value) return otherwise;
  if (!value->is_array() || value->size() > kMaxLevels) wrong(key, *value);
  std::vector<std::string> all;
  for (const Json& one : *value) {
    if (!one.is_string()) wrong(key, *value);
    all.push_back(one.get<std::string>());
  }
  return all;
}

void ConfigFields::fixed(const char* key, const std::vector<Json>& allowed) {
  const Json* value = take(key);
  if (!value) return;
  for (const Json& one : allowed)
    if (*value == one) return;
  wrong(key, *value);
}

void ConfigFields::fixed_each(const char* key, const Json& allowed) {
  const Json* value = take(key);
  if (!value) return;
  if (!value->is_array()) {
    if (*value != allowed) wrong(key, *value);
    return;
  }
  for (const Json& one : *value)
    if (one != allowed) wrong(key, *value);
}

void ConfigFields::ignore(std::initializer_list<const char*> keys) {
  for (const char* key : keys) taken_.insert(key);
}

void ConfigFields::finish() const {
  for (const auto& [key, value] : json_.items())
    if (!taken_.count(key) && !value.is_null() && key.substr(0, 1) != "_") wrong(key.c_str(), value);
}

void ConfigFields::wrong(const char* key, const Json& value) const {
  throw error(Error::Kind::model, _("{0} has \"{1}\" = {2}, which this program does not support: choose another model."), path_,
              key, quoted(value.dump(-1, ' ', false, Json::error_handler_t::replace), 80));
}

void ConfigFields::wrong(const char* key) const { wrong(key, json_.value(key, Json())); }
const Json* ConfigFields::take(const char* key) {
  taken_.insert(key);
  return has(key) ? &json_[key] : nullptr;
}

int ConfigFields::integer_of(const char* key, const Json& value, int low, int high) const {
  // Whole numbers may be written as 2.0.
  if (!value.is_number()) wrong(key, value);
  const double number = value.get<double>();
  if (!(number >= low && number <= high) || number != std::floor(number)) wrong(key, value);
  return static_cast<int>(number);
}

std::vector<int> ConfigFields::list_of(const char* key, const Json& value, int low, int high) const {
  std::vector<int> all;
  for (const Json& one : value) all.push_back(integer_of(key, one, low, high));
  return all;
}

}  // namespace geometry_transfer
