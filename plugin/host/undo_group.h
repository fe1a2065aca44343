// SPDX-License-Identifier: GPL-3.0-or-later
/// Several changes as one undo step.
#pragma once

#include "host/host.h"

namespace geometry_transfer {

/// Groups the changes of its lifetime into one undo step. A group inside another one is part of it.
class UndoGroup {
 public:
  explicit UndoGroup(host::Id image) : image_(image) { host::undo_group_begin(image_); }
  ~UndoGroup() { host::undo_group_end(image_); }
  UndoGroup(const UndoGroup&) = delete;

 private:
  host::Id image_;
};

}  // namespace geometry_transfer
