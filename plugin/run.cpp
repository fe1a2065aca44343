// SPDX-License-Identifier: GPL-3.0-or-later
#include "run.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "bring_in.h"
#include "expected_time.h"
#include "host/gegl_raster.h"
#include "request/text.h"
#include "scene_from_layers.h"
#include "settings.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kCalledKey[] = "geometry-transfer-called";
constexpr char kImageKey[] = "geometry-transfer-image";

/// What the call starts from: the last run's settings, or those of the result that it is called on, but for what is this
/// machine's own. Such a result stands for the target that it was made for: repeating and editing again start from there.
Remembered remembered_for(Call& call) {
  Remembered remembered;
  if (layer_settings(call.target, remembered)) {
    const Id target = host::item_of_tattoo(call.image, remembered.target);
    if (host::is_layer(target)) {
      call.previous = call.target;
      call.target = target;
    }
    return remembered;
  }
  remembered = last_settings();
  // Tattoos count from 1 in every image: those of another one would lead to layers that nobody chose. So would its places.
  if (host::session_note(kImageKey) != std::to_string(call.image)) {
    remembered.source = 0;
    remembered.further.clear();
    remembered.request.placement.shift_x = remembered.request.placement.shift_y = 0;
  }
  return remembered;
}

/// The remembered further references that are still there, each layer once: a note may name one again and again.
std::vector<FurtherReference> still_there(const Call& call, std::vector<FurtherReference> further) {
  std::vector<FurtherReference> found;
  for (FurtherReference& r : further) {
    r.layer = host::item_of_tattoo(call.image, static_cast<unsigned>(r.layer));
    const bool again = std::any_of(found.begin(), found.end(), [&](const auto& other) { return other.layer == r.layer; });
    if (host::is_layer(static_cast<Id>(r.layer)) && r.layer != call.target && r.layer != call.source && !again)
      found.push_back(r);
  }
  return found;
}

/// The same by tattoos, those in the call's own image.
std::vector<FurtherReference> by_tattoo(const Call& call) {
  std::vector<FurtherReference> list;
  for (FurtherReference r : call.further) {
    const Id layer = static_cast<Id>(r.layer);
    if (host::image_of(layer) != call.image) continue;
    r.layer = host::tattoo(layer);
    list.push_back(r);
  }
  return list;
}

