// SPDX-License-Identifier: GPL-3.0-or-later
#include "settings_text.h"

#include <limits>
#include <locale>
#include <sstream>

#include "geometry-transfer/error.h"
#include "kinds.h"

namespace geometry_transfer {
namespace {

/// 0, no layer's, where the text is no such number.
unsigned parse_tattoo(const std::string& text) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  long long value;
  return in >> value && value > 0 && value <= std::numeric_limits<unsigned>::max() ? static_cast<unsigned>(value) : 0;
}

}  // namespace

std::map<std::string, std::string> named_lines(const std::string& text) {
  std::map<std::string, std::string> found;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto equals = line.find('=');
    if (equals != std::string::npos) found[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return found;
}

std::string settings_text(const Remembered& settings) {
  std::string text;
  for (const Parameter& p : parameters()) {
    const std::string value = parameter_text(settings.request, p);
    if (value.find('\n') == std::string::npos) text += std::string(p.name) + "=" + value + "\n";
  }
  if (!settings.further.empty()) text += "further-layers=" + references_text(settings.further) + "\n";
  if (settings.kind != Remembered().kind) text += "kind=" + settings.kind + "\n";
  if (settings.separate) text += "separate-layers=true\n";
  if (settings.selection) text += "selection-channel=" + std::to_string(settings.selection) + "\n";
  if (!settings.selection_state.empty()) text += "selection-state=" + settings.selection_state + "\n";
  return text + "target-layer=" + std::to_string(settings.target) + "\nsource-layer=" + std::to_string(settings.source) + "\n";
}

Remembered parse_settings(const std::string& text) {
  Remembered settings;
  for (const auto& [name, value] : named_lines(text)) {
    if (name == "target-layer") settings.target = parse_tattoo(value);
    if (name == "source-layer") settings.source = parse_tattoo(value);
    if (name == "kind") settings.kind = find_kind(value).id;
    if (name == "separate-layers") settings.separate = value == "true";
    if (name == "selection-channel") settings.selection = parse_tattoo(value);
    if (name == "selection-state") settings.selection_state = value;
    if (name != "further-layers" && !find_parameter(name)) continue;
    try {
      if (name == "further-layers")
        settings.further = parse_references(value);
      else
        set_parameter_text(settings.request, name, value);
    } catch (const Error&) {  // written by another version: the default stands
    }
  }
  return settings;
}

}  // namespace geometry_transfer
