// SPDX-License-Identifier: GPL-3.0-or-later
/// The edit of one geometry as fields over a view, and their application to a target of any resolution.
#pragma once

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

struct Views;
/// The editing stage on `target`, which holds views.target's pixels (and may be it, where it is not needed afterwards).
void edit_onto(const Views& views, const Request& request, cv::Mat& target);

}  // namespace geometry_transfer