/// The remembered reference, or the layer nearest to the target.
Id likely_source(const Call& call, unsigned tattoo) {
  const Id remembered = host::item_of_tattoo(call.image, tattoo);
  if (host::is_layer(remembered) && remembered != call.target) return remembered;
  Id above = kNone;
  bool passed = false;
  for (const Id layer : host::layers(call.image)) {
    if (layer == call.target)
      passed = true;
    else if (is_result(layer))
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

/// Several changes as one undo step, closed on every way out.
class UndoGroup {
 public:
  explicit UndoGroup(Id image) : image_(image) { host::undo_group_begin(image_); }
  ~UndoGroup() { host::undo_group_end(image_); }
  UndoGroup(const UndoGroup&) = delete;

 private:
  Id image_;
};

Error no_new_layer() { return error(Error::Kind::system, _("GIMP did not accept a new layer in this image.")); }

/// GIMP stays usable while a transfer runs: its image may have been closed and its layers deleted since.
void check_still_there(const Call& call) {
  const std::vector<Id> images = host::images();
  if (std::find(images.begin(), images.end(), call.image) == images.end())
    throw error(Error::Kind::input,
                _("The image was closed while Geometry Transfer was at work: there is nowhere to put the result."));
  if (!host::is_layer(call.target) || host::image_of(call.target) != call.image)
    throw error(Error::Kind::input, _("The layer was deleted while Geometry Transfer was at work: undo that and call it again."));
}

/// What is wanted of other images as layers for this one, and `settings` lead to them.
std::vector<NewLayer> bring_in(const Call& call, const SceneFromLayers& layers, Remembered& settings) {
  std::vector<NewLayer> made;
  const auto& references = layers.placed_references();
  for (size_t i = 0; i < references.size(); ++i) {
    // What was deleted since has been read all the same: the transfer does without the copy.
    if (!host::is_layer(references[i].layer) || host::image_of(references[i].layer) == call.image) continue;
    made.push_back(brought_in(call.image, references[i]));
    if (!made.back()) throw no_new_layer();
    const Id copy = made.back().id();
    if (i == 0) {
      settings.source = host::tattoo(copy);
    } else {
      settings.further.push_back(call.further[i - 1]);
      settings.further.back().layer = host::tattoo(copy);
    }
  }
  return made;
}

Id write_result(const Call& call, const SceneFromLayers& layers, const std::string& name, Remembered& settings,
                const Layer& layer, const Report& report) {
  check_still_there(call);
  std::optional<UndoGroup> group;  // ends after what is taken back
  // Whole before it is in the image: whatever ends this process on the way leaves the image as it was.
  NewLayer made(call.image, host::make_layer(call.image, name, layer.area));
  if (!made) throw no_new_layer();
  write_layer(host::pixels(made.id()).get(), layer);
  host::layer_changed(made.id());
  std::vector<NewLayer> copies;
  if (call.bring_in) copies = bring_in(call, layers, settings);
  set_layer_settings(made.id(), settings);
  set_layer_report(made.id(), report);
  // Mostly the one change to the image, so one undo step without a group, which a death in its middle would leave behind empty.
  if (!copies.empty()) group.emplace(call.image);
  for (NewLayer& copy : copies)
    if (!copy.insert(call.target, true)) throw no_new_layer();
  // On top of the result that was edited again, which would hide it.
  if (!made.insert(host::is_layer(call.previous) ? call.previous : call.target)) throw no_new_layer();
  for (NewLayer& copy : copies) copy.keep();
  group.reset();
  host::show_changes();
  return made.keep();
}

/// True from the second call on that is made in one session of GIMP.
bool called_before() {
  const bool before = !host::session_note(kCalledKey).empty();
  if (!before) host::set_session_note(kCalledKey, "yes");
  return before;
}

/// As on the command line, what a script says against the defaults wins over the preset, which is "custom" then.
Request with_preset(const Request& given) {
  Request made = given;
  apply_preset(made, given.preset);
  for (const Parameter& p : parameters()) {
    const Value said = p.get(given);
    if (!p.of_preset() || said == p.get(Request{}) || said == p.get(made)) continue;
    p.set(made, said);
    made.preset = "custom";
  }
  return made;
}

/// For the next dialog, and for Repeat.
void remember(const Call& call, const Remembered& settings) {
  set_last_settings(settings);
  host::set_session_note(kImageKey, std::to_string(call.image));
}

Outcome transfer(Call& call, const Dialog& dialog, const worker::Runner& kept) {
  // 1. What is asked for.
  check_target(call.image, call.target);
  if (call.mode != Call::Mode::noninteractive) {
    const Remembered remembered = remembered_for(call);
    call.request = remembered.request;
    if (call.source == kNone || call.source == call.target) call.source = likely_source(call, remembered.source);
    call.further = still_there(call, remembered.further);
    if (call.mode == Call::Mode::interactive && !dialog(call)) return {Outcome::Status::cancelled, "", kNone};
  }
  if (call.mode == Call::Mode::noninteractive)
    call.request = with_preset(call.request);
  else
    apply_preset(call.request, call.request.preset);
  validate(call.request);

  // 2. Read, 3. transfer.
  const auto start = std::chrono::steady_clock::now();
  const SceneFromLayers scene_layers(call.image, call.target, call.source, call.further);
  const Work work = work_of(call);
  const std::string name = sentence(_("Geometry Transfer: {0}"), host::item_name(call.source));
  Remembered settings = {call.request, host::tattoo(call.target),
                         host::image_of(call.source) == call.image ? host::tattoo(call.source) : 0, by_tattoo(call)};
  if (call.mode == Call::Mode::interactive) remember(call, settings);  // cancelled or failed, the next dialog starts from it
  const ProgressCallback progress = [](const Progress& p) {
    host::progress(p.fraction, status_text(p));
    return true;
  };
  progress({});  // at once, so that it can be cancelled while the libraries open
  // With a worker, too: where that is killed, the transfer is done here.
  worker::prefer_for_oom_kill();
  Report report;
  const bool keep = kept && (call.mode != Call::Mode::noninteractive || called_before());
  const Layer layer = keep ? kept(scene_layers.scene(), call.request, progress, report)
                           : Session().run(scene_layers.scene(), call.request, progress, report);

  // 4. Write.
  const Id made = write_result(call, scene_layers, name, settings, layer, report);
  host::progress_end();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  remember_time(call.request, work, taken.count());
  if (call.mode == Call::Mode::interactive) remember(call, settings);
  return {Outcome::Status::done, "", made};
}

}  // namespace

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
