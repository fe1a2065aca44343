// SPDX-License-Identifier: GPL-3.0-or-later
/// Kinds of geometry that a user can name instead of setting the edit's sliders.
#pragma once

#include <string>
#include <vector>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

struct Kind {
  const char* id;                     ///< "crack"; never changes, because saved files hold it
  const char* label;                  ///< in the list, untranslated
  const char* name;                   ///< of the result's layer, with the reference's name for {0}; untranslated
  double own_material, show_through;  ///< fields of Request that the kind sets; kAutomatic leaves them to the edit
};

/// Returns all kinds. The first is "automatic".
const std::vector<Kind>& kinds();
/// Returns the kind with that id, or the first kind if there is none.
const Kind& find_kind(const std::string& id);
/// Sets the fields that the kind decides, and no other.
void apply_kind(Request& request, const Kind& kind);

}  // namespace geometry_transfer
