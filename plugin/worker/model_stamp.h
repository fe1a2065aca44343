// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects that the files of a kept model have changed.
#pragma once

#include <string>

namespace geometry_transfer::worker {

/// Returns name, size and time of all files of the model as a text. If it changes, the model must be loaded again.
/// Empty for a folder with more than 2000 entries: such a model is not kept. The limit exists because settings in a
/// foreign image may name any folder.
std::string stamp_of(const std::string& model);

/// Remembers the stamp of the model that was used last.
class KeptModel {
 public:
  /// Returns true if the loaded model may serve this transfer: it is the same one, its files have not changed, and its
  /// stamp is not empty. `model`: its folder or file.
  bool still_good(const std::string& model);

 private:
  std::string stamp_;
};

}  // namespace geometry_transfer::worker
