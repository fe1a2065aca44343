// SPDX-License-Identifier: GPL-3.0-or-later
/// A request as the text that layers and the user's last values keep. An image from a stranger brings its own: nothing
/// is taken for granted.
#pragma once

#include <map>
#include <string>

#include "further_reference.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// A run, as its result layer and the user's last values remember it. Layers and channels by tattoo, 0: not known.
struct Remembered {
  Request request;
  unsigned target = 0, source = 0;
  std::vector<FurtherReference> further = {};
  std::string kind = "automatic";    ///< see kinds.h
  bool separate = false;             ///< made as a group of layers
  unsigned selection = 0;            ///< the channel that keeps the selection
  std::string selection_state = {};  ///< identifies that selection, see kept_selection.h
};

/// "name=value" lines in the C locale.
std::string settings_text(const Remembered& settings);
/// A value that cannot be read, or is out of range, keeps its default.
Remembered parse_settings(const std::string& text);

/// Lines "name=value"; values end at the line's end.
std::map<std::string, std::string> named_lines(const std::string& text);

}  // namespace geometry_transfer
