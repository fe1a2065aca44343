// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/tiff_file.h"

#include <tiffio.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "cli/colour_profile.h"
#include "cli/exif.h"
#include "geometry-transfer/progress.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using Handle = std::unique_ptr<TIFF, CloseTiff>;

/// The first message of libtiff, and whether it was an error.
struct Messages {
  char error[160] = {}, warning[160] = {};

  static int keep_error(TIFF*, void* self, const char*, const char* format, va_list values) {
    Messages& messages = *static_cast<Messages*>(self);
    if (messages.error[0] == 0) std::vsnprintf(messages.error, sizeof messages.error, format, values);
    return 1;
  }
  static int keep_warning(TIFF*, void* self, const char*, const char* format, va_list values) {
    Messages& messages = *static_cast<Messages*>(self);
    if (messages.warning[0] == 0) std::vsnprintf(messages.warning, sizeof messages.warning, format, values);
    return 1;
  }
};

/// A file in memory as libtiff wants it.
struct MemoryFile {
  const Bytes* in = nullptr;  ///< null: written to `out`
  Bytes out;
  std::uint64_t at = 0;
  bool out_of_memory = false;

  std::uint64_t size() const { return in ? in->size() : out.size(); }

  static tmsize_t read(thandle_t handle, void* to, tmsize_t wanted) {
    MemoryFile& file = *static_cast<MemoryFile*>(handle);
    const std::uint64_t left = file.at < file.size() ? file.size() - file.at : 0;
    const std::uint64_t now = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(wanted));
    if (now > 0) std::memcpy(to, (file.in ? file.in->data() : file.out.data()) + file.at, now);
    file.at += now;
    return static_cast<tmsize_t>(now);
  }
  static tmsize_t write(thandle_t handle, void* from, tmsize_t count) {
    MemoryFile& file = *static_cast<MemoryFile*>(handle);
    if (file.in) return -1;
    try {
      if (file.at + static_cast<std::uint64_t>(count) > file.out.size())
        file.out.resize(file.at + static_cast<std::uint64_t>(count));
    } catch (const std::bad_alloc&) {
      file.out_of_memory = true;
      return -1;
    }
    std::memcpy(file.out.data() + file.at, from, static_cast<std::size_t>(count));
    file.at += static_cast<std::uint64_t>(count);
    return count;
  }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    MemoryFile& file = *static_cast<MemoryFile*>(handle);
    file.at = offset + (whence == SEEK_CUR ? file.at : whence == SEEK_END ? file.size() : 0);
    return file.at;
  }
  static int close(thandle_t) { return 0; }
  static toff_t length(thandle_t handle) { return static_cast<MemoryFile*>(handle)->size(); }
  static int map(thandle_t handle, void** base, toff_t* size) {
    MemoryFile& file = *static_cast<MemoryFile*>(handle);
    if (!file.in) return 0;
    *base = const_cast<unsigned char*>(file.in->data());
    *size = file.in->size();
    return 1;
  }
  static void unmap(thandle_t, void*, toff_t) {}
};

/// Opens the file in memory. Null when libtiff refuses it; `messages` then says why. Both must outlive the handle.
Handle open_tiff(MemoryFile& file, const char* mode, Messages& messages) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (!options) throw std::bad_alloc();
  // libtiff's own lists need memory in proportion to the file. Pixels are decoded into our own memory.
  constexpr std::size_t kUsual = 64u << 20;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(kUsual + 2 * file.size()));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), Messages::keep_error, &messages);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), Messages::keep_warning, &messages);
  return Handle(TIFFClientOpenExt("picture", mode, &file, MemoryFile::read, MemoryFile::write, MemoryFile::seek,
                                  MemoryFile::close, MemoryFile::length, MemoryFile::map, MemoryFile::unmap, options.get()));
}

template <class T>
T tag(TIFF* tiff, std::uint32_t name, T kUsual) {
  T value = kUsual;
  return TIFFGetFieldDefaulted(tiff, name, &value) ? value : kUsual;
}

