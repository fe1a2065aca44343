// SPDX-License-Identifier: GPL-3.0-or-later
/// libpng reports errors by longjmp. So each function that calls it sets its own jump target and holds no object with a
/// destructor.
#include "cli/png_file.h"

#include <png.h>

#include <cstring>
#include <new>

#include "cli/colour_profile.h"
#include "cli/png_chunks.h"
#include "geometry-transfer/progress.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

constexpr int kRowsBetweenPolls = 16;

enum class Outcome { done, failed, stopped };

/// Swap bytes of 16-bit samples: PNG's are big-endian.
bool little_endian() {
  const std::uint16_t one = 1;
  unsigned char first;
  std::memcpy(&first, &one, 1);
  return first == 1;
}

class Reader {
 public:
  explicit Reader(const Bytes& file) : file_(file) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, fail, warn);
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw std::bad_alloc();
    }
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;

  /// Reads up to the first pixels and sets the conversions.
  Outcome read_header() {
    if (setjmp(png_jmpbuf(png_))) return Outcome::failed;
    png_set_read_fn(png_, this, take);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);             // check_claim() decided before
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);  // png_chunks.h reads them
    png_read_info(png_, info_);
    png_set_expand(png_);
    if (little_endian()) png_set_swap(png_);
    passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return Outcome::done;
  }

  int type() const { return CV_MAKETYPE(png_get_bit_depth(png_, info_) == 16 ? CV_16U : CV_8U, png_get_channels(png_, info_)); }
  cv::Size size() const {
    return {static_cast<int>(png_get_image_width(png_, info_)), static_cast<int>(png_get_image_height(png_, info_))};
  }
  std::size_t row_bytes() const { return png_get_rowbytes(png_, info_); }

  /// Fills `pixels`, which has the header's size and type.
  Outcome read_rows(cv::Mat& pixels, const StopRequested& stop) {
    if (setjmp(png_jmpbuf(png_))) return Outcome::failed;
    for (int pass = 0; pass < passes_; ++pass)
      for (int y = 0; y < pixels.rows; ++y) {
        if (y % kRowsBetweenPolls == 0 && stop && stop()) return Outcome::stopped;
        png_read_row(png_, pixels.ptr(y), nullptr);
      }
    png_read_end(png_, nullptr);
    return Outcome::done;
  }

  const char* message() const { return message_; }
  const char* warning() const { return warning_; }

 private:
  static void take(png_structp png, png_bytep to, std::size_t size) {
    Reader& self = *static_cast<Reader*>(png_get_io_ptr(png));
    if (size > self.file_.size() - self.at_) png_error(png, "unexpected end of file");
    std::memcpy(to, self.file_.data() + self.at_, size);
    self.at_ += size;
  }
  static void fail(png_structp png, png_const_charp text) {
    Reader& self = *static_cast<Reader*>(png_get_error_ptr(png));
    std::strncpy(self.message_, text, sizeof self.message_ - 1);
    png_longjmp(png, 1);
  }
  /// Keeps the first.
  static void warn(png_structp png, png_const_charp text) {
    Reader& self = *static_cast<Reader*>(png_get_error_ptr(png));
    if (self.warning_[0] == 0) std::strncpy(self.warning_, text, sizeof self.warning_ - 1);
  }

  const Bytes& file_;
  std::size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  char message_[160] = {}, warning_[160] = {};
};

