// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects that the files of a kept model have changed.
#pragma once

#include <string>

namespace geometry_transfer::worker {

/// Returns name, size and time of all files of the model as a text. A changed text means that the model must be loaded
/// again. Empty for a folder with more than 2000 entries, because an image from elsewhere may name any folder: such a
/// model is not kept.
std::string stamp_of(const std::string& model);

/// Remembers the stamp of the model that was used last.
class KeptModel {
 public:
  /// Returns true if the model that is kept may serve this transfer: it is the same one, its files have not changed,
  /// and it may be kept at all. `model`: its folder or file.
  bool still_good(const std::string& model);

 private:
  std::string stamp_;
};

}  // namespace geometry_transfer::worker
