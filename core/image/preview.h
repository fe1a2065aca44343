// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include "geometry-transfer/transfer.h"

namespace geometry_transfer {

/// See ImagePart::preview. Throws Error as read_working_images() does, except that a placement outside the target is
/// allowed.
std::unique_ptr<Preview> make_preview(const Scene& scene, Size bounds, const Placement& placement = {});

}  // namespace geometry_transfer
