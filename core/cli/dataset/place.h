// SPDX-License-Identifier: GPL-3.0-or-later
/// Chooses the places of a target on which a defect may land.
#pragma once

#include <opencv2/core.hpp>
#include <optional>

#include "cli/dataset/random.h"
#include "geometry-transfer/image.h"
#include "geometry-transfer/request.h"

namespace geometry_transfer::cli {

/// The pixels that a placed mask covers, with those of its feather.
struct Footprint {
  cv::Mat covered;   ///< CV_8UC1, 255 where it covers
  cv::Point centre;  ///< of the mask, in its pixels
};

/// `mask` (with its centre of mass at `centre`, canvas pixels) scaled, stretched, flipped and rotated as `placement`
/// says; its shift is ignored. `margin`: pixels added all round.
Footprint footprint_of(const Raster& mask, cv::Point2d centre, const Placement& placement, double margin);

/// The pixels of one target that are still free.
class FreeArea {
 public:
  /// `place`: CV_8UC1 of the target's size, not 0 where geometry may lie; empty: everywhere. `avoid`: where it may not.
  /// `border`: pixels along the target's border that stay empty; negative: so many pixels of a footprint may lie
  /// outside.
  FreeArea(cv::Size target, const cv::Mat& place, const cv::Mat& avoid, int border);

  /// Draws a place for the footprint's centre where all of it is free; all such places are equally likely. Returns
  /// nothing after 500 failed draws.
  std::optional<cv::Point> draw(const Footprint& footprint, Random& random) const;
  /// Takes the footprint at `at` and `apart` pixels round it.
  void take(const Footprint& footprint, cv::Point at, int apart);

 private:
  bool fits(const Footprint& footprint, cv::Point top_left) const;
  cv::Mat taken_;  // CV_8UC1, not 0 where nothing may lie
  int outside_;    // pixels of a footprint that may lie outside
};

}  // namespace geometry_transfer::cli
