// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/loaded_reference.h"

#include "cli/image_file.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

constexpr int kSmallestSource = 8;  // pixels a side; a smaller source has no bare material to compare with
constexpr std::uint64_t kKeptBytes = std::uint64_t{64} << 20;  // of its layers at several scales and settings

}  // namespace

LoadedReference::LoadedReference(const std::string& colour_path, const std::string& mask_path, const StopRequested& stop)
    : picture(read_picture(colour_path, stop)), mask_picture(read_picture(mask_path, stop)), colour(picture), mask(mask_picture) {
  const Size a = picture.size(), b = mask_picture.size();
  if (a.width != b.width || a.height != b.height)
    throw error(Error::Kind::input,
                _("The mask \"{0}\" is {1} x {2} pixels, but its picture \"{3}\" is {4} x {5}: they must be "
                  "of one size."),
                mask_path, b.width, b.height, colour_path, a.width, a.height);
  if (a.width < kSmallestSource || a.height < kSmallestSource)
    throw error(Error::Kind::input,
                _("\"{0}\" is {1} x {2} pixels, too small to tell geometry from material: at least {3} x {3} are needed."),
                colour_path, a.width, a.height, kSmallestSource);
  if (mask.extent().empty())
    throw error(Error::Kind::input,
                mask_picture.has_alpha() ? _("The mask \"{0}\" is empty: every pixel is black or transparent.")
                                         : _("The mask \"{0}\" is empty: nothing in it is lighter than black."),
                mask_path);
  centre = mask.centre();
  cache = image_part().keep_reference(kKeptBytes, true);
}

}  // namespace geometry_transfer::cli
