// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/loaded_source.h"

#include "cli/image_file.h"
#include "request/text.h"

namespace geometry_transfer::cli {

LoadedSource::LoadedSource(const std::string& colour_path, const std::string& mask_path)
    : picture(read_picture(colour_path)), mask_picture(read_picture(mask_path)), colour(picture), mask(mask_picture) {
  const Size a = picture.size(), b = mask_picture.size();
  if (a.width != b.width || a.height != b.height)
    throw error(Error::Kind::input,
                _("The mask \"{0}\" is {1} x {2} pixels, but its picture \"{3}\" is {4} x {5}: they must "
                  "be of one size."),
                mask_path, b.width, b.height, colour_path, a.width, a.height);
  if (mask.extent().empty())
    throw error(Error::Kind::input, _("The mask \"{0}\" is empty: nothing in it is lighter than black."), mask_path);
  centre = mask.centre();
}

}  // namespace geometry_transfer::cli
