// SPDX-License-Identifier: GPL-3.0-or-later
#include "run.h"

#include <algorithm>
#include <chrono>

#include "gegl_raster.h"
#include "request/text.h"
#include "settings.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kCalledKey[] = "geometry-transfer-called";

/// Refuses what can be said without looking at the selection or the reference, so before a dialog comes up.
void check_target(Id image, Id target) {
  if (host::has_quick_mask(image))
    throw error(Error::Kind::input,
                _("The quick mask is on, so nothing is selected: switch it off first (Select > Toggle Quick Mask)."));
  if (!host::is_layer(target))
    throw error(Error::Kind::input, _("Geometry Transfer works on layers: choose a layer, not a channel or a mask."));
  if (!host::takes_colour(image))
    throw error(Error::Kind::input, _("The image is indexed: change it to RGB first (Image > Mode > RGB)."));
  if (host::has_floating_selection(image))
    throw error(Error::Kind::input, _("There is a floating selection: anchor it or make it a layer first."));
}

/// A result layer stands for the target that it was made for: repeating and editing again start from there.
void follow_result(Call& call, Remembered& remembered) {
  if (call.mode == Call::Mode::noninteractive || !layer_settings(call.target, remembered)) return;
  const Id target = host::item_of_tattoo(call.image, remembered.target);
  if (host::is_layer(target)) call.target = target;
}

/// The remembered reference, or the layer nearest to the target.
Id likely_source(const Call& call, unsigned tattoo) {
  const Id remembered = host::item_of_tattoo(call.image, tattoo);
  if (host::is_layer(remembered) && remembered != call.target) return remembered;
  Id above = kNone;
  bool passed = false;
  for (const Id layer : host::layers(call.image)) {
    Remembered unused;
    if (layer == call.target)
      passed = true;
    else if (layer_settings(layer, unused))
      continue;  // a result is seldom the next reference
    else if (passed)
      return above == kNone ? layer : above;
    else
      above = layer;
  }
  return above;
}

std::string status_text(const Progress& p) {
  std::string text = stage_label(p.stage);
  if (p.steps > 1) text = sentence(_("{0}, step {1} of {2}"), text, p.step, p.steps);
  if (p.seconds_left >= 1) text = sentence(_("{0} ({1} s left)"), text, static_cast<int>(p.seconds_left + 0.5));
  return text;
}

/// One undo step, closed on every way out.
class UndoGroup {
 public:
  explicit UndoGroup(Id image) : image_(image) { host::undo_group_begin(image_); }
  ~UndoGroup() { host::undo_group_end(image_); }
  UndoGroup(const UndoGroup&) = delete;

 private:
  Id image_;
};

/// GIMP stays usable while a transfer runs: its image may have been closed and its layers deleted since.
void check_still_there(const Call& call) {
  const std::vector<Id> images = host::images();
  if (std::find(images.begin(), images.end(), call.image) == images.end())
    throw error(Error::Kind::input,
                _("The image was closed while Geometry Transfer was at work: there is nowhere to put the result."));
  if (!host::is_layer(call.target) || host::image_of(call.target) != call.image)
    throw error(Error::Kind::input, _("The layer was deleted while Geometry Transfer was at work: undo that and call it again."));
}

Id write_result(const Call& call, const std::string& name, const Remembered& settings, const Layer& layer, const Report& report) {
  check_still_there(call);
  // Whole before it is in the image: whatever ends this process on the way leaves the image as it was.
  const Id made = host::make_layer(call.image, name, layer.area);
  if (made == kNone) throw error(Error::Kind::system, _("GIMP did not accept a new layer in this image."));
  write_layer(host::pixels(made).get(), layer);
  host::layer_changed(made);
  set_layer_settings(made, settings);
  set_layer_report(made, report);
  {
    const UndoGroup group(call.image);
    if (!host::insert_layer(call.image, made, call.target))
      throw error(Error::Kind::system, _("GIMP did not accept a new layer in this image."));
    host::select_layer(call.image, made);
  }
  host::show_changes();
  return made;
}

/// True from the second call on that is made in one session of GIMP.
bool called_before() {
  const bool before = !host::session_note(kCalledKey).empty();
  if (!before) host::set_session_note(kCalledKey, "yes");
  return before;
}

