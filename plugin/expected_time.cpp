// SPDX-License-Identifier: GPL-3.0-or-later
#include "expected_time.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "request/text.h"
#include "settings.h"

namespace geometry_transfer {
namespace {

/// Seconds that one core with AVX2 takes for a whole picture, in fp32, at the size that the model is made for. Measured
/// on transfers for the shipped model, and by the benchmark for SD 1.x, on two cores (docs/experiments/kernels.md,
/// "Networks against the processor's peak"). Larger models are scaled by their operations.
struct Cost {
  double row, encode, decode;
};
Cost cost_of(const std::string& family) {
  if (family == "SD 1.x") return {14, 24, 56};
  if (family == "SD 2.x") return {30, 45, 110};
  if (family == "SDXL") return {170, 130, 280};
  return {1.05, 0.55, 0.95};
}

/// Speed-up for every doubling of the cores.
constexpr double kDoubling = 1.8;
/// Cost of the image part: for each reference, and for each pixel of the working rectangle up to the largest working
/// size.
constexpr double kEditStart = 0.1, kEditPixel = 1e-6, kMostPixels = 8e6;
constexpr double kLoadStart = 0.3, kLoadByte = 1e-9;

/// Sides of the working rectangle in canvas pixels.
struct Sides {
  double width, height;
};
Sides rectangle(const Request& request, const Work& work) {
  const double longest =
      std::max(work.selected.width * request.placement.stretch, double(work.selected.height)) * request.placement.scale;
  const double side = std::max(longest / request.context, longest + 2 * (std::max(0.0, request.grow) + request.feather + 8));
  return {std::max(1.0, std::min(side, double(work.target.width))), std::max(1.0, std::min(side, double(work.target.height)))};
}

/// Returns the share of the rectangle in which the passes of the edit and the result run. It is a window around the
/// selection with four latents of margin on each side, of the 64 of a model's side. Rounding makes the real window
/// larger. An edit that ends inside the selection makes it smaller.
double window_share(const Request& request, const Work& work) {
  if (!request.window || !request.reuse_keys || request.restore < 1) return 1;
  const Sides all = rectangle(request, work);
  const double more = 2 * (std::max(0.0, request.grow) + request.feather), latents = 64 * request.working_size;
  const auto along = [&](double selected, double side) {
    const double longer = std::max(all.width, all.height);
    return std::min(1.0, (selected * request.placement.scale + more) / side + 8 / latents * longer / side);
  };
  const double share =
      along(work.selected.width * request.placement.stretch, all.width) * along(work.selected.height, all.height);
  return share > 0.8 ? 1 : share;
}

/// Returns the pixels of the picture that the model sees, divided by those of the square that it is made for.
double seen_share(const Request& request, const Work& work) {
  const Sides all = rectangle(request, work);
  return request.working_size * request.working_size * std::min(all.width, all.height) / std::max(all.width, all.height);
}

/// Returns the key under which a ratio is remembered.
std::string family_of(const Request& request, const Work& work) { return request.correction > 0 ? work.model.family : ""; }

}  // namespace

Work work_of(const Call& call) {
  return work_of(call, call.request.model.empty() ? shipped_model() : inspect_model(call.request.model));
}

Work work_of(const Call& call, const ModelInfo& model) {
  Work work;
  work.model = model;
  work.target = host::extent(call.target);
  const host::Id away = call.source == host::kNone ? call.image : host::image_of(call.source);
  work.selected = host::selection_bounds(away);
  if (work.selected.empty()) work.selected = host::selection_bounds(call.image);
  if (work.selected.empty() && call.source != host::kNone)
    work.selected = host::extent(call.source);  // the largest area that its mask may show
  for (const FurtherReference& r : call.further) ++(r.role == Reference::Role::texture ? work.textures : work.geometries);
  return work;
}

Machine this_machine() {
  Machine machine;
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) machine.cores = std::max(1, CPU_COUNT(&set));
#if defined(__x86_64__)
  machine.speed = __builtin_cpu_supports("avx512f") ? 1.6 : __builtin_cpu_supports("avx2") ? 1 : 0.3;
#else
  machine.speed = 0.5;
#endif
  machine.gpu = access("/dev/nvidia0", F_OK) == 0;
  return machine;
}

