// SPDX-License-Identifier: GPL-3.0-or-later
/// Which part of the canvas a transfer works on.
#pragma once

#include "image/image_pipeline.h"
#include "image/placement.h"

namespace geometry_transfer {

/// Canvas pixels round the selection that the edit touches or looks at: grow, feather and a ring of bare material.
double margin_of(const Request& request);

/// The rectangle round `geometry` (the placed selections on the canvas): square where the target allows, the geometry's longer
/// side `request.context` of it, no smaller than a quarter of the model's side (a tiny selection is not blown up beyond 4), slid
/// and cut to stay inside `target`; with `native_side` 0, for the edit alone, just what the edit reads; the model sees it at
/// `request.working_size` of its own side. mask_share is left 0.
WorkingArea working_area(const cv::Rect2d& geometry, const Rect& target, const Request& request, int native_side,
                         int granularity);

/// Size of views of `rect`: its own, or as many pixels as fit into memory and time with the same shape.
cv::Size view_size(const Rect& rect);

}  // namespace geometry_transfer
