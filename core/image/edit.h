// SPDX-License-Identifier: GPL-3.0-or-later
/// The edit of one geometry as fields over a view, and their application to a target of any resolution.
#pragma once

#include <vector>

#include "geometry-transfer/request.h"
#include "image/carve.h"

namespace geometry_transfer {

struct EditFields {
  cv::Mat support;  ///< CV_32FC1: > 0 where the edit shows
  Carving carving;  ///< Colour::shading
  cv::Mat paste;    ///< CV_32FC3: the placed source, where the request keeps some of its colours
};

/// feather in view pixels.
EditFields edit_fields(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& mask, double feather, const Request& request);

/// What the paper adds to the pasted geometry, per channel: the difference of the means under the mask (Colour::mean), or on a
/// ring of bare material round it (Colour::surround; where there is none, as mean). All of one size.
cv::Scalar colour_shift(const cv::Mat& placed, const cv::Mat& known, const cv::Mat& target, const cv::Mat& mask, Colour colour);

/// Edits `target` (CV_32FC3, any resolution of the same area) in place where the support is not 0.
void apply_fields(const EditFields& fields, const cv::Scalar& shift, const Request& request, cv::Mat& target);

/// One reference's edit, placed over the target.
struct PlacedEdit {
  EditFields fields;
  cv::Scalar shift;   ///< see colour_shift
  cv::Mat mask;       ///< CV_32FC1 in [0,1], all of one size
  double weight = 1;  ///< > 0
};

/// Edits `target` by all of them, one after the other. Those whose masks coincide (they share more than half of what they cover
/// together) are pictures of the same geometry: their changes are averaged by weight, since one on top of the other would carve
/// it twice. Exactly the target where no support is.
void apply_edits(const std::vector<PlacedEdit>& edits, const Request& request, cv::Mat& target);

struct Views;
/// The editing stage on `target`, which holds views.target's pixels (and may be it, where it is not needed afterwards).
void edit_onto(const Views& views, const Request& request, cv::Mat& target);

}  // namespace geometry_transfer
