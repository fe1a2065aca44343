// SPDX-License-Identifier: GPL-3.0-or-later
#include "geometry-transfer/decisions.h"

#include <cmath>

#include "request/text.h"

namespace geometry_transfer {

std::string light_warning(const GeometryDecisions& decided, const Request& request) {
  constexpr double kSmallTurn = 20;  // degrees
  const double against_the_light = std::remainder(request.placement.rotation - request.turn_light, 360);
  const bool turned = request.placement.flip || std::abs(against_the_light) > kSmallTurn;
  if (!decided.water || !turned || request.colour != Colour::shading) return "";
  return _("Reflections in drops turn with the drops. If that shows, turn the drops less, or do not mirror them.");
}

}  // namespace geometry_transfer
