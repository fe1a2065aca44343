// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/layer_files.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/image_file.h"
#include "cli/picture_raster.h"

namespace geometry_transfer::cli {
namespace {

constexpr char kIndex[] = "layers.json";

struct Kind {
  BlendLayer::Mode mode;
  const char *file, *blending;  ///< the mode's name in GIMP and in OpenRaster files
};
/// From bottom to top.
constexpr Kind kinds[] = {{BlendLayer::Mode::multiply, "shade.png", "multiply"},
                          {BlendLayer::Mode::normal, "own-material.png", "normal"},
                          {BlendLayer::Mode::add, "light.png", "addition"},
                          {BlendLayer::Mode::subtract, "darkening.png", "subtract"}};

std::string path_of(const std::string& folder, const char* name) { return (std::filesystem::path(folder) / name).string(); }

}  // namespace

std::vector<std::string> layer_file_paths(const std::string& folder) {
  std::vector<std::string> paths;
  for (const Kind& kind : kinds) paths.push_back(path_of(folder, kind.file));
  paths.push_back(path_of(folder, kIndex));
  return paths;
}

std::vector<NewFile> layer_files(const std::string& folder, const std::vector<BlendLayer>& layers, const Rect& area,
                                 const Picture& like, const StopRequested& stop) {
  std::vector<NewFile> files;
  auto index = nlohmann::ordered_json::array();
  for (const Kind& kind : kinds) {
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const BlendLayer& layer) { return layer.mode == kind.mode; });
    const std::string path = path_of(folder, kind.file);
    const Layer empty{area, std::vector<float>(std::size_t(area.width) * area.height * 4)};
    const Picture picture = layer_picture(found == layers.end() ? empty : found->pixels, like);
    files.push_back({path, encoded(path, picture, {area.x, area.y}, stop)});
    index.push_back(
        {{"file", kind.file}, {"mode", kind.blending}, {"x", area.x}, {"y", area.y}, {"changes", found != layers.end()}});
  }
  const std::string text = nlohmann::ordered_json{{"layers", index}}.dump(2) + "\n";
  files.push_back({path_of(folder, kIndex), {text.begin(), text.end()}});
  return files;
}

}  // namespace geometry_transfer::cli
