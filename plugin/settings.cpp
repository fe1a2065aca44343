// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings.h"

#include <cstdlib>
#include <locale>
#include <sstream>

#include "geometry-transfer/error.h"
#include "request/number_text.h"

namespace geometry_transfer {
namespace {

// Parasites: names and format stay as they are, saved files have them.
constexpr char kLayerKey[] = "geometry-transfer";
constexpr char kReportKey[] = "geometry-transfer-report";
constexpr char kLastKey[] = "geometry-transfer-last";
constexpr char kSpeedKey[] = "geometry-transfer-speed";

double number(const std::string& text, double fallback) { return parse_number(text).value_or(fallback); }

}  // namespace

bool is_of_the_result(const Parameter& p) {
  return p.group != Parameter::Group::machine || p.name == std::string("model") || p.name == std::string("prediction");
}

host::Id whole_result(host::Id layer) {
  const host::Id group = host::parent(layer);
  return group != host::kNone && !host::layer_note(group, kLayerKey).empty() ? group : layer;
}

bool is_result(host::Id layer) { return !host::layer_note(whole_result(layer), kLayerKey).empty(); }

bool layer_settings(host::Id layer, Remembered& settings) {
  const std::string text = host::layer_note(layer, kLayerKey);
  if (text.empty()) return false;
  settings = parse_settings(text);
  const Request own = last_settings().request;
  for (const Parameter& p : parameters())
    if (!is_of_the_result(p)) p.set(settings.request, p.get(own));
  return true;
}

void set_layer_settings(host::Id layer, const Remembered& settings) {
  host::set_layer_note(layer, kLayerKey, settings_text(settings));
}

void set_layer_report(host::Id layer, const Report& report) {
  std::ostringstream text;
  text.imbue(std::locale::classic());
  if (!report.model.empty()) text << "model=" << report.model << "\nprecision=" << report.precision << "\n";
  text << "threads=" << report.threads << "\nseconds=" << report.seconds << "\n";
  for (const StageTime& stage : report.stages) text << stage_id(stage.stage) << "=" << stage.seconds << "\n";
  host::set_layer_note(layer, kReportKey, text.str());
}

Remembered last_settings() { return parse_settings(host::user_note(kLastKey)); }
void set_last_settings(const Remembered& settings) { host::set_user_note(kLastKey, settings_text(settings)); }

Speed speed_of(const std::string& preset, const std::string& family) {
  const auto lines = named_lines(host::user_note(kSpeedKey));
  Speed speed;
  for (const std::string& name : {family, preset + "/" + family}) {
    const auto found = lines.find(name);
    const double ratio = found == lines.end() ? 0 : number(found->second, 0);
    if (!(ratio > 0 && ratio < 1e6)) continue;
    speed.ratio = ratio;
    speed.known = true;
    speed.this_preset = name != family;
  }
  return speed;
}

void set_speed(const std::string& preset, const std::string& family, double ratio) {
  auto lines = named_lines(host::user_note(kSpeedKey));
  std::ostringstream value;
  value.imbue(std::locale::classic());
  value << ratio;
  lines[family] = lines[preset + "/" + family] = value.str();
  std::string text;
  for (const auto& [name, line] : lines) text += name + "=" + line + "\n";
  host::set_user_note(kSpeedKey, text);
}

}  // namespace geometry_transfer