/// The directory's numbers.
struct Layout {
  std::uint32_t width, height;
  unsigned bits, samples, format, photometric, planar, compression;
  unsigned extra = 0;       ///< samples beside the colours
  unsigned alpha_kind = 0;  ///< EXTRASAMPLE_... of the one extra sample
  bool tiled = false;
  std::uint32_t piece_width = 0, piece_height = 0;  ///< of a tile or strip, pixels

  explicit Layout(TIFF* tiff)
      : width(tag<std::uint32_t>(tiff, TIFFTAG_IMAGEWIDTH, 0)),
        height(tag<std::uint32_t>(tiff, TIFFTAG_IMAGELENGTH, 0)),
        bits(tag<std::uint16_t>(tiff, TIFFTAG_BITSPERSAMPLE, 1)),
        samples(tag<std::uint16_t>(tiff, TIFFTAG_SAMPLESPERPIXEL, 1)),
        format(tag<std::uint16_t>(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT)),
        photometric(tag<std::uint16_t>(tiff, TIFFTAG_PHOTOMETRIC, samples >= 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK)),
        planar(tag<std::uint16_t>(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG)),
        compression(tag<std::uint16_t>(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE)),
        tiled(TIFFIsTiled(tiff)) {
    const unsigned colours = is_gray() || photometric == PHOTOMETRIC_PALETTE ? 1 : 3;
    extra = samples > colours ? samples - colours : 0;
    std::uint16_t count = 0;
    std::uint16_t* kinds = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) && count == 1) alpha_kind = kinds[0];
    piece_width = tiled ? tag<std::uint32_t>(tiff, TIFFTAG_TILEWIDTH, 0) : width;
    piece_height = tag<std::uint32_t>(tiff, tiled ? TIFFTAG_TILELENGTH : TIFFTAG_ROWSPERSTRIP, height);
    if (!tiled) piece_height = std::min(std::max(piece_height, 1u), height);
  }

  bool is_gray() const { return photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE; }
  bool is_palette() const { return photometric == PHOTOMETRIC_PALETTE; }
  bool planes() const { return planar == PLANARCONFIG_SEPARATE && samples > 1; }
  int channels() const { return (is_gray() ? 1 : 3) + (extra ? 1 : 0); }
  int depth() const { return bits == 16 || is_palette() ? CV_16U : CV_8U; }

  /// The picture, and one tile or strip beside it.
  Claim claim(std::uint64_t file_size) const {
    constexpr std::uint64_t usual_piece = 1 << 24;  // pixels; a larger tile or strip must fit the picture
    Claim claim;
    claim.width = width, claim.height = height;
    const std::uint64_t pixels = claim.width * claim.height, piece = std::uint64_t(piece_width) * piece_height;
    const std::uint64_t most = std::max(pixels, usual_piece);
    const std::uint64_t sample = bits > 8 ? 2 : 1, stored = std::min<std::uint64_t>(samples, 8) * sample;
    if (pixels > UINT64_MAX / 64) return claim.bytes = UINT64_MAX, claim;
    claim.bytes = pixels * std::uint64_t(channels()) * (depth() == CV_16U ? 2 : 1) + std::min(piece, most) * stored;
    // Highest ratio of decoded to stored bytes for each compression. The others (fax, LZMA, ZSTD, LERC) stay below
    // 16384 pixels per byte.
    const unsigned best = compression == COMPRESSION_NONE            ? 1
                          : compression == COMPRESSION_PACKBITS      ? 64
                          : compression == COMPRESSION_LZW           ? 1400
                          : compression == COMPRESSION_ADOBE_DEFLATE ? 1032
                          : compression == COMPRESSION_DEFLATE       ? 1032
                                                                     : 0;
    claim.possible = piece <= most && (best > 0 ? pixels / 8 * bits / best * samples : pixels >> 14) <= file_size;
    return claim;
  }
};

