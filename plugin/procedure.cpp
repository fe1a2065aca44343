// SPDX-License-Identifier: GPL-3.0-or-later
#include "procedure.h"

#include <glib.h>
#include <unistd.h>

#include <clocale>

namespace geometry_transfer {
namespace {

/// Returns `name` in the plug-in's own folder if it is there, else `installed`.
std::string beside(const char* name, const char* installed) {
  gchar* program = g_file_read_link("/proc/self/exe", nullptr);
  if (!program) return installed;
  gchar* folder = g_path_get_dirname(program);
  gchar* path = g_build_filename(folder, name, nullptr);
  const std::string found = g_file_test(path, G_FILE_TEST_EXISTS) ? path : installed;
  g_free(path);
  g_free(folder);
  g_free(program);
  return found;
}

}  // namespace

std::string argument_help(const Parameter& p) {
  std::string allowed;
  switch (p.kind) {
    case Parameter::Kind::boolean:
      allowed = "TRUE, FALSE";
      break;
    case Parameter::Kind::integer:
    case Parameter::Kind::real:
      allowed = sentence("{0} <= {1} <= {2}", p.low, p.name, p.high);
      break;
    case Parameter::Kind::choice:
      if (p.group == Parameter::Group::preset) allowed = "\"" + std::string(kSuitingPreset) + "\"";
      for (const Choice& c : p.choices) allowed += (allowed.empty() ? "\"" : ", \"") + std::string(c.id) + "\"";
      break;
    case Parameter::Kind::text:
      allowed = "text";
      break;
  }
  const bool preset = p.group == Parameter::Group::preset;
  return sentence("{0} ({1}; default {2})", p.blurb, allowed, preset ? kSuitingPreset : parameter_text(Request{}, p));
}

void set_argument(Request& request, const Parameter& p, const Value& value) {
  if (p.group == Parameter::Group::preset && value == Value(std::string(kSuitingPreset)))
    request.preset = kSuitingPreset;  // run() knows the model
  else
    set_parameter(request, p.name, value);
}

std::string references_help() { return sentence("{0} (text; default {1})", kReferencesHelp, ""); }

std::string separate_layers_help() { return sentence("{0} (TRUE, FALSE; default {1})", kSeparateLayersHelp, "false"); }

void start_texts() {
  std::setlocale(LC_ALL, "");
  open_catalogs();
  textdomain(GT_TEXT_DOMAIN);
}

std::string icon_file() {
  const std::string path = beside("geometry-transfer.svg", GT_ICON_FILE);
  return g_file_test(path.c_str(), G_FILE_TEST_EXISTS) ? path : "";
}

}  // namespace geometry_transfer
