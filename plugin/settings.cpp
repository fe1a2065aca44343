// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings.h"

#include <cstdlib>
#include <locale>
#include <sstream>

#include "geometry-transfer/error.h"

namespace geometry_transfer {
namespace {

// Parasites: names and format stay as they are, saved files have them.
constexpr char kLayerKey[] = "geometry-transfer";
constexpr char kReportKey[] = "geometry-transfer-report";
constexpr char kLastKey[] = "geometry-transfer-last";
constexpr char kTimesKey[] = "geometry-transfer-seconds";

/// Lines "name=value"; values end at the line's end.
std::map<std::string, std::string> lines(const std::string& text) {
  std::map<std::string, std::string> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) found[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return found;
}

double number(const std::string& text, double fallback) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  double value;
  return in >> value ? value : fallback;
}

}  // namespace

std::string settings_text(const Remembered& settings) {
  std::string text;
  for (const Parameter& p : parameters()) {
    const std::string value = parameter_text(settings.request, p);
    if (value.find('\n') == std::string::npos) text += std::string(p.name) + "=" + value + "\n";
  }
  return text + "target-layer=" + std::to_string(settings.target) + "\nsource-layer=" + std::to_string(settings.source) + "\n";
}

Remembered parse_settings(const std::string& text) {
  Remembered settings;
  for (const auto& [name, value] : lines(text)) {
    if (name == "target-layer") settings.target = static_cast<unsigned>(number(value, 0));
    if (name == "source-layer") settings.source = static_cast<unsigned>(number(value, 0));
    if (!find_parameter(name)) continue;
    try {
      set_parameter_text(settings.request, name, value);
    } catch (const Error&) {  // written by another version: the default stands
    }
  }
  return settings;
}

bool layer_settings(host::Id layer, Remembered& settings) {
  const std::string text = host::layer_note(layer, kLayerKey);
  if (text.empty()) return false;
  settings = parse_settings(text);
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

double seconds_taken(const std::string& preset) {
  const auto times = lines(host::user_note(kTimesKey));
  const auto found = times.find(preset);
  return found == times.end() ? -1 : number(found->second, -1);
}

void set_seconds_taken(const std::string& preset, double seconds) {
  auto times = lines(host::user_note(kTimesKey));
  std::ostringstream value;
  value.imbue(std::locale::classic());
  value << seconds;
  times[preset] = value.str();
  std::string text;
  for (const auto& [name, taken] : times) text += name + "=" + taken + "\n";
  host::set_user_note(kTimesKey, text);
}

}  // namespace geometry_transfer