const char* photometric_name(unsigned photometric) {
  switch (photometric) {
    case PHOTOMETRIC_SEPARATED:
      return "CMYK";
    case PHOTOMETRIC_CIELAB:
    case PHOTOMETRIC_ICCLAB:
    case PHOTOMETRIC_ITULAB:
      return "Lab";
    case PHOTOMETRIC_YCBCR:
      return "YCbCr";
    case PHOTOMETRIC_LOGL:
    case PHOTOMETRIC_LOGLUV:
      return "LogLuv";
    case PHOTOMETRIC_MASK:
      return "transparency mask";
    case PHOTOMETRIC_CFA:
      return "camera raw (CFA)";
  }
  return "unknown";
}

std::string format_name(unsigned bits, unsigned format) {
  const char* kind = format == SAMPLEFORMAT_IEEEFP ? "float" : format == SAMPLEFORMAT_INT ? "signed integer" : "";
  return std::to_string(bits) + "-bit" + (*kind ? " " : "") + kind;
}

/// Throws Error that names what cannot be read exactly.
void refuse_unknown(const Layout& layout, const std::string& path) {
  const bool rgb = layout.photometric == PHOTOMETRIC_RGB;
  if (!layout.is_gray() && !layout.is_palette() && !rgb)
    throw error(Error::Kind::input, _("\"{0}\" holds {1} colours: convert it to RGB first."), path,
                photometric_name(layout.photometric));
  const bool integer = layout.format == SAMPLEFORMAT_UINT || layout.format == SAMPLEFORMAT_VOID;
  const bool small = layout.bits == 1 || layout.bits == 2 || layout.bits == 4;
  const bool whole = layout.bits == 8 || (layout.bits == 16 && !layout.is_palette());
  if (!integer || !(whole || (small && !rgb && layout.samples == 1)))
    throw error(Error::Kind::input, _("\"{0}\" has {1} channels: convert it to 8 or 16 bits a channel first."), path,
                format_name(layout.bits, layout.format));
  const unsigned colours = rgb ? 3 : 1;
  if (layout.samples < colours || layout.extra > 1 || (layout.is_palette() && layout.extra))
    throw error(Error::Kind::input, _("\"{0}\" has {1} channels: gray and RGB are read, with or without alpha."), path,
                layout.samples);
  if (layout.photometric == PHOTOMETRIC_MINISWHITE && layout.alpha_kind == EXTRASAMPLE_ASSOCALPHA)
    throw error(Error::Kind::input, _("\"{0}\" holds {1} colours: convert it to RGB first."), path, "min-is-white premultiplied");
  if (!TIFFIsCODECConfigured(static_cast<std::uint16_t>(layout.compression)))
    throw error(Error::Kind::input,
                _("\"{0}\" is packed in a way that cannot be read (TIFF compression {1}): save it again with LZW."), path,
                layout.compression);
}

/// Pages that are pictures of their own: previews and transparency masks do not count.
int count_pages(TIFF* tiff) {
  constexpr int kEnough = 1000;
  int pages = 0, all = 0;
  do {
    if ((tag<std::uint32_t>(tiff, TIFFTAG_SUBFILETYPE, 0) & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) == 0) ++pages;
  } while (++all < kEnough && TIFFReadDirectory(tiff));
  return pages;
}

/// Writes one decoded tile or strip into the picture's samples. Keeps what `layout` says: bits, planes, min-is-white,
/// palette.
class Unpacker {
 public:
  Unpacker(TIFF* tiff, const Layout& layout, cv::Mat& pixels) : layout_(layout), pixels_(pixels) {
    if (layout.is_palette() && !TIFFGetField(tiff, TIFFTAG_COLORMAP, &red_, &green_, &blue_)) red_ = nullptr;
  }
  bool has_palette() const { return red_ != nullptr; }

  /// `row`: `count` pixels from (x, y) on, each with `stored` samples, the first of which is sample `first`.
  void put_row(const unsigned char* row, int x, int y, int count, int first, int stored) {
    if (pixels_.depth() == CV_8U)
      put(row, pixels_.ptr<std::uint8_t>(y), x, count, first, stored);
    else if (layout_.is_palette())
      put_palette(row, pixels_.ptr<std::uint16_t>(y), x, count);
    else
      put(reinterpret_cast<const std::uint16_t*>(row), pixels_.ptr<std::uint16_t>(y), x, count, first, stored);
  }

