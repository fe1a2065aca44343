// SPDX-License-Identifier: GPL-3.0-or-later
/// Decisions of the edit, and what a user should know about them.
#pragma once

#include <string>

#include "request.h"

namespace geometry_transfer {

/// Measures of the first geometry, and the values that the edit takes for sliders on automatic.
struct GeometryDecisions {
  double own_material = 0;  ///< [0,1]: greatest share of own material in the selection
  double show_through = 0;  ///< [0,1]: share of broad brightening that is removed; above 0 for water only
  double strength = 1;      ///< [1, 1.8]: above 1 if the geometry would hardly be seen in the target's own texture
  bool water = false;       ///< true for drops: their reflections turn with them
  /// Vector from the dark to the bright side in the reference, x right, y down, length 0 to 1.5. 0: no direction found.
  double light_x = 0, light_y = 0;
};

/// Returns a warning in the user's language if the request turns drops by more than 20 degrees against the light, or
/// mirrors them. Their reflections then have the wrong side. Returns an empty text otherwise.
std::string light_warning(const GeometryDecisions& decided, const Request& request);

}  // namespace geometry_transfer
