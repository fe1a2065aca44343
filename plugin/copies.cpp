// SPDX-License-Identifier: GPL-3.0-or-later
#include "copies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace geometry_transfer {
namespace {

constexpr int kTries = 60;            // places that are tried for a copy
constexpr double kApart = 1.1;        // distance of two middles, in lengths, from which on copies do not overlap
constexpr double kTurn = 20;          // degrees
constexpr double kSizeOctaves = 0.4;  // doublings of the size
constexpr double kTwoPi = 6.283185307179586;

}  // namespace

std::vector<Placement> placements_of(const Copies& copies, const Placement& first, const Rect& selected, const Rect& target) {
  std::vector<Placement> all = {first};
  std::mt19937 random(static_cast<unsigned>(copies.seed));
  // Not a standard distribution: those differ between libraries.
  const auto uniform = [&](double low, double high) { return low + (high - low) * (random() / 4294967296.0); };
  const Parameter &scale = *find_parameter("scale"), &rotation = *find_parameter("rotation");
  const double length = std::max(1.0, double(std::max(selected.width, selected.height)) * first.scale);
  const double middle_x = selected.x + selected.width / 2.0, middle_y = selected.y + selected.height / 2.0;
  const auto inside = [&](const Placement& p) {
    const double x = middle_x + p.shift_x, y = middle_y + p.shift_y;
    return x >= target.x && x < target.right() && y >= target.y && y < target.bottom();
  };
  while (static_cast<int>(all.size()) < std::min(copies.count, Copies::kMost)) {
    Placement best = first;
    double best_distance = -1;
    for (int i = 0; i < kTries && best_distance < kApart * length; ++i) {
      Placement tried = first;
      const double angle = uniform(0, kTwoPi), radius = copies.spread * length * std::sqrt(uniform(0, 1));
      tried.shift_x = std::round(first.shift_x + radius * std::cos(angle));
      tried.shift_y = std::round(first.shift_y + radius * std::sin(angle));
      if (!inside(tried)) continue;
      double nearest = std::numeric_limits<double>::max();
      for (const Placement& other : all)
        nearest = std::min(nearest, std::hypot(tried.shift_x - other.shift_x, tried.shift_y - other.shift_y));
      if (nearest <= best_distance) continue;
      best = tried;
      best_distance = nearest;
    }
    best.scale = std::clamp(first.scale * std::exp2(uniform(-kSizeOctaves, kSizeOctaves)), scale.low, scale.high);
    best.rotation = std::clamp(first.rotation + uniform(-kTurn, kTurn), rotation.low, rotation.high);
    all.push_back(best);
  }
  return all;
}

}  // namespace geometry_transfer