 private:
  /// A sample of `layout_.bits` bits, the i-th of a row.
  unsigned sample(const unsigned char* row, int i) const {
    if (layout_.bits == 8) return row[i];
    const unsigned per_byte = 8 / layout_.bits, at = static_cast<unsigned>(i) % per_byte;
    return row[static_cast<unsigned>(i) / per_byte] >> (8 - layout_.bits * (at + 1)) & ((1u << layout_.bits) - 1);
  }
  void put_palette(const unsigned char* row, std::uint16_t* to, int x, int count) {
    for (int i = 0; i < count; ++i) {
      const unsigned index = sample(row, i);
      std::uint16_t* pixel = to + std::size_t(x + i) * 3;
      pixel[0] = red_[index], pixel[1] = green_[index], pixel[2] = blue_[index];
    }
  }
  /// The i-th sample of a row, at full scale. Rows with fewer than 8 bits per sample have fewer bytes than samples.
  std::uint8_t number(const std::uint8_t* row, int i) const {
    return layout_.bits < 8 ? static_cast<std::uint8_t>(sample(row, i) * 255 / ((1u << layout_.bits) - 1)) : row[i];
  }
  std::uint16_t number(const std::uint16_t* row, int i) const { return row[i]; }

  template <class T>
  void put(const T* row, T* to, int x, int count, int first, int stored) {
    const int channels = pixels_.channels();
    const bool invert = layout_.photometric == PHOTOMETRIC_MINISWHITE;
    for (int i = 0; i < count; ++i)
      for (int s = 0; s < stored; ++s) {
        const T value = number(row, i * stored + s);
        to[std::size_t(x + i) * channels + first + s] = invert && first + s == 0 ? static_cast<T>(~value) : value;
      }
  }

  const Layout& layout_;
  cv::Mat& pixels_;
  std::uint16_t *red_ = nullptr, *green_ = nullptr, *blue_ = nullptr;
};

/// Decodes all tiles or strips. False when one is damaged.
bool decode(TIFF* tiff, const Layout& layout, Unpacker& unpacker, const StopRequested& stop) {
  const auto width = static_cast<int>(layout.width), height = static_cast<int>(layout.height);
  const int stored = layout.planes() ? 1 : static_cast<int>(layout.samples),
            planes = layout.planes() ? static_cast<int>(layout.samples) : 1;
  const tmsize_t bytes = layout.tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  const tmsize_t row_bytes = layout.tiled ? TIFFTileRowSize(tiff) : TIFFScanlineSize(tiff);
  if (bytes <= 0 || row_bytes <= 0 || layout.piece_width == 0 || layout.piece_height == 0) return false;
  Bytes piece(static_cast<std::size_t>(bytes));
  for (int plane = 0; plane < planes; ++plane)
    for (std::uint64_t y = 0; y < layout.height; y += layout.piece_height)
      for (std::uint64_t x = 0; x < layout.width; x += layout.piece_width) {
        if (stop && stop()) throw Cancelled();
        const auto x32 = static_cast<std::uint32_t>(x), y32 = static_cast<std::uint32_t>(y);
        const auto sample = static_cast<std::uint16_t>(plane);
        const int columns = std::min<int>(static_cast<int>(std::min<std::uint64_t>(layout.piece_width, layout.width)),
                                          width - static_cast<int>(x));
        const int rows = static_cast<int>(std::min<std::uint64_t>(layout.piece_height, static_cast<std::uint64_t>(height) - y));
        const tmsize_t wanted = layout.tiled ? bytes : std::min<tmsize_t>(bytes, row_bytes * rows);
        const tmsize_t got = layout.tiled
                                 ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, x32, y32, 0, sample), piece.data(), bytes)
                                 : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y32, sample), piece.data(), wanted);
        if (got < wanted || row_bytes * rows > bytes) return false;
        for (int row = 0; row < rows; ++row)
          unpacker.put_row(piece.data() + row_bytes * row, static_cast<int>(x), static_cast<int>(y) + row, columns, plane,
                           stored);
      }
  return true;
}

