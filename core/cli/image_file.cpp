// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/image_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "cli/output_file.h"
#include "request/memory.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// libpng, libjpeg and libtiff write to stderr on their own; our one line says it better.
class Hush {
 public:
  Hush() : saved_(dup(STDERR_FILENO)) {
    std::fflush(stderr);
    if (const int nowhere = open("/dev/null", O_WRONLY); nowhere >= 0) {
      dup2(nowhere, STDERR_FILENO);
      close(nowhere);
    }
  }
  ~Hush() {
    std::fflush(stderr);
    if (saved_ < 0) return;
    dup2(saved_, STDERR_FILENO);
    close(saved_);
  }
  Hush(const Hush&) = delete;

 private:
  int saved_;
};

struct OpenFile {
  explicit OpenFile(int opened) : number(opened) {}
  ~OpenFile() {
    if (number >= 0) close(number);
  }
  OpenFile(const OpenFile&) = delete;
  const int number;
};

/// Refuses what is no file and what is no picture by its first bytes, then what memory cannot hold, before it is taken.
Bytes read_bytes(const std::string& path) {
  const auto cannot_open = [&] {
    return error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), path, std::strerror(errno));
  };
  // Not blocking: opening a named pipe that nobody writes would wait for ever.
  const OpenFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (file.number < 0 || fstat(file.number, &info) != 0) throw cannot_open();
  if (S_ISDIR(info.st_mode)) throw error(Error::Kind::input, _("\"{0}\" is a folder, not a picture."), path);
  if (!S_ISREG(info.st_mode)) throw error(Error::Kind::input, _("{0} is not a file."), path);
  const auto read_to = [&](Bytes& bytes, std::size_t size) {
    std::size_t done = bytes.size();
    for (bytes.resize(size); done < size;) {
      const ssize_t now = read(file.number, &bytes[done], size - done);
      if (now < 0 && errno != EINTR) throw cannot_open();
      if (now == 0) break;
      if (now > 0) done += static_cast<std::size_t>(now);
    }
    bytes.resize(done);
  };
  Bytes bytes;
  read_to(bytes, 16);
  if (bytes.empty()) throw error(Error::Kind::input, _("\"{0}\" is empty."), path);
  if (format_of(bytes) == Format::other) throw error(Error::Kind::input, _("\"{0}\" is not a PNG, JPEG or TIFF picture."), path);
  constexpr std::uint64_t limit = std::uint64_t(1) << 32;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size >= limit) throw error(Error::Kind::input, _("\"{0}\" is damaged or too large: it cannot be decoded."), path);
  if (size > free_memory())
    throw error(Error::Kind::system, "{0}: {1}", path, _("Out of memory: choose a smaller picture, or close other programs."));
  if (size > bytes.size()) read_to(bytes, size);
  return bytes;
}

/// What the header says, before memory is taken for it: OpenCV's limits, the file's own length, and what is free.
void check_size(const Bytes& bytes, const std::string& path) {
  const Claim claim = claimed_size(bytes);
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

cv::Mat decoded(const Bytes& bytes, const std::string& path) {
  if (ends_early(bytes)) throw error(Error::Kind::input, _("\"{0}\" is cut off: copy it again."), path);
  check_size(bytes, path);
  // A camera's JPEG is turned as its EXIF note says, which IMREAD_UNCHANGED would not do; the other formats may have alpha.
  const bool jpeg = format_of(bytes) == Format::jpeg;
  const int how = jpeg ? cv::IMREAD_ANYCOLOR | cv::IMREAD_ANYDEPTH : cv::IMREAD_UNCHANGED;
  cv::Mat pixels;
  try {
    const Hush hush;
    pixels = cv::imdecode(bytes, how);
  } catch (const cv::Exception& e) {
    if (e.code == cv::Error::StsNoMem) throw std::bad_alloc();
  }
  if (pixels.empty()) throw error(Error::Kind::input, _("\"{0}\" is damaged or too large: it cannot be decoded."), path);
  return pixels;
}

/// [0,1] from the stored numbers, and back.
double full_scale(int depth) { return depth == CV_8U ? 255 : 65535; }

/// `area` of `pixels` as float in [0,1]: stored channels, alpha last.
cv::Mat floats(const cv::Mat& pixels, const Rect& area) {
  cv::Mat out;
  pixels(cv::Rect(area.x, area.y, area.width, area.height)).convertTo(out, CV_32F, 1 / full_scale(pixels.depth()));
  return out;
}

cv::Mat resized(const cv::Mat& pixels, Size size) {
  if (pixels.cols == size.width && pixels.rows == size.height) return pixels;
  const bool smaller = size.width <= pixels.cols && size.height <= pixels.rows;
  cv::Mat out;
  cv::resize(pixels, out, {size.width, size.height}, 0, 0, smaller ? cv::INTER_AREA : cv::INTER_LINEAR);
  return out;
}

/// R'G'B'A of stored floats.
void to_rgba(const cv::Mat& stored, const ColourProfile& colours, cv::Mat rgba) {
  cv::Mat colour, alpha(stored.size(), CV_32FC1, cv::Scalar(1));
  if (stored.channels() == 4) cv::extractChannel(stored, alpha, 3);
  if (stored.channels() == 1)
    colour = stored;
  else
    cv::cvtColor(stored, colour, stored.channels() == 4 ? cv::COLOR_BGRA2RGB : cv::COLOR_BGR2RGB);
  cv::merge(std::vector<cv::Mat>{colours.to_srgb(colour), alpha}, rgba);  // merge counts channels, not Mats
}

/// So that what lies under transparent pixels does not bleed into its neighbours when they are averaged.
void times_alpha(cv::Mat& rgba, bool divide) {
  rgba.forEach<cv::Vec4f>([divide](cv::Vec4f& p, const int*) {
    const float k = !divide ? p[3] : p[3] > 0 ? 1 / p[3] : 0;
    for (int c = 0; c < 3; ++c) p[c] *= k;
  });
}

/// ".tiff" of "A.TIFF", in every locale: in a Turkish one tolower() leaves the I, in OpenCV too.
std::string small_ending(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
  return ending;
}

Error cannot_hold(const std::string& path, Size size) {
  return error(Error::Kind::input, _("\"{0}\" cannot hold a picture of {1} x {2} pixels: choose another format."), path,
               size.width, size.height);
}

}  // namespace

