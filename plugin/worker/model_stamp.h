// SPDX-License-Identifier: GPL-3.0-or-later
/// Detects that the files of a kept model have changed.
#pragma once

#include <string>
#include <vector>

namespace geometry_transfer::worker {

/// Returns name, size and time of all files of the model as a text. If it changes, the model must be loaded again.
/// Empty for a folder with more than 2000 entries: such a model is not kept. The limit exists because settings in a
/// foreign image may name any folder.
std::string stamp_of(const std::string& model);

/// Returns the model's folder or file, and what links in it lead to.
std::vector<std::string> places_of(const std::string& model);

/// Remembers the stamp of the model that was used last. The model itself is in the session.
class LastModel {
 public:
  /// Remembers the stamp of `model` (its folder or file). Returns true if it equals the stamp before and is not empty;
  /// then the loaded model may serve this transfer.
  bool update(const std::string& model);

 private:
  std::string stamp_;
};

}  // namespace geometry_transfer::worker
