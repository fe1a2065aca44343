// SPDX-License-Identifier: GPL-3.0-or-later
#include "kinds.h"

#include <algorithm>

#include "request/text.h"

namespace geometry_transfer {
const std::vector<Kind>& kinds() {
  // The last two columns are own_material and show_through: 0 switches them off, 1 keeps all of the own material. Water
  // leaves out half of its brightening, see "Physical cases" in docs/quality.md.
  static const std::vector<Kind> table = {
      {"automatic", N_("Automatic"), N_("Geometry from {0}"), kAutomatic, kAutomatic},
      {"crack", N_("Crack"), N_("Crack from {0}"), 0, 0},
      {"hole", N_("Hole or dent"), N_("Hole from {0}"), 0, 0},
      {"water", N_("Water"), N_("Water from {0}"), 0, 0.5},
      {"chipped", N_("Chipped paint or rust"), N_("Chipped paint from {0}"), 1, 0},
      {"scratches", N_("Scratches"), N_("Scratches from {0}"), 0, 0},
  };
  return table;
}

const Kind& find_kind(const std::string& id) {
  const auto found = std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return id == kind.id; });
  return found == kinds().end() ? kinds().front() : *found;
}

void apply_kind(Request& request, const Kind& kind) {
  request.own_material = kind.own_material;
  request.show_through = kind.show_through;
}

}  // namespace geometry_transfer