Picture read_picture(const std::string& path) {
  const Bytes bytes = read_bytes(path);
  Picture picture{path, decoded(bytes, path), embedded_profile(bytes)};
  if (picture.pixels.depth() != CV_8U && picture.pixels.depth() != CV_16U)
    throw error(Error::Kind::input, _("\"{0}\" has neither 8 nor 16 bits a channel: convert it first."), path);
  return picture;
}

PictureRaster::PictureRaster(const Picture& picture)
    : picture_(picture), colours_(picture.profile, picture.pixels.channels() == 1 ? 1 : 3) {}

void PictureRaster::read(const Rect& area, Size size, float* out) const {
  const bool as_it_is = size.width == area.width && size.height == area.height;
  cv::Mat to(size.height, size.width, CV_32FC4, out), rgba = as_it_is ? to : cv::Mat(area.height, area.width, CV_32FC4);
  // Some rows at a time, and at the same time: only they are copied on the way.
  constexpr int some = 64;
  cv::parallel_for_(cv::Range(0, (area.height + some - 1) / some), [&](const cv::Range& stripes) {
    for (int s = stripes.start; s < stripes.end; ++s) {
      const cv::Range rows(s * some, std::min((s + 1) * some, area.height));
      to_rgba(floats(picture_.pixels, {area.x, area.y + rows.start, area.width, rows.size()}), colours_, rgba.rowRange(rows));
    }
  });
  if (as_it_is) return;
  if (picture_.has_alpha()) times_alpha(rgba, false);
  cv::Mat made = resized(rgba, size);
  if (picture_.has_alpha()) times_alpha(made, true);
  made.copyTo(to);
}

MaskRaster::MaskRaster(const Picture& picture) {
  cv::Mat gray, opaque;
  if (picture.pixels.channels() == 1)
    gray = picture.pixels;
  else
    cv::cvtColor(picture.pixels, gray, picture.has_alpha() ? cv::COLOR_BGRA2GRAY : cv::COLOR_BGR2GRAY);
  if (picture.has_alpha()) {
    cv::extractChannel(picture.pixels, opaque, 3);
    cv::multiply(gray, opaque, gray, 1 / full_scale(gray.depth()));
  }
  const cv::Rect bounds = cv::boundingRect(gray.depth() == CV_8U ? gray : cv::Mat(gray > 0));
  bounds_ = {bounds.x, bounds.y, bounds.width, bounds.height};
  coverage_ = gray(bounds);
}

void MaskRaster::read(const Rect& area, Size size, float* out) const {
  const cv::Mat part = coverage_(cv::Rect(area.x - bounds_.x, area.y - bounds_.y, area.width, area.height));
  const double scale = 1 / full_scale(part.depth());
  cv::Mat to(size.height, size.width, CV_32FC1, out);
  // First each row to its length, some rows at a time, so that no float copy of a large mask is made.
  constexpr int some = 256;
  cv::Mat narrow = size.height == area.height ? to : cv::Mat(area.height, size.width, CV_32FC1);
  for (int y = 0; y < area.height; y += some) {
    const cv::Range rows(y, std::min(y + some, area.height));
    cv::Mat wide;
    part.rowRange(rows).convertTo(wide, CV_32F, scale);
    resized(wide, {size.width, wide.rows}).copyTo(narrow.rowRange(rows));
  }
  if (size.height != area.height) resized(narrow, size).copyTo(to);
}

cv::Point2d MaskRaster::centre() const {
  const cv::Moments m = cv::moments(coverage_);
  if (m.m00 <= 0) return {0, 0};
  return {bounds_.x + m.m10 / m.m00 + 0.5, bounds_.y + m.m01 / m.m00 + 0.5};  // moments() counts from pixel centres
}

