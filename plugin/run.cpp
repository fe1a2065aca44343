// SPDX-License-Identifier: GPL-3.0-or-later
#include "run.h"

#include <chrono>

#include "expected_time.h"
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

/// Applies the preset. As on the command line, an argument that differs from its default wins over the preset, which is then
/// "custom".
Request with_preset(const Request& given) {
  Request request = given;
  apply_preset(request, given.preset);
  for (const Parameter& p : parameters()) {
    const Value value = p.get(given);
    if (!p.of_preset() || value == p.get(Request{}) || value == p.get(request)) continue;
    p.set(request, value);
    request.preset = "custom";
  }
  return request;
}

Outcome transfer(Call& call, const Dialog& dialog, const worker::Runner& in_worker) {
  // 1. Find out what to do. While a layer mask is active, the user means its layer.
  if (const Id masked = host::layer_of_mask(call.target); masked != kNone && call.mode != Call::Mode::noninteractive)
    call.target = masked;
  check_target(call.image, call.target);
  if (call.mode != Call::Mode::noninteractive) {
    set_starting_point(call);
    call.bring_in = true;
    if (call.mode == Call::Mode::interactive && !dialog(call)) return {Outcome::Status::cancelled, "", kNone};
  }
  if (call.mode == Call::Mode::noninteractive)
    call.request = with_preset(call.request);
  else
    apply_preset(call.request, call.request.preset);
  validate(call.request);

  // 2. Read, 3. transfer.
  const auto start = std::chrono::steady_clock::now();
  const SceneFromLayers scene_layers(call.image, call.target, call.source, call.further, call.selection);
  const Work work = work_of(call);
  const std::string name = result_name(call);
  Remembered settings = settings_of(call);
  if (call.mode == Call::Mode::interactive) remember_started(call, settings);
  const ProgressCallback progress = [](const Progress& p) {
    host::progress(p.fraction, status_text(p));
    return true;
  };
  progress({});  // shown at once, so the user can cancel while the libraries open
  // This process, too: if the kernel kills the worker, the transfer is repeated here.
  worker::prefer_for_oom_kill();
  Report report;
  const bool use_worker = in_worker && (call.mode != Call::Mode::noninteractive || called_before());
  const Layer layer = use_worker ? in_worker(scene_layers.scene(), call.request, progress, report)
                                 : Session().run(scene_layers.scene(), call.request, progress, report);

  // 4. Write.
  const Id result = write_result(call, scene_layers, name, settings, layer, report);
  host::progress_end();
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  remember_time(call.request, work, taken.count());
  if (call.mode == Call::Mode::interactive) remember_finished(call, settings);
  return {Outcome::Status::done, "", result};
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
