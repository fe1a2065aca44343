// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects that the files of a kept model have changed.
#pragma once

#include <string>

namespace geometry_transfer::worker {

/// Returns a text that changes when a file of the model changes, so that another model under the old name is loaded
/// anew. Empty for a folder with too many files to check at each transfer: such a model is not kept. The folder may
/// come from a stranger's image.
std::string stamp_of(const std::string& model);

/// Remembers the stamp of the model that was used last.
class KeptModel {
 public:
  /// Returns true if the model that is kept may serve this transfer: it is the same one, its files have not changed, and
  /// it may be kept at all. `model`: its folder or file.
  bool still_good(const std::string& model);

 private:
  std::string stamp_;
};

}  // namespace geometry_transfer::worker
