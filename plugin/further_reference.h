// SPDX-License-Identifier: GPL-3.0-or-later
/// References beside the main one, and the text that lists them. The text is an argument of the procedure and a line of
/// a layer's note.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer {

struct FurtherReference {
  std::int64_t layer = -1;  ///< its id in this session of GIMP; in notes, its tattoo
  Reference::Role role = Reference::Role::geometry;
  double weight = 1;  ///< relative to the weight 1 of the main reference, or of the target's own material
  static constexpr double kLeastWeight = 0.01, kMostWeight = 100;
};

inline bool operator==(const FurtherReference& a, const FurtherReference& b) {
  return a.layer == b.layer && a.role == b.role && a.weight == b.weight;
}

/// Limit for one transfer. The dialog has a row for each, and the note of a stranger's image may list any number.
constexpr std::size_t kMostReferences = 64;

/// Parses a list of "LAYER", "LAYER geometry|texture" or "LAYER geometry|texture WEIGHT" with ";" between. Numbers are
/// in the C locale. An empty text gives an empty list. Throws Error (input) with the wrong part, or with the number of
/// references if there are too many.
std::vector<FurtherReference> parse_references(const std::string& text);
std::string references_text(const std::vector<FurtherReference>& references);

}  // namespace geometry_transfer