Metadata read_metadata(TIFF* tiff, const Bytes& file) {
  Metadata metadata;
  std::uint32_t size = 0;
  void* data = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_XMLPACKET, &size, &data) && size > 0)
    metadata.xmp.assign(static_cast<unsigned char*>(data), static_cast<unsigned char*>(data) + size);
  float x = 0, y = 0;
  if (TIFFGetField(tiff, TIFFTAG_XRESOLUTION, &x) && TIFFGetField(tiff, TIFFTAG_YRESOLUTION, &y) && x > 0 && y > 0) {
    const auto unit = tag<std::uint16_t>(tiff, TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
    metadata.resolution = Resolution{x, y,
                                     unit == RESUNIT_INCH         ? Resolution::Unit::inch
                                     : unit == RESUNIT_CENTIMETER ? Resolution::Unit::centimetre
                                                                  : Resolution::Unit::none};
  }
  metadata.exif = exif_of_tiff(file);
  return metadata;
}

/// A 16-bit palette whose entries are all 8-bit ones becomes 8-bit. Old writers put the 8 bits into the low byte.
cv::Mat narrowed_palette(const cv::Mat& pixels) {
  bool doubled = true, low = true;
  for (int y = 0; y < pixels.rows && (doubled || low); ++y) {
    const auto* row = pixels.ptr<std::uint16_t>(y);
    for (int i = 0; i < pixels.cols * 3; ++i) {
      doubled = doubled && (row[i] >> 8 == (row[i] & 255) || (row[i] & 255) == 0);
      low = low && row[i] < 256;
    }
  }
  if (!doubled && !low) return pixels;
  cv::Mat narrow(pixels.size(), CV_8UC3);
  for (int y = 0; y < pixels.rows; ++y)
    for (int i = 0; i < pixels.cols * 3; ++i)
      narrow.ptr<std::uint8_t>(y)[i] = static_cast<std::uint8_t>(pixels.ptr<std::uint16_t>(y)[i] >> (low ? 0 : 8));
  return narrow;
}

Error damaged(const std::string& path, const Messages& messages) {
  if (messages.error[0]) return error(Error::Kind::input, _("\"{0}\" is damaged: {1}."), path, std::string(messages.error));
  return error(Error::Kind::input, _("\"{0}\" is damaged or too large: it cannot be decoded."), path);
}

bool write_rows(TIFF* tiff, const Picture& picture, const StopRequested& stop) {
  const cv::Mat& pixels = picture.pixels;
  const int channels = pixels.channels();
  bool done = TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, static_cast<std::uint32_t>(pixels.cols)) &&
              TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, static_cast<std::uint32_t>(pixels.rows)) &&
              TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels) &&
              TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, pixels.depth() == CV_8U ? 8 : 16) &&
              TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, channels < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) &&
              TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
              TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_LZW) &&
              TIFFSetField(tiff, TIFFTAG_PREDICTOR, PREDICTOR_HORIZONTAL);
  if (done && picture.has_alpha()) {
    const std::uint16_t kind = picture.premultiplied ? EXTRASAMPLE_ASSOCALPHA : EXTRASAMPLE_UNASSALPHA;
    done = TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
  }
  if (!picture.profile.empty() && ColourProfile(picture.profile, picture.colour_channels()).is_used())
    done = done &&
           TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(picture.profile.size()), picture.profile.data());
  const Metadata& metadata = picture.metadata;
  if (!metadata.xmp.empty())
    done = done && TIFFSetField(tiff, TIFFTAG_XMLPACKET, static_cast<std::uint32_t>(metadata.xmp.size()), metadata.xmp.data());
  if (const auto& resolution = metadata.resolution) {
    const int unit = resolution->unit == Resolution::Unit::inch         ? RESUNIT_INCH
                     : resolution->unit == Resolution::Unit::centimetre ? RESUNIT_CENTIMETER
                                                                        : RESUNIT_NONE;
    done = done && TIFFSetField(tiff, TIFFTAG_XRESOLUTION, resolution->x) &&
           TIFFSetField(tiff, TIFFTAG_YRESOLUTION, resolution->y) && TIFFSetField(tiff, TIFFTAG_RESOLUTIONUNIT, unit);
  }
  constexpr std::uint32_t strip_bytes = 1 << 16;
  const auto row_bytes = static_cast<std::uint32_t>(pixels.cols * pixels.elemSize());
  done = done && TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, std::max(strip_bytes / std::max(row_bytes, 1u), 1u));
  Bytes row(row_bytes);  // the predictor changes what it is given
  for (int y = 0; done && y < pixels.rows; ++y) {
    if (y % 16 == 0 && stop && stop()) throw Cancelled();
    std::memcpy(row.data(), pixels.ptr(y), row_bytes);
    done = TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y), 0) == 1;
  }
  return done && TIFFFlush(tiff);
}

}  // namespace