int unet_rows(const Request& request, int geometries, int textures) {
  const StreamSet &inverted = request.geometry_reads, &generated = request.output_reads;
  const int sources = generated.has(Stream::source) ? geometries : 0;
  const int targets = 1 + textures;  // whoever reads the target reads the textures, too
  const bool target_read = inverted.has(Stream::target) || generated.has(Stream::target);
  const int streams = 2 + sources + (target_read ? textures : 0);
  int beside = 0;  // streams that are computed together with the result
  if (!request.reuse_keys) {
    const bool geometry = generated.has(Stream::geometry);
    beside = sources + geometry + (generated.has(Stream::target) || (geometry && inverted.has(Stream::target)) ? targets : 0);
  }
  return request.steps * (request.iterations * streams + 1 + beside);
}

double estimated_seconds(const Request& request, const Work& work, const Machine& machine) {
  const int threads = request.threads > 0 ? std::min(request.threads, machine.cores) : machine.cores;
  const double power = machine.speed * std::pow(kDoubling, std::log2(threads));
  const Sides all = rectangle(request, work);
  const double edit = kEditStart + work.geometries * kEditPixel * std::min(all.width * all.height, kMostPixels) / machine.speed;
  if (request.correction <= 0) return edit;
  const Cost cost = cost_of(work.model.family);
  const double share = window_share(request, work);
  const int windowed = share < 1 ? request.steps * (request.iterations + 1) : 0;  // passes of the edit and of the result
  const double rows = unet_rows(request, work.geometries, work.textures) - windowed * (1 - share);
  const double encodings = 1 + share + work.textures + (request.output_reads.has(Stream::source) ? work.geometries : 0);
  const double decodings = request.give_back == GiveBack::edit      ? 1 + share
                           : request.give_back == GiveBack::nothing ? 1
                           : request.give_back == GiveBack::half    ? 3
                                                                    : 2;
  return edit + kLoadStart + kLoadByte * static_cast<double>(work.model.bytes) +
         seen_share(request, work) * (cost.row * rows + cost.encode * encodings + cost.decode * decodings) / power;
}

Expected expected_time(const Request& request, const Work& work, const Machine& machine) {
  const bool model = request.correction > 0;
  if (model && (work.model.path.empty() || !work.model.problem.empty())) return {};
  const Speed speed = speed_of(request.preset, family_of(request, work));
  Expected expected;
  expected.measured = speed.this_preset;
  const bool on_gpu = machine.gpu && model && request.device != Device::cpu;
  if (!on_gpu || speed.known) expected.seconds = speed.ratio * estimated_seconds(request, work, machine);
  return expected;
}

void remember_time(const Request& request, const Work& work, double seconds) {
  set_speed(request.preset, family_of(request, work), seconds / estimated_seconds(request, work, this_machine()));
}

std::string rough_time(double seconds) {
  if (seconds < 10) return sentence(_("{0} s"), std::max(1L, std::lround(seconds)));
  if (seconds < 90) return sentence(_("{0} s"), 5 * std::lround(seconds / 5));
  const double minutes = seconds / 60;
  return sentence(_("{0} min"), minutes < 10 ? std::lround(minutes) : 5 * std::lround(minutes / 5));
}

std::string with_time(const std::string& label, const Expected& expected) {
  if (expected.seconds < 0) return label;
  if (expected.seconds < 1) return sentence(_("{0} (under a second)"), label);
  return sentence(expected.measured ? _("{0} (about {1})") : _("{0} (estimated {1})"), label, rough_time(expected.seconds));
}

}  // namespace geometry_transfer
