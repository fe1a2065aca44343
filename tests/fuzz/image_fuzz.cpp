// SPDX-License-Identifier: GPL-3.0-or-later
/// Pictures as the command line reads them: target, mask, and the file that is written back with their profile.
#include "cli/image_file.h"

#include "../unit/safetensors_file.h"
#include "cli/exif.h"
#include "cli/mask_raster.h"
#include "cli/output_file.h"
#include "cli/picture_raster.h"
#include "cli/png_chunks.h"
#include "fuzz.h"

using namespace geometry_transfer;
using namespace geometry_transfer::cli;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // First our own parsers of containers and tags, which also see input that the libraries refuse.
  const Bytes bytes(data, data + size);
  png_is_whole(bytes), png_frames(bytes), png_claim(bytes);
  const Bytes profile = png_profile(bytes);
  if (profile.size() > (65u << 20)) std::abort();
  ColourProfile(profile, 3).is_used();
  Metadata metadata = png_metadata(bytes);
  png_implied_profile(metadata, false, 3);
  png_with_offset(png_with_metadata(bytes, metadata, Bytes(200, 7)), 3, -4);
  metadata.exif = metadata.xmp = bytes;
  mark_upright(metadata);
  if (exif_orientation(metadata.exif) != 1) std::abort();
  const Bytes tags = exif_of_tiff(bytes);
  if (tags.size() > (3u << 20) || exif_of_tiff(tags) != tags) std::abort();
  tiff_with_exif(bytes, tags);
  const fuzz::MemoryFile file(data, size);
  fuzz::refusing([&] {
    const Picture picture = read_picture(file.path());
    if (picture.pixels.empty()) std::abort();
    const Rect area = {0, 0, std::min(picture.pixels.cols, 40), std::min(picture.pixels.rows, 40)};
    std::vector<float> out(static_cast<std::size_t>(area.width) * area.height * 4);
    PictureRaster(picture).read(area, {area.width, area.height}, out.data());
    PictureRaster(picture).read(area, {(area.width + 1) / 2, (area.height + 1) / 2}, out.data());
    if (picture.pixels.total() > 1u << 20) return;  // a mask's range and centre are computed over the whole picture
    fuzz::refusing([&] {
      const MaskRaster mask(picture);
      const Rect all = mask.extent();
      if (!all.empty()) mask.read({all.x, all.y, 1, 1}, {1, 1}, out.data());
      const cv::Point2d centre = mask.centre();
      if (all.empty()) return;
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