Outcome transfer(Call& call, const Dialog& dialog, const worker::Runner& kept) {
  // 1. What is asked for.
  check_target(call.image, call.target);
  if (call.mode != Call::Mode::noninteractive) {
    Remembered remembered = last_settings();
    follow_result(call, remembered);
    call.request = remembered.request;
    if (call.source == kNone || call.source == call.target) call.source = likely_source(call, remembered.source);
    if (call.mode == Call::Mode::interactive && !dialog(call)) return {Outcome::Status::cancelled, "", kNone};
  }
  if (call.request.preset != "custom") apply_preset(call.request, call.request.preset);
  validate(call.request);

  // 2. Read, 3. transfer.
  const auto start = std::chrono::steady_clock::now();
  const Material material(call.image, call.target, call.source);
  const std::string name = sentence(_("Geometry Transfer: {0}"), host::item_name(call.source));
  const Remembered settings = {call.request, host::tattoo(call.target),
                               host::image_of(call.source) == call.image ? host::tattoo(call.source) : 0};
  const ProgressCallback progress = [](const Progress& p) {
    host::progress(p.fraction, status_text(p));
    return true;
  };
  progress({});  // at once, so that it can be cancelled while the libraries open
  Report report;
  const bool keep = kept && (call.mode != Call::Mode::noninteractive || called_before());
  const Layer layer = keep ? kept(material.scene(), call.request, progress, report)
                           : Session().run(material.scene(), call.request, progress, report);

  // 4. Write.
  const Id made = write_result(call, name, settings, layer, report);
  host::progress_end();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  set_seconds_taken(call.request.preset, taken.count());
  if (call.mode == Call::Mode::interactive) set_last_settings(settings);
  return {Outcome::Status::done, "", made};
}

}  // namespace

Material::Material(Id image, Id target, Id source) {
  check_target(image, target);
  if (source == kNone || !host::is_layer(source))
    throw error(Error::Kind::input, _("Choose the reference layer: the layer that shows the geometry."));
  if (source == target)
    throw error(Error::Kind::input, _("The reference layer must be another layer than the one that is worked on (\"{0}\")."),
                host::item_name(target));
  // A reference in another image brings its own selection along.
  const Id away = host::image_of(source);
  const Id selected = away != image && !host::selection_bounds(away).empty() ? away : image;
  const Rect bounds = host::selection_bounds(selected);
  if (bounds.empty())
    throw error(
        Error::Kind::input,
        _("Nothing is selected: select the geometry on the reference layer (\"{0}\"), then call Geometry Transfer again."),
        host::item_name(source));
  // It lands in the middle of this image's selection, or of the target.
  int dx = 0, dy = 0;
  if (selected != image) {
    const Rect here = host::selection_bounds(image).empty() ? host::extent(target) : host::selection_bounds(image);
    dx = here.x + here.width / 2 - (bounds.x + bounds.width / 2);
    dy = here.y + here.height / 2 - (bounds.y + bounds.height / 2);
  }
  const auto raster = [&](Id drawable, int x, int y) {
    Rect extent = host::extent(drawable);
    extent.x += x;
    extent.y += y;
    rasters_.push_back(
        std::make_unique<GeglRaster>(host::pixels(drawable), GeglRaster::Kind::colour, extent.x, extent.y, extent));
    return rasters_.back().get();
  };
  scene_.target = raster(target, 0, 0);
  Reference reference;
  reference.colour = raster(source, dx, dy);
  selected_ = {bounds.x + dx, bounds.y + dy, bounds.width, bounds.height};
  rasters_.push_back(
      std::make_unique<GeglRaster>(host::pixels(host::selection(selected)), GeglRaster::Kind::mask, dx, dy, selected_));
  reference.mask = rasters_.back().get();
  scene_.references.push_back(reference);
  find_centre(*reference.mask);
}

void Material::find_centre(const Raster& mask) {
  const Rect& area = selected_;
  const Size size = {std::min(area.width, 256), std::min(area.height, 256)};
  std::vector<float> coverage(static_cast<size_t>(size.width) * size.height);
  mask.read(area, size, coverage.data());
  double sum = 0, x_sum = 0, y_sum = 0;
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double c = coverage[static_cast<size_t>(y) * size.width + x];
      sum += c;
      x_sum += c * (x + 0.5);
      y_sum += c * (y + 0.5);
    }
  centre_x_ = area.x + (sum > 0 ? x_sum / sum / size.width : 0.5) * area.width;
  centre_y_ = area.y + (sum > 0 ? y_sum / sum / size.height : 0.5) * area.height;
}

Outcome run(Call call, const Dialog& dialog, const worker::Runner& kept) {
  try {
    return transfer(call, dialog, kept);
  } catch (const Cancelled&) {
    host::progress_end();
    return {Outcome::Status::cancelled, "", kNone};
  } catch (const Error& e) {
    host::progress_end();
    return {Outcome::Status::failed, e.what(), kNone};
  } catch (const std::exception& e) {  // ours to mend, but GIMP and the image go on
    host::progress_end();
    return {Outcome::Status::failed, sentence(_("Geometry Transfer stopped: {0}."), e.what()), kNone};
  }
}

}  // namespace geometry_transfer
