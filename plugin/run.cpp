// SPDX-License-Identifier: GPL-3.0-or-later
#include "run.h"

#include <chrono>
#include <optional>
#include <utility>

#include "expected_time.h"
#include "geometry-transfer/models.h"
#include "host/undo_group.h"
#include "procedure.h"
#include "request/text.h"
#include "result.h"
#include "scene_from_layers.h"
#include "starting_point.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kCalledKey[] = "geometry-transfer-called";

std::string status_text(const Progress& p) {
  std::string text = stage_label(p.stage);
  if (p.steps > 1) text = sentence(_("{0}, step {1} of {2}"), text, p.step, p.steps);
  if (p.seconds_left >= 1) text = sentence(_("{0} ({1} s left)"), text, static_cast<int>(p.seconds_left + 0.5));
  return text;
}

/// True from the second call in a session of GIMP on.
bool called_before() {
  const bool before = !host::session_note(kCalledKey).empty();
  if (!before) host::set_session_note(kCalledKey, "yes");
  return before;
}

/// Applies the preset. As on the command line, an argument that differs from its default wins over the preset, which is
/// then "custom".
Request with_preset(const Request& given) {
  Request request = given;
  apply_preset(request, given.preset == kSuitingPreset ? default_preset(model_family(given.model)) : given.preset);
  for (const Parameter& p : parameters()) {
    const Value value = p.get(given);
    if (!p.of_preset() || value == p.get(Request{}) || value == p.get(request)) continue;
    p.set(request, value);
    request.preset = "custom";
  }
  return request;
}

/// Makes the references of a finished call those of its own image: other images' references were copied into it.
void take_copied_references(Call& call, const Remembered& settings) {
  const Id source = host::item_of_tattoo(call.image, settings.source);
  if (!host::is_layer(source)) return;
  call.source = source;
  call.further = settings.further;
  for (FurtherReference& r : call.further) r.layer = host::item_of_tattoo(call.image, static_cast<unsigned>(r.layer));
  call.bring_in = false;
}

/// Reads, transfers and writes each copy of the call as it is. Returns the last result. Nothing is written before all
/// is computed.
Id make_result(Call call, const worker::Runner& in_worker, const std::function<void()>& meanwhile, Call* next = nullptr) {
  const auto start = std::chrono::steady_clock::now();
  const SceneFromLayers scene_layers(call.image, call.target, call.source, call.further, call.selection);
  const Work work = work_of(call);
  const std::string name = result_name(call);
  const std::vector<Placement> placements =
      placements_of(call.copies, call.request.placement, scene_layers.selected(), host::extent(call.target));
  const Remembered first = settings_of(call);
  if (call.mode == Call::Mode::interactive) remember_started(call, first);
  // This process, too: if the kernel kills the worker, the transfer is repeated here.
  worker::prefer_for_oom_kill();
  const bool use_worker = in_worker && (call.mode != Call::Mode::noninteractive || called_before());
  std::vector<MadeResult> results;
  const ProgressCallback progress = [&](const Progress& p) {
    host::progress((results.size() + p.fraction) / placements.size(), status_text(p));
    if (meanwhile) meanwhile();
    return true;
  };
  progress({});  // shown at once, so the user can cancel while the libraries open
  for (const Placement& placement : placements) {
    call.request.placement = placement;
    Report report;
    const Scene& scene = scene_layers.scene();
    Layer layer =
        use_worker ? in_worker(scene, call.request, progress, report) : Session().run(scene, call.request, progress, report);
    std::vector<BlendLayer> layers;
    if (call.separate) layers = image_part().separate(scene, call.request, layer);
    results.push_back({std::move(layer), std::move(layers), report});
  }

  std::optional<UndoGroup> group;
  if (results.size() > 1) group.emplace(call.image);
  Remembered settings = first;
  const bool bring_in = call.bring_in;
  Id result = kNone;
  for (size_t i = 0; i < results.size(); ++i) {
    settings.request.placement = placements[i];
    result = write_result(call, scene_layers, name, settings, results[i]);
    call.previous = kNone;  // it is replaced once
    if (call.bring_in) take_copied_references(call, settings);
  }
  group.reset();
  host::progress_end();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  call.request.placement = settings.request.placement = placements.front();
  call.bring_in = bring_in;
  remember_time(call.request, work, taken.count() / results.size());
  if (call.mode == Call::Mode::interactive) remember_finished(call, settings);
  if (next) *next = std::move(call);
  return result;
}

Outcome transfer(Call& call, const Dialog& dialog, const worker::Runner& in_worker) {
  take_selected(call);
  // While a layer mask is active, the user means its layer.
  if (const Id masked = host::layer_of_mask(call.target); masked != kNone && call.mode != Call::Mode::noninteractive)
    call.target = masked;
  check_target(call.image, call.target);
  if (call.mode != Call::Mode::noninteractive) {
    set_starting_point(call);
    call.bring_in = true;
    call.apply = [&in_worker](Call& applied, const std::function<void()>& meanwhile) {
      apply_preset(applied.request, applied.request.preset);
      validate(applied.request);
      const Id result = make_result(applied, in_worker, meanwhile, &applied);
      applied.applied = result;
    };
    if (call.mode == Call::Mode::interactive && !dialog(call))
      return {call.applied == kNone ? Outcome::Status::cancelled : Outcome::Status::done, "", call.applied};
  }
  if (call.mode == Call::Mode::noninteractive)
    call.request = with_preset(call.request);
  else
    apply_preset(call.request, call.request.preset);
  validate(call.request);
  return {Outcome::Status::done, "", make_result(call, in_worker, {})};
}

}  // namespace

Outcome run(Call call, const Dialog& dialog, const worker::Runner& in_worker) {
  try {
    return transfer(call, dialog, in_worker);
  } catch (const Cancelled&) {
    host::progress_end();
    return {Outcome::Status::cancelled, "", kNone};
  } catch (const Error& e) {
    host::progress_end();
    return {Outcome::Status::failed, e.what(), kNone};
  } catch (const std::exception& e) {  // a bug, but GIMP and the image survive it
    host::progress_end();
    return {Outcome::Status::failed, sentence(_("Geometry Transfer stopped: {0}."), e.what()), kNone};
  }
}

}  // namespace geometry_transfer
