// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/job.h"

#include <deque>
#include <filesystem>

#include "cli/dataset/label.h"
#include "cli/image_file.h"
#include "cli/layer_files.h"
#include "cli/loaded_reference.h"
#include "cli/output_file.h"
#include "cli/picture_raster.h"
#include "request/stopwatch.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

struct LoadedTexture {
  LoadedTexture(const std::string& path, const StopRequested& stop) : picture(read_picture(path, stop)), colour(picture) {}
  LoadedTexture(const LoadedTexture&) = delete;
  Picture picture;
  PictureRaster colour;
};

/// Throws Error if the whole layer is transparent, because the result would equal the target.
void check_layer(const Layer& layer) {
  for (std::size_t i = 3; i < layer.rgba.size(); i += 4)
    if (layer.rgba[i] > 0) return;
  throw error(
      Error::Kind::input,
      _("Nothing was transferred: the selection covers less than a pixel of the target. Select more, or choose a larger scale."));
}

/// Makes the folder of the separate layers, and throws Error if a file of it could not be written.
void check_layer_files(const std::string& folder, const Picture& target) {
  std::error_code none;
  std::filesystem::create_directories(folder, none);  // check_output() says why there is no folder
  for (const std::string& path : layer_file_paths(folder))
    if (path.size() > 4 && path.substr(path.size() - 4) == ".png")
      check_output(path, target.pixels.depth(), true, target.size());
    else
      check_place(path);
}

/// The pictures of a job.
struct Inputs {
  /// Reads all files. Refuses outputs that could not be written, before any work.
  Inputs(const Job& job, const StopRequested& stop) : target(read_picture(job.target, stop)) {
    if (!job.output.empty()) check_output(job.output, target.pixels.depth(), target.has_alpha(), target.size());
    if (!job.layer.empty()) check_output(job.layer, target.pixels.depth(), true, target.size());
    references.emplace_back(job.source, job.mask, stop);
    for (const ReferenceFiles& files : job.references) references.emplace_back(files.colour, files.mask, stop);
    for (const std::string& path : job.textures) textures.emplace_back(path, stop);
    if (!job.layers.empty()) check_layer_files(job.layers, target);
    if (!job.label.empty()) check_output(job.label, CV_8U, false, target.size());
  }
  Inputs(const Inputs&) = delete;

  /// Returns the warnings of all files, in the order in which they were read.
  std::vector<std::string> warnings() const {
    std::vector<std::string> all;
    const auto add = [&](const Picture& picture) { all.insert(all.end(), picture.warnings.begin(), picture.warnings.end()); };
    add(target);
    for (const LoadedReference& reference : references) add(reference.picture), add(reference.mask_picture);
    for (const LoadedTexture& texture : textures) add(texture.picture);
    return all;
  }

  Picture target;
  std::deque<LoadedReference> references;
  std::deque<LoadedTexture> textures;
};

/// Returns the scene. Every picture starts at (0, 0) of the canvas; the placement moves it from there.
Scene scene_of(const Raster& target, const Inputs& inputs, const Job& job) {
  Scene scene{&target, {}};
  for (std::size_t i = 0; i < inputs.references.size(); ++i) {
    Reference reference;
    reference.colour = &inputs.references[i].colour;
    reference.mask = &inputs.references[i].mask;
    if (i > 0) {
      reference.weight = job.references[i - 1].weight;
      reference.placement = job.references[i - 1].placement;
    }
    scene.references.push_back(reference);
  }
  for (const LoadedTexture& texture : inputs.textures) {
    Reference reference;
    reference.colour = &texture.colour;
    reference.role = Reference::Role::texture;
    scene.references.push_back(reference);
  }
  return scene;
}

/// Returns the contents of all files that the job asks for, so that all of them are written or none. Puts the layer on
/// inputs.target.
std::vector<NewFile> output_files(const Job& job, Inputs& inputs, const Scene& scene, const Request& request, const Layer& layer,
                                  const StopRequested& stop) {
  std::vector<NewFile> files;
  if (!job.layer.empty())
    files.push_back({job.layer, encoded(job.layer, layer_picture(layer, inputs.target), {layer.area.x, layer.area.y}, stop)});
  if (!job.label.empty()) {
    Picture label;
    label.pixels = cv::Mat::zeros(inputs.target.pixels.size(), CV_8UC1);
    const Change change = change_of(*scene.target, layer, 0);
    change.label.copyTo(label.pixels(change.area));
    files.push_back({job.label, encoded(job.label, label, {}, stop)});
  }
  if (!job.layers.empty()) {
    const auto separate = image_part().separate(scene, request, layer);
    for (NewFile& file : layer_files(job.layers, separate, layer.area, inputs.target, stop)) files.push_back(std::move(file));
  }
  if (!job.output.empty()) {
    if (!lay_over(inputs.target, layer))
      throw error(Error::Kind::input,
                  _("Nothing was transferred: the result equals the target. Select the geometry and a little round it."));
    files.push_back({job.output, encoded(job.output, inputs.target, {}, stop)});
  }
  return files;
}

}  // namespace

Request with_settings(Request request, const Settings& settings) {
  // The model first: a preset depends on its family.
  bool model = false, preset = false;
  for (const auto& [name, text] : settings) {
    if (name == "model") set_parameter_text(request, name, text);
    model |= name == "model";
  }
  for (const auto& [name, text] : settings)
    if (name == "preset") {
      apply_preset(request, text);
      preset = true;
    }
  if (model && !preset) apply_preset(request, request.preset);
  for (const auto& [name, text] : settings) {
    if (name == "preset" || name == "model") continue;
    set_parameter_text(request, name, text);
    if (find_parameter(name)->of_preset()) request.preset = "custom";
  }
  return request;
}

JobResult run_job(Session& session, const Job& job, const Request& base, const ProgressCallback& progress) {
  JobResult result;
  result.request = with_settings(base, job.settings);
  validate(result.request);
  const StopRequested stop = [&] { return progress && !progress(Progress{}); };

  const Stopwatch reading;
  Inputs inputs(job, stop);
  result.warnings = inputs.warnings();
  result.read = reading.seconds();

  const PictureRaster canvas(inputs.target);
  const Scene scene = scene_of(canvas, inputs, job);
  if (job.at) {
    const cv::Point2d centre = inputs.references.front().centre;
    result.request.placement.shift_x += job.at->first - centre.x;
    result.request.placement.shift_y += job.at->second - centre.y;
  }
  const Layer layer = session.run(scene, result.request, progress, result.report);
  result.layer = layer.area;
  check_layer(layer);
  if (const std::string warning = light_warning(result.report.decided, result.request); !warning.empty())
    result.warnings.push_back(warning);

  const Stopwatch writing;
  write_files(output_files(job, inputs, scene, result.request, layer, stop));
  result.write = writing.seconds();
  return result;
}

}  // namespace geometry_transfer::cli
