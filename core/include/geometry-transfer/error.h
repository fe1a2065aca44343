// SPDX-License-Identifier: GPL-3.0-or-later
/// The exceptions by which a transfer ends without a result. Any other exception is a bug.
#pragma once

#include <stdexcept>
#include <string>

namespace geometry_transfer {

/// A failure that the user can act on. what() is one or two sentences in the user's language, with the values and the
/// way out.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  /// The cause: `input` - the request, the images or the selection; `model` - the checkpoint; `system` - memory, files,
  /// libraries.
  enum class Kind { input, model, system };
  Error(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// The progress callback asked to stop. Nothing was written.
class __attribute__((visibility("default"))) Cancelled : public std::runtime_error {
 public:
  Cancelled() : std::runtime_error("cancelled") {}
};

}  // namespace geometry_transfer
