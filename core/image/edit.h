// SPDX-License-Identifier: GPL-3.0-or-later
/// Puts the layers of geometries on a target of any resolution.
#pragma once

#include <vector>

#include "geometry-transfer/request.h"
#include "image/relief/layers.h"

namespace geometry_transfer {

/// One reference's edit, placed over the target. All fields have one size, which may be smaller than the target's.
struct PlacedEdit {
  cv::Mat support;        ///< CV_32FC1: > 0 where the edit shows
  cv::Mat mask;           ///< CV_32FC1 in [0,1]
  GeometryLayers layers;  ///< Colour::shading
  cv::Mat paste;          ///< CV_32FC3: the placed reference; empty if no pixel keeps its own colour
  cv::Scalar shift;       ///< Colour::mean, surround: see colour_shift
  double strength = 1;    ///< of the layers, 0 to 2
  double weight = 1;      ///< > 0
};

/// Returns the shift to add to each channel of `placed`: the target's mean minus the mean of `placed`. Colour::mean
/// takes the means under the mask, as the paper does. Colour::surround takes them on a ring of bare material around it,
/// or under the mask if there is no ring. All pictures have one size.
cv::Scalar colour_shift(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& target, const cv::Mat& mask, Colour colour);

/// Returns the strength, 1 to 1.8, that makes a dark geometry as visible on the target as in its reference. Visibility
/// is the geometry's depth, divided by the spread of log luma around it. The target's visibility is raised to that in
/// the reference, but to 1.2 at most. Returns 1 if the geometry is visible anyway, or hardly visible in the reference.
/// `support`: see PlacedEdit; over the target's area, of any size.
double automatic_strength(const SplitGeometry& split, const cv::Mat& target, const cv::Mat& support);

/// Edits `target` (CV_32FC3, any resolution of the same area) in place by all edits, one after the other. Masks whose
/// intersection is more than half of their union show the same geometry. Their changes are averaged by weight, because
/// applying both would count the geometry twice. Pixels with support 0 keep their exact values.
void apply_edits(const std::vector<PlacedEdit>& edits, const Request& request, cv::Mat& target);

struct WorkingImages;
/// Returns the edit of each geometry, placed over the target at the view's size. `decided` receives the first
/// geometry's decisions, unless it is null.
std::vector<PlacedEdit> placed_edits(const WorkingImages& images, const Request& request, GeometryDecisions* decided = nullptr);

/// Returns rows [top, top + height) of a picture of `full` size, interpolated from `field`, which shows all of it at
/// any size. Empty if `field` is empty.
cv::Mat rows_of(const cv::Mat& field, cv::Size full, int top, int height);

/// Edits `target` in place: images.target itself, or a copy of it. `decided` receives the first geometry's decisions,
/// unless it is null.
void edit_onto(const WorkingImages& images, const Request& request, cv::Mat& target, GeometryDecisions* decided = nullptr);

}  // namespace geometry_transfer
