// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/json_file.h"

#include <set>
#include <vector>

#include "request/text.h"
#include "weights/mapped_file.h"

namespace geometry_transfer {

Json parse_json_object(const char* text, std::size_t size, const std::string& path) {
  constexpr int kMaxDepth = 16;
  std::vector<std::set<std::string>> seen;  // of each object that is open
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) throw error(Error::Kind::model, _("{0} is nested too deeply."), path);
    if (event == Json::parse_event_t::object_start) seen.emplace_back();
    if (event == Json::parse_event_t::object_end) seen.pop_back();
    if (event == Json::parse_event_t::key && !seen.back().insert(parsed.get<std::string>()).second)
      throw error(Error::Kind::model, _("{0} has the key \"{1}\" twice."), path, parsed.get<std::string>());
    return true;
  };
  try {
    Json json = Json::parse(text, text + size, watch);
    if (!json.is_object()) throw error(Error::Kind::model, _("{0} is not a JSON object."), path);
    return json;
  } catch (const Json::exception& e) {
    throw error(Error::Kind::model, _("{0} is not valid JSON ({1}): download it again."), path, e.what());
  }
}

Json read_json_object(const std::string& path, std::size_t limit) {
  const MappedFile file(path);
  if (file.size() > limit) throw error(Error::Kind::model, _("{0} has {1} bytes: too many for its kind."), path, file.size());
  return parse_json_object(reinterpret_cast<const char*>(file.data()), file.size(), path);
}

}  // namespace geometry_transfer
