// SPDX-License-Identifier: GPL-3.0-or-later
/// Whether a model that is kept is still the one on the disk.
#pragma once

#include <string>

namespace geometry_transfer::worker {

/// Changes when a file of the model does: another model under the old name is loaded anew. Empty for a folder that holds too much
/// to look at for each transfer: no model, or one that is not kept. A stranger's image names any folder.
std::string stamp_of(const std::string& model);

}  // namespace geometry_transfer::worker