void lay_over(Picture& picture, const Layer& layer) {
  cv::Mat& pixels = picture.pixels;
  const cv::Rect at = cv::Rect(layer.area.x, layer.area.y, layer.area.width, layer.area.height) & cv::Rect({}, pixels.size());
  if (at.empty()) return;
  const ColourProfile colours(picture.profile, pixels.channels() == 1 ? 1 : 3);
  const double scale = full_scale(pixels.depth());
  const int colour_channels = pixels.channels() == 1 ? 1 : 3, stored = pixels.channels();

  const auto blend_row = [&](int y) {
    const std::size_t first = (static_cast<std::size_t>(y - layer.area.y) * layer.area.width + (at.x - layer.area.x)) * 4;
    const cv::Mat rgba(1, at.width, CV_32FC4, const_cast<float*>(&layer.rgba[first]));
    cv::Mat rgb;
    cv::cvtColor(rgba, rgb, cv::COLOR_RGBA2RGB);
    const cv::Mat own = colours.from_srgb(rgb);
    const auto blend = [&](auto* row) {
      using T = std::decay_t<decltype(*row)>;
      for (int x = 0; x < at.width; ++x) {
        const float alpha = std::clamp(rgba.at<cv::Vec4f>(x)[3], 0.0f, 1.0f);
        if (!(alpha > 0)) continue;
        for (int c = 0; c < colour_channels; ++c) {
          const double over = own.ptr<float>()[x * colour_channels + (colour_channels - 1 - c)] * scale;  // stored B, G, R
          T& pixel = row[(at.x + x) * stored + c];
          pixel = cv::saturate_cast<T>(pixel + alpha * (over - pixel));
        }
      }
    };
    if (pixels.depth() == CV_8U)
      blend(pixels.ptr<unsigned char>(y));
    else
      blend(pixels.ptr<unsigned short>(y));
  };
  cv::parallel_for_(cv::Range(at.y, at.br().y), [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y) blend_row(y);
  });
}

Picture layer_picture(const Layer& layer, const Picture& like) {
  const cv::Mat rgba(layer.area.height, layer.area.width, CV_32FC4, const_cast<float*>(layer.rgba.data()));
  const bool gray = like.pixels.channels() == 1;
  cv::Mat rgb, alpha, bgra;
  cv::cvtColor(rgba, rgb, cv::COLOR_RGBA2RGB);
  cv::extractChannel(rgba, alpha, 3);
  if (!gray) rgb = ColourProfile(like.profile, 3).from_srgb(rgb);  // a gray profile does not describe R'G'B': sRGB then
  cv::cvtColor(rgb, rgb, cv::COLOR_RGB2BGR);
  cv::merge(std::vector<cv::Mat>{rgb, alpha}, bgra);
  Picture made{"", {}, gray ? Bytes{} : like.profile};
  bgra.convertTo(made.pixels, like.pixels.depth(), full_scale(like.pixels.depth()));
  return made;
}

void check_output(const std::string& path, int depth, bool alpha, Size size) {
  const std::string ending = small_ending(path);
  const bool jpeg = ending == ".jpg" || ending == ".jpeg";
  if (!jpeg && ending != ".png" && ending != ".tif" && ending != ".tiff")
    throw error(Error::Kind::input, _("\"{0}\" must end in .png, .jpg, .jpeg, .tif or .tiff."), path);
  if (jpeg && depth != CV_8U)
    throw error(Error::Kind::input, _("\"{0}\": JPEG holds 8 bits a channel, but the target has 16. Choose .png or .tiff."),
                path);
  if (jpeg && alpha) throw error(Error::Kind::input, _("\"{0}\": JPEG holds no transparency. Choose .png or .tiff."), path);
  constexpr int jpeg_side = 65500;  // libjpeg's; the format's own is 65535
  if (jpeg && (size.width > jpeg_side || size.height > jpeg_side)) throw cannot_hold(path, size);
  std::error_code none;
  if (fs::is_directory(path, none)) throw error(Error::Kind::input, _("\"{0}\" is a folder, not a picture."), path);
  check_place(path);
}

Bytes encoded(const std::string& path, const Picture& picture, cv::Point offset) {
  Bytes bytes;
  const std::string ending = small_ending(path);
  bool done = false;
  try {
    const Hush hush;
    done = cv::imencode(ending, picture.pixels, bytes);
  } catch (const cv::Exception& e) {
    if (e.code == cv::Error::StsNoMem) throw std::bad_alloc();
  }
  if (!done || bytes.empty()) throw cannot_hold(path, picture.size());
  const int channels = picture.pixels.channels() == 1 ? 1 : 3;
  if (ColourProfile(picture.profile, channels).is_used()) bytes = with_profile(bytes, picture.profile);
  if (offset != cv::Point()) bytes = with_offset(bytes, offset.x, offset.y);
  return bytes;
}

}  // namespace geometry_transfer::cli
