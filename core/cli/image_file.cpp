// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/image_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "cli/exif.h"
#include "cli/input_file.h"
#include "cli/jpeg_file.h"
#include "cli/output_file.h"
#include "cli/picture_raster.h"
#include "cli/png_chunks.h"
#include "cli/png_file.h"
#include "cli/tiff_file.h"
#include "request/memory.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

enum class Format { png, jpeg, tiff, other };

/// Detects the format by the file's first bytes.
Format format_of(const Bytes& file) {
  const auto starts_with = [&](const char* head, std::size_t size) {
    return file.size() >= size && std::memcmp(file.data(), head, size) == 0;
  };
  if (starts_with("\x89PNG\r\n\x1a\n", 8)) return Format::png;
  if (starts_with("\xff\xd8\xff", 3)) return Format::jpeg;
  for (const char* head : {"II*\0", "MM\0*", "II+\0", "MM\0+"})  // the last two: BigTIFF
    if (starts_with(head, 4)) return Format::tiff;
  return Format::other;
}

/// Refuses a file that is no picture by its first bytes. Then weighs it against the free memory before it is read.
Bytes read_bytes(const std::string& path, const StopRequested& stop) {
  const InputFile file(path);
  const Bytes head = file.read(16, stop);
  if (head.empty()) throw error(Error::Kind::input, _("\"{0}\" is empty."), path);
  if (format_of(head) == Format::other) throw error(Error::Kind::input, _("\"{0}\" is not a PNG, JPEG or TIFF picture."), path);
  constexpr std::uint64_t limit = std::uint64_t(1) << 32;
  if (file.size() >= limit) throw error(Error::Kind::input, _("\"{0}\" is damaged or too large: it cannot be decoded."), path);
  if (file.size() > free_memory())
    throw error(Error::Kind::system, "{0}: {1}", path, _("Out of memory: choose a smaller picture, or close other programs."));
  return file.read(file.size(), stop);
}

/// Applies an orientation of EXIF or TIFF, 1 to 8.
void turn_upright(Picture& picture, int orientation) {
  cv::Mat& pixels = picture.pixels;
  cv::Mat turned;
  if (orientation >= 5 && orientation <= 8) {
    cv::transpose(pixels, turned);
    pixels = turned;
    turned = cv::Mat();
    if (auto& r = picture.metadata.resolution) std::swap(r->x, r->y);
  }
  // After transposing, only mirroring is left to do.
  constexpr int rows = 0, columns = 1, both = -1, none = 2;
  static constexpr int flips[] = {none, columns, both, rows, none, columns, both, rows};
  const int flip = orientation >= 1 && orientation <= 8 ? flips[orientation - 1] : none;
  if (flip != none) {
    cv::flip(pixels, turned, flip);
    pixels = turned;
  }
  mark_upright(picture.metadata);
}

/// The ending in small ASCII letters (".tiff" for "A.TIFF"). tolower() would leave the I in a Turkish locale.
std::string lowercase_extension(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return ending;
}

Error cannot_hold(const std::string& path, Size size) {
  return error(Error::Kind::input, _("\"{0}\" cannot hold a picture of {1} x {2} pixels: choose another format."), path,
               size.width, size.height);
}

}  // namespace

void check_claim(const Claim& claim, const std::string& path) {
  if (claim.width == 0 || claim.height == 0)
    throw error(Error::Kind::input, _("\"{0}\" is damaged or too large: it cannot be decoded."), path);
  constexpr std::uint64_t side = 1 << 20, pixels = 1 << 30;
  if (claim.width > side || claim.height > side || claim.width * claim.height > pixels)
    throw error(Error::Kind::input,
                _("\"{0}\" is {1} x {2} pixels: pictures of up to {3} pixels a side and {4} million in all are read."), path,
                claim.width, claim.height, side, pixels / 1000000);
  if (!claim.possible)
    throw error(Error::Kind::input,
                _("\"{0}\" says that it is {1} x {2} pixels, but holds too few bytes for that: it is damaged."), path,
                claim.width, claim.height);
  const std::uint64_t free = free_memory();
  if (claim.bytes > free)
    throw error(Error::Kind::system,
                _("\"{0}\" is {1} x {2} pixels and needs {3} GB of memory, {4} GB are free: choose a smaller picture."), path,
                claim.width, claim.height, gigabytes(claim.bytes), gigabytes(free));
}

Picture read_picture(const std::string& path, const StopRequested& stop) {
  const Bytes bytes = read_bytes(path, stop);
  const Format format = format_of(bytes);
  Picture picture;
  int orientation = 1;
  if (format == Format::tiff) {
    picture = read_tiff(bytes, path, orientation, stop);
  } else {
    picture = format == Format::png ? read_png(bytes, path, stop) : read_jpeg(bytes, path, stop);
    orientation = exif_orientation(picture.metadata.exif);
  }
  turn_upright(picture, orientation);
  return picture;
}

void check_output(const std::string& path, int depth, bool alpha, Size size) {
  const std::string ending = lowercase_extension(path);
  const bool jpeg = ending == ".jpg" || ending == ".jpeg";
  if (!jpeg && ending != ".png" && ending != ".tif" && ending != ".tiff")
    throw error(Error::Kind::input, _("\"{0}\" must end in .png, .jpg, .jpeg, .tif or .tiff."), path);
  if (jpeg && depth != CV_8U)
    throw error(Error::Kind::input, _("\"{0}\": JPEG holds 8 bits a channel, but the target has 16. Choose .png or .tiff."),
                path);
  if (jpeg && alpha) throw error(Error::Kind::input, _("\"{0}\": JPEG holds no transparency. Choose .png or .tiff."), path);
  if (jpeg && (size.width > jpeg_largest_side || size.height > jpeg_largest_side)) throw cannot_hold(path, size);
  std::error_code none;
  if (fs::is_directory(path, none)) throw error(Error::Kind::input, _("\"{0}\" is a folder, not a file."), path);
  check_place(path);
}

Bytes encoded(const std::string& path, const Picture& picture, cv::Point offset, const StopRequested& stop) {
  const std::string ending = lowercase_extension(path);
  const bool png = ending == ".png";
  Picture written = picture;  // shares the pixels
  if (!png && picture.profile.empty()) written.profile = picture.implied_profile;
  if (png && picture.premultiplied) written.pixels = straight_alpha(picture);
  Bytes bytes;
  if (png)
    bytes = write_png(written, stop);
  else if (ending == ".tif" || ending == ".tiff")
    bytes = write_tiff(written, stop);
  else if (ending == ".jpg" || ending == ".jpeg")
    bytes = write_jpeg(written, stop);
  if (bytes.empty()) throw cannot_hold(path, picture.size());
  return png && offset != cv::Point() ? png_with_offset(bytes, offset.x, offset.y) : bytes;
}

}  // namespace geometry_transfer::cli
