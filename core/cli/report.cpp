// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/report.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/output_file.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

using Json = nlohmann::ordered_json;

Json rectangle(const Rect& r) { return {{"x", r.x}, {"y", r.y}, {"width", r.width}, {"height", r.height}}; }

Json value(const Value& v) {
  return std::visit([](const auto& held) { return Json(held); }, v);
}

/// The light's direction is in degrees, counter-clockwise from the right, and null if it cannot be told.
Json decided(const GeometryDecisions& d) {
  const bool lit = d.light_x != 0 || d.light_y != 0;
  return {{"strength", d.strength},
          {"own_material", d.own_material},
          {"show_through", d.show_through},
          {"water", d.water},
          {"light", lit ? Json(std::round(std::atan2(-d.light_y, d.light_x) * 1800 / M_PI) / 10) : Json()}};
}

volatile std::sig_atomic_t interrupted = 0;  // a signal handler may touch only this type

}  // namespace

std::string printable(std::string text) {
  text = harmless(std::move(text));
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return text;
}

Json report_json(const Job& job, const JobResult& result) {
  const Report& r = result.report;
  Json request, stages = Json::array();
  const std::string& preset = result.request.preset;
  for (const Parameter& p : parameters()) request[p.name] = value(p.get(result.request));
  for (const StageTime& s : r.stages) stages.push_back({{"stage", stage_id(s.stage)}, {"seconds", s.seconds}});
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return {{"version", GT_VERSION},
          {"target", job.target},
          {"source", job.source},
          {"output", job.output},
          {"layer", job.layer},
          {"layers", job.layers},
          {"request", request},
          {"effect", preset == "custom" ? "" : preset_offer(preset, model_family(result.request.model)).effect},
          {"stages", stages},
          {"seconds", r.seconds},
          {"read_files_seconds", result.read},
          {"write_files_seconds", result.write},
          {"peak_memory", static_cast<std::uint64_t>(used.ru_maxrss) * 1024},
          {"residuals", r.residuals},
          {"rectangle", rectangle(r.rectangle)},
          {"layer_area", rectangle(result.layer)},
          {"working", {{"width", r.working.width}, {"height", r.working.height}}},
          {"mask_share", r.mask_share},
          {"window_share", r.window_share},
          {"unet_calls", r.unet_calls},
          {"unet_streams", r.unet_streams},
          {"threads", r.threads},
          {"model", r.model},
          {"device", r.device},
          {"precision", r.precision},
          {"decided", decided(r.decided)},
          {"warnings", result.warnings}};
}

void check_report(const std::string& where) {
  if (!where.empty() && where != "json") check_place(where);
}

void write_report(const std::string& where, const Json& report) {
  // A file's name may hold any bytes, but JSON must be UTF-8.
  const std::string text = report.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (where != "json") return write_file(where, {text.begin(), text.end()});
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw error(Error::Kind::system, _("The report cannot be written to the standard output."));
}

void print_models() {
  for (const ModelInfo& model : list_models()) {
    std::printf("%-24s %-8s %6llu MB  %s\n", printable(model.name).c_str(), model.family.empty() ? "-" : model.family.c_str(),
                static_cast<unsigned long long>((model.bytes + 500000) / 1000000), printable(model.path).c_str());
    if (!model.problem.empty()) std::printf("    %s\n", printable(model.problem).c_str());
  }
}

ProgressLine::ProgressLine(bool quiet) : shown_(!quiet && isatty(STDERR_FILENO)) {
  struct sigaction once {};
  once.sa_handler = [](int) { interrupted = 1; };
  once.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &once, nullptr);
  sigaction(SIGTERM, &once, nullptr);
}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::clear() {
  if (shown_ && !last_.empty()) std::fputs("\r\033[K", stderr);
  last_.clear();
}

StopRequested ProgressLine::stop_requested() const {
  return [] { return interrupted != 0; };
}

ProgressCallback ProgressLine::callback() {
  return [this](const Progress& p) {
    std::string text = stage_label(p.stage);
    if (p.steps > 0) text += fmt::format(" {}/{}", p.step, p.steps);
    if (p.seconds_left >= 0) text += ", " + sentence(_("{0} s left"), static_cast<int>(p.seconds_left + 0.5));
    return show(p.fraction, text);
  };
}

bool ProgressLine::show(double fraction, const std::string& text) {
  if (interrupted) return false;
  if (!shown_) return true;
  constexpr int width = 24;
  const int full = std::clamp(static_cast<int>(fraction * width), 0, width);
  const std::string line = "[" + std::string(full, '#') + std::string(width - full, ' ') + "] " + text;
  if (line != last_) std::fprintf(stderr, "\r\033[K%s", line.c_str());
  last_ = line;
  return true;
}

}  // namespace geometry_transfer::cli
