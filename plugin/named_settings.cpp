// SPDX-License-Identifier: GPL-3.0-or-later
#include "named_settings.h"

#include <algorithm>
#include <sstream>

#include "host/host.h"
#include "request/text.h"
#include "settings.h"
#include "settings_text.h"

namespace geometry_transfer {
namespace {

constexpr char kNamedKey[] = "geometry-transfer-named";  // of the user; its format stays as it is

bool belongs(const Parameter& p) { return p.group != Parameter::Group::placement && is_of_the_result(p); }

/// Sections "[name]", each followed by lines "parameter=value".
void store(const std::vector<NamedSettings>& all) {
  std::string text;
  for (const NamedSettings& named : all) {
    Remembered settings;
    settings.request = named.request;
    settings.kind = named.kind;
    text += "[" + named.name + "]\n" + settings_text(settings);
  }
  host::set_user_note(kNamedKey, text);
}

void remove(std::vector<NamedSettings>& all, const std::string& name) {
  all.erase(std::remove_if(all.begin(), all.end(), [&](const auto& named) { return named.name == name; }), all.end());
}

}  // namespace

std::vector<NamedSettings> named_settings() {
  std::vector<NamedSettings> all;
  std::string name, lines;
  const auto finish = [&] {
    if (name.empty()) return;
    const Remembered settings = parse_settings(lines);
    all.push_back({name, settings.request, settings.kind});
  };
  std::istringstream in(host::user_note(kNamedKey));
  for (std::string line; std::getline(in, line);) {
    if (line.size() > 2 && line.front() == '[' && line.back() == ']') {
      finish();
      name = line.substr(1, line.size() - 2);
      lines.clear();
    } else {
      lines += line + "\n";
    }
  }
  finish();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

void save_named(NamedSettings settings) {
  std::replace_if(
      settings.name.begin(), settings.name.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  if (settings.name.find_first_not_of(' ') == std::string::npos) throw error(Error::Kind::input, _("Give the settings a name."));
  std::vector<NamedSettings> all = named_settings();
  remove(all, settings.name);
  all.push_back(std::move(settings));
  store(all);
}

void delete_named(const std::string& name) {
  std::vector<NamedSettings> all = named_settings();
  remove(all, name);
  store(all);
}

void apply_named(const NamedSettings& named, Request& request, std::string& kind) {
  for (const Parameter& p : parameters())
    if (belongs(p)) p.set(request, p.get(named.request));
  kind = named.kind;
}

bool equals_named(const NamedSettings& named, const Request& request, const std::string& kind) {
  const auto same = [&](const Parameter& p) { return !belongs(p) || p.get(request) == p.get(named.request); };
  return kind == named.kind && std::all_of(parameters().begin(), parameters().end(), same);
}

}  // namespace geometry_transfer
