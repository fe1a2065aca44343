// SPDX-License-Identifier: GPL-3.0-or-later
/// Settings that the user has given a name, to be chosen again for other pictures. GIMP keeps them with this user's own
/// settings.
#pragma once

#include <string>
#include <vector>

#include "geometry-transfer/request.h"

namespace geometry_transfer {

/// Everything that decides the look of a result, except its placement. Device, precision, threads and memory are left
/// out, because they belong to the machine.
struct NamedSettings {
  std::string name;
  Request request;
  std::string kind = "automatic";  ///< see kinds.h
};

/// Returns all, sorted by name. Never throws: text that cannot be read is left out.
std::vector<NamedSettings> named_settings();
/// Stores the settings and replaces those of the same name. Line breaks in the name become spaces.
/// Throws Error (input) if the name is empty.
void save_named(NamedSettings settings);
/// Does nothing if there are none of that name.
void delete_named(const std::string& name);

/// Copies what `named` decides into a request and a kind, and leaves the rest.
void apply_named(const NamedSettings& named, Request& request, std::string& kind);
/// Returns true if apply_named would change nothing.
bool equals_named(const NamedSettings& named, const Request& request, const std::string& kind);

}  // namespace geometry_transfer
