// SPDX-License-Identifier: GPL-3.0-or-later
/// Sentences for people: marked for gettext, translated where they are made, values put in by position ({0}).
/// Include after any torch header: torch and libintl both like the name `_`.
#pragma once

#define FMT_HEADER_ONLY 1
#include <fmt/format.h>
#include <libintl.h>

#include <string>

#include "geometry-transfer/error.h"

#define GT_TEXT_DOMAIN "geometry-transfer"
/// Translates now.
#define _(text) dgettext(GT_TEXT_DOMAIN, text)
/// Marks for the template; translated later with translate().
#define N_(text) text

namespace geometry_transfer {

/// The catalogs: those beside the program (locale/, as a GIMP plug-in has them, or ../share/locale), else the installed ones.
std::string catalogs_folder();
/// Binds them. Once, where a program starts, after setlocale().
void open_catalogs();
/// The folder of the running executable; empty when it cannot be told.
std::string program_folder();

/// A stranger's text for people's eyes: what a terminal would obey is "?". New lines and tabs stay.
std::string harmless(std::string text);

/// A text as a sentence shows it: no longer than any path, where a stranger's file or script made it so, and harmless.
std::string quoted(std::string text, std::size_t most = 1000);
inline std::string quoted(const char* text) { return quoted(std::string(text)); }
template <class Value>
const Value& quoted(const Value& value) {
  return value;
}

/// Translated text with its values. A catalog whose placeholders are broken falls back to the text as it is.
template <class... Values>
std::string sentence(const char* translated, const Values&... values) {
  try {
    return fmt::format(fmt::runtime(translated), geometry_transfer::quoted(values)...);
  } catch (const fmt::format_error&) {
    return translated;
  }
}

/// throw error(Error::Kind::input, _("The selection is {0} x {1} pixels: ..."), w, h);
template <class... Values>
Error error(Error::Kind kind, const char* translated, const Values&... values) {
  return Error(kind, sentence(translated, values...));
}

}  // namespace geometry_transfer
