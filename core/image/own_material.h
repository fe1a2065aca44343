// SPDX-License-Identifier: GPL-3.0-or-later
/// Another material that a geometry lays bare: rust or plaster under paint, moss on a stone. It is the geometry's own, so it
/// keeps its colours on any target.
#pragma once

#include <opencv2/core.hpp>

namespace geometry_transfer {

struct OwnMaterial {
  cv::Mat colour;  ///< CV_32FC3: the other material's own colours, those beside it where a pixel is mixed
  cv::Mat share;   ///< CV_32FC1 in [0,1]: how much of each pixel shows it
};

/// Finds the other material.
///
/// The selection's pixels are taken as two materials (2-means of colour, in which light counts half). The bare one is that which
/// more of the selection's border shows; between the two means the share follows Fisher's discriminant, from a quarter of the way
/// to three quarters, so that mixed pixels along an edge are shared. A selection of one material is split all the same: whether
/// there is another one is for the caller to say. rgb: CV_32FC3 in [0,1]; mask: CV_32FC1, the selection is 0.5 and more; support:
/// CV_32FC1, shares are 0 where it is 0; known: CV_32FC1 or empty (all), likewise.
OwnMaterial own_material(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known);

}  // namespace geometry_transfer
