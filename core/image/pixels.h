// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads rasters into cv::Mat through an affine map, and fills unknown pixels.
#pragma once

#include <opencv2/core.hpp>

#include "geometry-transfer/image.h"

namespace geometry_transfer {

/// A picture, and which of its pixels are known. `rgb`: CV_32FC3 R'G'B', finite everywhere; unknown pixels are filled
/// smoothly from known ones. `known`: CV_32FC1 in [0,1], 0 where the layer is transparent or not finite, and outside
/// it; empty if all is known.
struct Pixels {
  cv::Mat rgb, known;
};

inline cv::Rect2d to_rect2d(const Rect& r) { return cv::Rect2d(r.x, r.y, r.width, r.height); }
Rect intersect(const Rect& a, const Rect& b);

/// A 2x3 matrix that maps canvas coordinates (x, y, 1) to canvas coordinates (x, y). A pixel's centre is at half units.
using Affine = cv::Matx23d;
inline const Affine kIdentity(1, 0, 0, 0, 1, 0);
Affine inverse(const Affine& a);
cv::Point2d map(const Affine& a, cv::Point2d p);
/// Returns the factor by which the map scales lengths, as the root of its area factor.
double scale_of(const Affine& a);

/// Places `raster` by `place`, and returns `area` of the canvas at `size` pixels. Pixels are averaged if the raster
/// gets smaller, and interpolated (bicubic) otherwise. Moves by whole pixels and quarter turns copy pixels exactly.
Pixels sample_colour(const Raster& raster, const Affine& place, const Rect& area, cv::Size size);
/// Does the same for a mask. Returns CV_32FC1 in [0,1], 0 outside the mask's extent and for NaN.
cv::Mat sample_mask(const Raster& raster, const Affine& place, const Rect& area, cv::Size size);

/// Returns the map from a pixel index of a picture (`size` pixels over `area`) to a pixel index of another one
/// (`other_size` pixels over `other_area`). `back` maps canvas coordinates of `area` to those of `other_area`.
Affine index_map(const Affine& back, const Rect& area, cv::Size size, const Rect& other_area, cv::Size other_size);

/// Returns Rec. 601 luma of R'G'B' (CV_32FC3 -> CV_32FC1).
cv::Mat luma_of(const cv::Mat& rgb);

/// Fills the pixels whose weight (CV_32FC1) is 0 smoothly from the others (push-pull); a weight in (0, 1) mixes. Any
/// number of channels. Without any known pixel the picture becomes `fallback`.
void fill_unknown(cv::Mat& picture, const cv::Mat& weight, const cv::Scalar& fallback = cv::Scalar::all(0.5));

}  // namespace geometry_transfer
