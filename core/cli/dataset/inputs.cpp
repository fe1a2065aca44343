// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/inputs.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const char* known : {".png", ".jpg", ".jpeg", ".tif", ".tiff"})
    if (ending == known) return true;
  return false;
}

/// Returns the entries of a folder, sorted by name. Hidden files are not.
std::vector<fs::path> listed(const fs::path& folder) {
  std::vector<fs::path> list;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
    if (at->path().filename().string()[0] != '.') list.push_back(at->path());
  if (failed) throw error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), folder.string(), failed.message());
  std::sort(list.begin(), list.end());
  return list;
}

bool is_folder(const fs::path& path) {
  std::error_code none;
  return fs::is_directory(path, none);
}

/// The pictures of a folder, by name without ending.
std::map<std::string, fs::path> pictures_in(const fs::path& folder) {
  std::map<std::string, fs::path> found;
  for (const fs::path& path : listed(folder))
    if (is_picture(path) && !is_folder(path)) found.emplace(path.stem().string(), path);
  return found;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string found_in(const std::map<std::string, fs::path>& files, const std::string& name) {
  const auto at = files.find(name);
  return at == files.end() ? "" : at->second.string();
}

void add_sources(const fs::path& folder, const fs::path& masks, const std::string& kind, std::vector<SourceFiles>& sources) {
  const std::map<std::string, fs::path> here = pictures_in(folder);
  const std::map<std::string, fs::path> there = masks.empty() ? here : pictures_in(masks);
  for (const auto& [name, path] : here) {
    if (masks.empty() && (ends_with(name, "_mask") || ends_with(name, "-mask"))) continue;
    std::string mask = masks.empty() ? "" : found_in(there, name);
    for (const char* end : {"_mask", "-mask"})
      if (mask.empty()) mask = found_in(there, name + end);
    if (mask.empty())
      throw error(Error::Kind::input,
                  _("\"{0}\" has no mask: put {1}_mask.png beside it, or name a folder of masks with --mask."), path.string(),
                  name);
    sources.push_back({path.string(), mask, kind, 1});
  }
}

void read_weights(const std::string& path, std::vector<SourceFiles>& sources) {
  std::ifstream in(path);
  if (!in) throw error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), path, std::strerror(errno));
  std::map<std::string, double> weights;
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const std::size_t tab = line.find('\t');
    const auto weight = parse_number(tab == std::string::npos ? "" : line.substr(tab + 1));
    if (!weight || *weight < 0)
      throw error(Error::Kind::input, _("{0}:{1}: write a source's name, a tab and a weight of 0 or more."), path, number);
    weights[line.substr(0, tab)] = *weight;
  }
  for (SourceFiles& source : sources) {
    const auto at = weights.find(fs::path(source.colour).stem().string());
    if (at != weights.end()) source.weight = at->second;
  }
  sources.erase(std::remove_if(sources.begin(), sources.end(), [](const SourceFiles& s) { return !(s.weight > 0); }),
                sources.end());
}

}  // namespace

std::vector<SourceFiles> find_sources(const std::string& source, const std::string& mask, const std::string& weights,
                                      const std::string& kind) {
  std::vector<SourceFiles> sources;
  if (!is_folder(source)) {
    if (mask.empty()) throw error(Error::Kind::input, _("The source \"{0}\" is one picture: name its mask with --mask."), source);
    sources.push_back({source, mask, kind, 1});
  } else {
    if (!mask.empty() && !is_folder(mask))
      throw error(Error::Kind::input, _("\"{0}\" is a folder of sources, so --mask must be a folder too, not \"{1}\"."), source,
                  mask);
    add_sources(source, mask, kind, sources);
    for (const fs::path& inner : listed(source))
      if (is_folder(inner))
        add_sources(inner, mask.empty() ? fs::path() : fs::path(mask) / inner.filename(), inner.filename().string(), sources);
  }
  if (!weights.empty()) read_weights(weights, sources);
  if (sources.empty()) throw error(Error::Kind::input, _("\"{0}\" holds no pictures."), source);
  return sources;
}

std::vector<TargetFiles> find_targets(const std::string& target, const std::string& place, const std::string& avoid) {
  std::vector<TargetFiles> targets;
  const auto chosen = [](const std::string& where) {
    return is_folder(where) ? pictures_in(where) : std::map<std::string, fs::path>();
  };
  const auto places = chosen(place), avoided = chosen(avoid);
  const auto add = [&](const std::string& path) {
    const std::string name = fs::path(path).stem().string();
    targets.push_back(
        {path, is_folder(place) ? found_in(places, name) : place, is_folder(avoid) ? found_in(avoided, name) : avoid});
  };
  if (!is_folder(target))
    add(target);
  else
    for (const auto& [name, path] : pictures_in(target)) add(path.string());
  if (targets.empty()) throw error(Error::Kind::input, _("\"{0}\" holds no pictures."), target);
  return targets;
}

}  // namespace geometry_transfer::cli
