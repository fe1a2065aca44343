// SPDX-License-Identifier: GPL-3.0-or-later
/// The relief as the transfer takes it from a source: any size, soft masks, missing pixels, structures kept while grain goes.
#pragma once

#include "image/own_material.h"
#include "image/relief.h"

namespace geometry_transfer {

struct CarveOptions {
  double grain = 1;          ///< Request::grain
  bool close_border = true;  ///< what may be the material's own tone at the selection's border is taken off (border.h)
  double own = 0;            ///< Request::own_material; above 0 fills Carving::own
  double show_through = 0;   ///< Request::show_through
};

/// What a source's geometry does to any target: fields that do not depend on the target, so that they may be placed, scaled up
/// and applied to pixels of another resolution.
struct Carving {
  Shading shading;
  OwnMaterial own;  ///< what keeps its own colours; empty unless asked for
};

/// rgb: CV_32FC3 source; mask: CV_32FC1 its selection, grown; support: CV_32FC1, > 0 where the result may show (the mask and its
/// feather); known: CV_32FC1 or empty (all). Outside the support the fields are neutral.
Carving carve(const cv::Mat& rgb, const cv::Mat& mask, const cv::Mat& support, const cv::Mat& known, const CarveOptions& options);

}  // namespace geometry_transfer