Picture read_tiff(const Bytes& file, const std::string& path, int& orientation, const StopRequested& stop) {
  Messages messages;
  MemoryFile memory;
  memory.in = &file;
  const Handle tiff = open_tiff(memory, "r", messages);
  if (!tiff) throw damaged(path, messages);
  check_claim(Layout(tiff.get()).claim(file.size()), path);
  const int pages = count_pages(tiff.get());
  if (pages > 1)
    throw error(Error::Kind::input, _("\"{0}\" holds {1} pages: save the one you want as a file of its own."), path, pages);
  if (!TIFFSetDirectory(tiff.get(), 0)) throw damaged(path, messages);
  Layout layout(tiff.get());
  if (layout.photometric == PHOTOMETRIC_YCBCR && layout.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);  // libjpeg converts
    layout.photometric = PHOTOMETRIC_RGB;
  }
  refuse_unknown(layout, path);

  Picture picture;
  picture.path = path;
  picture.premultiplied = layout.extra && layout.alpha_kind == EXTRASAMPLE_ASSOCALPHA;
  picture.pixels.create(static_cast<int>(layout.height), static_cast<int>(layout.width),
                        CV_MAKETYPE(layout.depth(), layout.channels()));
  Unpacker unpacker(tiff.get(), layout, picture.pixels);
  if (layout.is_palette() && !unpacker.has_palette()) throw damaged(path, messages);
  messages = {};  // of the directory: unknown tags and the like
  if (!decode(tiff.get(), layout, unpacker, stop) || messages.error[0]) throw damaged(path, messages);
  if (messages.warning[0])
    picture.warnings.push_back(sentence(_("\"{0}\" may be damaged: {1}."), path, std::string(messages.warning)));
  if (layout.is_palette()) picture.pixels = narrowed_palette(picture.pixels);
  std::uint32_t size = 0;
  void* profile = nullptr;
  if (TIFFGetField(tiff.get(), TIFFTAG_ICCPROFILE, &size, &profile) && size > 0)
    picture.profile.assign(static_cast<unsigned char*>(profile), static_cast<unsigned char*>(profile) + size);
  picture.metadata = read_metadata(tiff.get(), file);
  orientation = tag<std::uint16_t>(tiff.get(), TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  return picture;
}

Bytes write_tiff(const Picture& picture, const StopRequested& stop) {
  Messages messages;
  MemoryFile memory;
  constexpr std::uint64_t classic_limit = 3u << 30;  // above it BigTIFF's longer offsets are needed
  const std::uint64_t bytes = picture.pixels.total() * picture.pixels.elemSize();
  Handle tiff = open_tiff(memory, bytes > classic_limit ? "wl8" : "wl", messages);
  const bool done = tiff && write_rows(tiff.get(), picture, stop);
  tiff.reset();  // writes the directory
  if (memory.out_of_memory) throw std::bad_alloc();
  if (!done || messages.error[0]) return {};
  return picture.metadata.exif.empty() ? memory.out : tiff_with_exif(memory.out, picture.metadata.exif);
}

}  // namespace geometry_transfer::cli
