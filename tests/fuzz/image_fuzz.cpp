// SPDX-License-Identifier: GPL-3.0-or-later
/// Pictures as the command line reads them: target, mask, and what is written back with the profile that was found.
#include "cli/image_file.h"

#include "../unit/safetensors_file.h"
#include "cli/embedded_profile.h"
#include "cli/output_file.h"
#include "fuzz.h"

using namespace geometry_transfer;
using namespace geometry_transfer::cli;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The containers' own parser first: it sees what OpenCV would refuse, too.
  const Bytes bytes(data, data + size);
  if (size >= 16 && format_of(bytes) != Format::other) {
    const Claim claim = claimed_size(bytes);
    if (claim.width == 0 && claim.bytes != 0) std::abort();
    ends_early(bytes);
    const Bytes profile = embedded_profile(bytes);
    if (profile.size() > (64u << 20)) std::abort();
    const Bytes mine(200, 7);
    if (with_profile(bytes, mine).size() > 2 * bytes.size() + 4096) std::abort();
    with_offset(bytes, 3, -4);
    ColourProfile(profile, 3).is_used();
  }
  const fuzz::MemoryFile file(data, size);
  fuzz::refusing([&] {
    const Picture picture = read_picture(file.path());
    if (picture.pixels.empty()) std::abort();
    const Rect area = {0, 0, std::min(picture.pixels.cols, 40), std::min(picture.pixels.rows, 40)};
    std::vector<float> out(static_cast<std::size_t>(area.width) * area.height * 4);
    PictureRaster(picture).read(area, {area.width, area.height}, out.data());
    PictureRaster(picture).read(area, {(area.width + 1) / 2, (area.height + 1) / 2}, out.data());
    if (picture.pixels.total() > 1u << 20) return;  // a mask's gray and centre are of the whole picture
    fuzz::refusing([&] {
      const MaskRaster mask(picture);
      const Rect all = mask.extent();
      if (!all.empty()) mask.read({all.x, all.y, 1, 1}, {1, 1}, out.data());
      const cv::Point2d centre = mask.centre();
      if (!(centre.x >= 0 && centre.x <= picture.pixels.cols && centre.y >= 0 && centre.y <= picture.pixels.rows)) std::abort();
    });
    Picture changed = picture;
    Layer layer;
    layer.area = {-3, -2, 8, 7};
    layer.rgba.assign(8 * 7 * 4, 0.5f);
    lay_over(changed, layer);
    if (picture.pixels.total() > 1u << 12) return;
    static const test::TemporaryFolder folder;
    const char* names[] = {"out.png", "out.jpg", "out.tiff", "out.gif", "none/out.png", ""};
    const std::string name = names[size % 6];
    check_output(folder / name, changed.pixels.depth(), changed.has_alpha(), changed.size());  // an Error where it cannot be
    write_file(folder / name, encoded(folder / name, changed, {1, -2}));
    if (read_picture(folder / name).size().width != picture.size().width) std::abort();
    layer_picture(layer, picture);
  });
  return 0;
}