class Writer {
 public:
  Writer() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, fail, ignore);
    if (png_) info_ = png_create_info_struct(png_);
    if (!info_) {
      png_destroy_write_struct(&png_, &info_);
      throw std::bad_alloc();
    }
  }
  ~Writer() { png_destroy_write_struct(&png_, &info_); }
  Writer(const Writer&) = delete;

  Outcome write(const cv::Mat& pixels, const StopRequested& stop) {
    static constexpr int kinds[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
    if (setjmp(png_jmpbuf(png_))) return Outcome::failed;
    png_set_write_fn(png_, this, give, nullptr);
    // Fast and nearly as small as the default for photographs: neighbouring differences, runs only.
    png_set_filter(png_, PNG_FILTER_TYPE_BASE, PNG_FILTER_SUB);
    png_set_compression_level(png_, 1);
    png_set_compression_strategy(png_, 3);  // Z_RLE
    png_set_IHDR(png_, info_, static_cast<png_uint_32>(pixels.cols), static_cast<png_uint_32>(pixels.rows),
                 pixels.depth() == CV_8U ? 8 : 16, kinds[pixels.channels() - 1], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png_, info_);
    if (pixels.depth() == CV_16U && little_endian()) png_set_swap(png_);
    for (int y = 0; y < pixels.rows; ++y) {
      if (y % kRowsBetweenPolls == 0 && stop && stop()) return Outcome::stopped;
      png_write_row(png_, const_cast<png_bytep>(pixels.ptr(y)));
    }
    png_write_end(png_, info_);
    return Outcome::done;
  }

  Bytes out;
  bool out_of_memory = false;

 private:
  static void give(png_structp png, png_bytep from, std::size_t size) {
    Writer& self = *static_cast<Writer*>(png_get_io_ptr(png));
    try {
      self.out.insert(self.out.end(), from, from + size);
    } catch (const std::bad_alloc&) {
      self.out_of_memory = true;
    }
    if (self.out_of_memory) png_error(png, "out of memory");
  }
  static void fail(png_structp png, png_const_charp) { png_longjmp(png, 1); }
  static void ignore(png_structp, png_const_charp) {}  // without it libpng writes to stderr

  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

Error damaged(const std::string& path, const char* why) {
  return error(Error::Kind::input, _("\"{0}\" is damaged: {1}."), path, why);
}

}  // namespace

Picture read_png(const Bytes& file, const std::string& path, const StopRequested& stop) {
  if (!png_is_whole(file)) throw error(Error::Kind::input, _("\"{0}\" is cut off: copy it again."), path);
  check_claim(png_claim(file), path);
  if (const auto frames = png_frames(file); frames > 1)
    throw error(Error::Kind::input, _("\"{0}\" is an animation of {1} frames: save the one you want as a picture of its own."),
                path, frames);
  Picture picture;
  picture.path = path;
  picture.metadata = png_metadata(file);
  if (const std::string transfer = png_hdr_transfer(picture.metadata); !transfer.empty())
    throw error(Error::Kind::input, _("\"{0}\" holds HDR values ({1}): convert it to sRGB or another display's colours first."),
                path, transfer);
  Reader reader(file);
  if (reader.read_header() != Outcome::done) throw damaged(path, reader.message());
  picture.pixels.create(reader.size(), reader.type());
  if (reader.row_bytes() != picture.pixels.cols * picture.pixels.elemSize()) throw damaged(path, "IHDR");
  const Outcome outcome = reader.read_rows(picture.pixels, stop);
  if (outcome == Outcome::stopped) throw Cancelled();
  if (outcome == Outcome::failed) throw damaged(path, reader.message());
  if (reader.warning()[0])
    picture.warnings.push_back(sentence(_("\"{0}\" may be damaged: {1}."), path, std::string(reader.warning())));
  picture.profile = png_profile(file);
  picture.implied_profile = png_implied_profile(picture.metadata, !picture.profile.empty(), picture.colour_channels());
  return picture;
}

Bytes write_png(const Picture& picture, const StopRequested& stop) {
  Writer writer;
  const Outcome outcome = writer.write(picture.pixels, stop);
  if (outcome == Outcome::stopped) throw Cancelled();
  if (writer.out_of_memory) throw std::bad_alloc();
  if (outcome == Outcome::failed) return {};
  const bool usable = ColourProfile(picture.profile, picture.colour_channels()).is_used();
  return png_with_metadata(writer.out, picture.metadata, usable ? picture.profile : Bytes{});
}

}  // namespace geometry_transfer::cli
