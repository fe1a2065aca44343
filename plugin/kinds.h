// SPDX-License-Identifier: GPL-3.0-or-later
/// Kinds of geometry that a user can name instead of setting the edit's sliders.
#pragma once

#include <string>
#include <vector>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

struct Kind {
  const char* id;                     ///< "crack"; stays the same, saved files have it
  const char* label;                  ///< in the list, untranslated
  const char* name;                   ///< of the result's layer, with the reference's name for {0}; untranslated
  double own_material, show_through;  ///< Request's fields that the kind decides; "automatic" leaves them to the edit
};

/// The first is "automatic".
const std::vector<Kind>& kinds();
/// The first kind if there is none of that id.
const Kind& find_kind(const std::string& id);
/// Sets the fields that the kind decides, and no others.
void apply_kind(Request& request, const Kind& kind);

}  // namespace geometry_transfer
