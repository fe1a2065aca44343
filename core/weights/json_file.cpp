// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/json_file.h"

#include <set>
#include <vector>

#include "request/text.h"
#include "weights/mapped_file.h"

namespace geometry_transfer {
namespace {

constexpr std::size_t kMaxDepth = 16, kMaxValues = 500'000;

/// Checks a text before it is parsed. The parser's own callback takes quadratic time: minutes for a few megabytes of
/// "{},{},".
class Check : public nlohmann::json_sax<Json> {
 public:
  explicit Check(const std::string& path) : path_(path) {}

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool start_object(std::size_t) override { return open(); }
  bool key(string_t& name) override {
    if (!seen_.back().insert(name).second) throw error(Error::Kind::model, _("{0} has the key \"{1}\" twice."), path_, name);
    return true;
  }
  bool end_object() override { return seen_.pop_back(), true; }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return seen_.pop_back(), true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& e) override {
    throw error(Error::Kind::model, _("{0} is not valid JSON ({1}): download it again."), path_, e.what());
  }

 private:
  bool open() {
    seen_.emplace_back();
    if (seen_.size() > kMaxDepth) throw error(Error::Kind::model, _("{0} is nested too deeply."), path_);
    return count();
  }
  bool count() {
    if (++values_ > kMaxValues) throw error(Error::Kind::model, _("{0} has too many values for a file of its kind."), path_);
    return true;
  }

  const std::string& path_;
  std::vector<std::set<std::string>> seen_;  // keys of each open object; an empty set for each open list
  std::size_t values_ = 0;
};

}  // namespace

Json parse_json_object(const char* text, std::size_t size, const std::string& path) {
  Check check(path);
  Json::sax_parse(text, text + size, &check);
  Json json = Json::parse(text, text + size);
  if (!json.is_object()) throw error(Error::Kind::model, _("{0} is not a JSON object."), path);
  return json;
}

Json read_json_object(const std::string& path, std::size_t limit) {
  const MappedFile file(path);
  if (file.size() > limit)
    throw error(Error::Kind::model, _("{0} is too large for a file of its kind: {1} bytes."), path, file.size());
  return parse_json_object(reinterpret_cast<const char*>(file.data()), file.size(), path);
}

}  // namespace geometry_transfer
