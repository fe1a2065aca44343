// SPDX-License-Identifier: GPL-3.0-or-later
/// Two ways out of a transfer that did not finish. Anything else that is thrown is a bug of ours.
#pragma once

#include <stdexcept>
#include <string>

namespace geometry_transfer {

/// Something the user can act on. what() is one sentence or two in the user's language, with the values and the way out.
class __attribute__((visibility("default"))) Error : public std::runtime_error {
 public:
  /// Whose turn it is: `input` - the request, the images or the selection; `model` - the checkpoint; `system` - memory, files,
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
