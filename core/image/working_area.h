// SPDX-License-Identifier: GPL-3.0-or-later
/// Chooses the working rectangle: the part of the canvas that a transfer works on.
#pragma once

#include "image/image_pipeline.h"
#include "image/placement.h"

namespace geometry_transfer {

/// Returns the margin around the selection that the edit reads, in canvas pixels: grow + feather + 8 for bare material.
double margin_of(const Request& request);

/// Returns the working rectangle: a square around `geometry` (the placed selections on the canvas), moved and cut to
/// stay inside `target`. Its side is the geometry's longer side / request.context, but at least that side with the
/// margins. It is also at least native_side / 4 pixels, so that a tiny selection is enlarged 4 times at most. The
/// model's picture has about request.working_size * native_side pixels on its longer side. With `native_side` 0 (no
/// model) the rectangle is only what the edit reads. mask_share is left 0.
WorkingArea working_area(const cv::Rect2d& geometry, const Rect& target, const Request& request, int native_side,
                         int granularity);

/// Returns the size of views of `rect`, which is its own size. If `rect` exceeds 8 million pixels or 16384 pixels a
/// side, it is a smaller one of the same shape.
cv::Size view_size(const Rect& rect);

}  // namespace geometry_transfer
