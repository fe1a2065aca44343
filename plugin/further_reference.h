// SPDX-License-Identifier: GPL-3.0-or-later
/// References beside the main one, and the text that lists them: an argument of the procedure, and a line of what layers
/// remember.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer {

struct FurtherReference {
  std::int64_t layer = -1;  ///< its id in this session of GIMP; in what is remembered, its tattoo
  Reference::Role role = Reference::Role::geometry;
  double weight = 1;  ///< against the main reference's, or the target's own material's, 1
  static constexpr double kLeastWeight = 0.01, kMostWeight = 100;
};

inline bool operator==(const FurtherReference& a, const FurtherReference& b) {
  return a.layer == b.layer && a.role == b.role && a.weight == b.weight;
}

/// Of one transfer: the dialog has a row for each, a stranger's image lists as many as it likes.
constexpr std::size_t kMostReferences = 64;

/// Each "LAYER", "LAYER geometry|texture" or "LAYER geometry|texture WEIGHT", numbers in the C locale, with ";" between them;
/// empty: none. Throws Error (input) that holds the part that is none, or says how many they are where they are too many.
std::vector<FurtherReference> parse_references(const std::string& text);
std::string references_text(const std::vector<FurtherReference>& references);

}  // namespace geometry_transfer
