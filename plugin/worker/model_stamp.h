// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects that the files of a kept model have changed.
#pragma once

#include <string>

namespace geometry_transfer::worker {

/// Returns a text that changes when a file of the model changes, so that another model under the old name is loaded
/// anew. Empty for a folder with too many files to check at each transfer: such a model is not kept. The folder may
/// come from a stranger's image.
std::string stamp_of(const std::string& model);

}  // namespace geometry_transfer::worker
