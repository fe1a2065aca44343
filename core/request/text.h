// SPDX-License-Identifier: GPL-3.0-or-later
/// Sentences for people: marked for gettext, translated when they are made, with values put in by position ({0}).
/// Include it after all torch headers, because torch and libintl both use the name `_`.
#pragma once

#include <fmt/format.h>
#include <libintl.h>

#include <string>

#include "geometry-transfer/error.h"

#define GT_TEXT_DOMAIN "geometry-transfer"
/// Translates at once.
#define _(text) dgettext(GT_TEXT_DOMAIN, text)
/// Marks a text for the template. translate() translates it later.
#define N_(text) text

namespace geometry_transfer {

/// Returns the folder of the catalogs: the one beside the program (locale/ as in a GIMP plug-in, or ../share/locale),
/// else the installed one.
std::string catalogs_folder();
/// Binds the catalogs. Call it once, after setlocale(), when a program starts.
void open_catalogs();
/// Returns the folder of the running executable; empty if it is unknown.
std::string program_folder();

/// Replaces control characters by "?", so that a stranger's text cannot control a terminal. New lines and tabs stay.
std::string harmless(std::string text);

/// Makes a stranger's text fit for a sentence: harmless, and at most `most` bytes, which is longer than any path.
std::string quoted(std::string text, std::size_t most = 1000);
inline std::string quoted(const char* text) { return quoted(std::string(text)); }
template <class Value>
const Value& quoted(const Value& value) {
  return value;
}

/// Puts values into a translated text. If the placeholders of a catalog are broken, the text is returned as it is.
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
