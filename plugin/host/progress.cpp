// SPDX-License-Identifier: GPL-3.0-or-later
/// Progress in GIMP's status bar: the same calls in all versions of GIMP.
#include <libgimp/gimp.h>

#include "host/host.h"

namespace geometry_transfer::host {

void progress(double fraction, const std::string& text) {
  static bool begun = false;  // one process serves one call
  if (!begun) gimp_progress_init(text.c_str());
  begun = true;
  gimp_progress_set_text(text.c_str());
  gimp_progress_update(fraction);
}

void progress_end() { gimp_progress_end(); }

}  // namespace geometry_transfer::host
