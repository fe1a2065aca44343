// SPDX-License-Identifier: GPL-3.0-or-later
/// Writes a transfer's structures to message fields and reads them back.
#pragma once

#include <vector>

#include "geometry-transfer/transfer.h"
#include "worker/channel.h"

namespace geometry_transfer::worker {

/// A raster without its pixels.
struct RasterShape {
  int channels = 0;
  Rect extent;
};

/// Returns the scene's rasters: the target, then colour and mask of each reference (null if it has none). Messages name
/// a raster by its index in this list.
std::vector<const Raster*> rasters_of(const Scene& scene);

void put_request(FieldWriter& to, const Request& request);
Request get_request(FieldReader& from);
/// Writes the scene without its pixels.
void put_scene(FieldWriter& to, const Scene& scene);
/// Reads such a scene. `raster(index, shape)` creates each raster.
Scene get_scene(FieldReader& from, const std::function<const Raster*(int, const RasterShape&)>& raster);
void put_report(FieldWriter& to, const Report& report);
Report get_report(FieldReader& from);
void put_error(FieldWriter& to, const Error& error);
Error get_error(FieldReader& from);

}  // namespace geometry_transfer::worker
