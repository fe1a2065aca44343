// SPDX-License-Identifier: GPL-3.0-or-later
/// libjpeg reports errors by a callback that must not return; it jumps here. So each function that calls libjpeg sets
/// its own jump target and holds no object with a destructor.
#include "cli/jpeg_file.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

// <cstdio> must come before jpeglib.h, and that before jerror.h.
#include <jpeglib.h>

#include <jerror.h>

#include "cli/colour_profile.h"
#include "geometry-transfer/progress.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

/// Encoders write about 10 scans; each costs a pass over the picture, so a small file with thousands would take
/// minutes.
constexpr int kMostScans = 100;
constexpr int kQuality = 95;
constexpr int kRowsBetweenPolls = 16;
constexpr char kExifName[] = "Exif\0";                       // with its last zero: 6 bytes
constexpr char kXmpName[] = "http://ns.adobe.com/xap/1.0/";  // with its zero: 29 bytes
constexpr std::size_t kMostProfile = 255 * 65519;            // bytes in all ICC segments
constexpr std::size_t kMarkerRoom = 65533;                   // bytes of data in a segment

enum class Outcome { done, failed, stopped, too_many_scans };

/// libjpeg's error manager with a jump target and the first messages.
struct Errors {
  jpeg_error_mgr manager;  // first, so that libjpeg's pointer is a pointer to Errors
  jmp_buf target;
  char message[JMSG_LENGTH_MAX] = {};
  bool data_missing = false;  // pixels were made up for data that is damaged or not there

  jpeg_error_mgr* set_up() {
    jpeg_std_error(&manager);
    manager.error_exit = fail;
    manager.emit_message = note;
    manager.output_message = [](j_common_ptr) {};
    return &manager;
  }

 private:
  void keep(j_common_ptr info) {
    if (message[0] == 0) manager.format_message(info, message);
  }
  static void fail(j_common_ptr info) {
    Errors& self = *reinterpret_cast<Errors*>(info->err);
    self.message[0] = 0;
    self.keep(info);
    std::longjmp(self.target, 1);
  }
  static void note(j_common_ptr info, int level) {
    if (level >= 0) return;  // tracing
    Errors& self = *reinterpret_cast<Errors*>(info->err);
    switch (self.manager.msg_code) {
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_MUST_RESYNC:
      case JWRN_ARITH_BAD_CODE:
      case JWRN_EXTRANEOUS_DATA:
      case JWRN_NOT_SEQUENTIAL:
        self.data_missing = true;
    }
    self.keep(info);
  }
};

class Reader {
 public:
  explicit Reader(const Bytes& file, const StopRequested& stop) : file_(file), stop_(stop) {
    info_.err = errors_.set_up();
    info_.client_data = this;
    progress_.progress_monitor = poll;
  }
  ~Reader() { jpeg_destroy_decompress(&info_); }
  Reader(const Reader&) = delete;

  Outcome read_header() {
    if (setjmp(errors_.target)) return Outcome::failed;
    jpeg_create_decompress(&info_);
    info_.progress = &progress_;
    jpeg_mem_src(&info_, file_.data(), file_.size());
    info_.src->fill_input_buffer = end_of_file;
    for (const int marker : {1, 2}) jpeg_save_markers(&info_, JPEG_APP0 + marker, 0xFFFF);  // EXIF and XMP, ICC
    jpeg_read_header(&info_, TRUE);
    return Outcome::done;
  }

  Outcome start() {
    const int jump = setjmp(errors_.target);
    if (jump) return outcome_of(jump);
    if (info_.num_components == 1) info_.out_color_space = JCS_GRAYSCALE;
    if (info_.num_components == 3) info_.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info_);
    return Outcome::done;
  }

  Outcome read_rows(cv::Mat& pixels) {
    const int jump = setjmp(errors_.target);
    if (jump) return outcome_of(jump);
    while (info_.output_scanline < info_.output_height) {
      if (info_.output_scanline % kRowsBetweenPolls == 0 && stop_ && stop_()) return Outcome::stopped;
      JSAMPROW row = pixels.ptr(static_cast<int>(info_.output_scanline));
      jpeg_read_scanlines(&info_, &row, 1);
    }
    whole_ = has_all_scans();
    jpeg_finish_decompress(&info_);  // frees what has_all_scans() looks at
    return Outcome::done;
  }

  /// The picture's size, and a whole-picture buffer of coefficients (two bytes each) for files in several scans.
  Claim claim() {
    Claim claim;
    claim.width = info_.image_width, claim.height = info_.image_height;
    const auto components = static_cast<std::uint64_t>(std::max(info_.num_components, 1));
    const std::uint64_t pixels = claim.width * claim.height;
    const bool several = info_.progressive_mode || info_.comps_in_scan < info_.num_components;
    claim.bytes = pixels * components * (several ? 3 : 1);
    constexpr unsigned kBestRatio = 1024;  // pixels per byte; a bit for each 8 x 8 pixels gives 512, the rest is reserve
    claim.possible = pixels / kBestRatio <= file_.size();
    return claim;
  }

  /// False when scans of a progressive file are missing. Known after read_rows().
  bool is_whole() const { return whole_; }

  Bytes profile() {
    JOCTET* data = nullptr;
    unsigned size = 0;
    if (!jpeg_read_icc_profile(&info_, &data, &size)) return {};
    const Bytes profile(data, data + size);
    std::free(data);
    return profile;
  }

  Metadata metadata() const {
    Metadata found;
    const auto data_after = [](const jpeg_marker_struct& marker, const char* name, std::size_t size) {
      const bool is = marker.data_length > size && std::memcmp(marker.data, name, size) == 0;
      return is ? Bytes(marker.data + size, marker.data + marker.data_length) : Bytes{};
    };
    for (const auto* marker = info_.marker_list; marker; marker = marker->next) {
      if (marker->marker != JPEG_APP0 + 1) continue;
      if (found.exif.empty()) found.exif = data_after(*marker, kExifName, sizeof kExifName);
      if (found.xmp.empty()) found.xmp = data_after(*marker, kXmpName, sizeof kXmpName);
    }
    // A ratio of 1:1 says nothing. Most files without a resolution hold it.
    if (info_.saw_JFIF_marker && !(info_.density_unit == 0 && info_.X_density == info_.Y_density))
      found.resolution = Resolution{double(info_.X_density), double(info_.Y_density),
                                    info_.density_unit == 1   ? Resolution::Unit::inch
                                    : info_.density_unit == 2 ? Resolution::Unit::centimetre
                                                              : Resolution::Unit::none};
    return found;
  }

  jpeg_decompress_struct info_{};
  Errors errors_;
  bool ended_early = false;

 private:
  static constexpr int kJumpedForStop = 2, kJumpedForScans = 3;

  static Outcome outcome_of(int jump) {
    return jump == kJumpedForStop ? Outcome::stopped : jump == kJumpedForScans ? Outcome::too_many_scans : Outcome::failed;
  }

  /// Gives an end marker. If data was still needed, the decoder says so by itself.
  static boolean end_of_file(j_decompress_ptr info) {
    static constexpr JOCTET end[] = {0xFF, JPEG_EOI};
    static_cast<Reader*>(info->client_data)->ended_early = true;
    info->src->next_input_byte = end;
    info->src->bytes_in_buffer = sizeof end;
    return TRUE;
  }

  /// Called for every row of blocks in every scan.
  static void poll(j_common_ptr common) {
    Reader& self = *static_cast<Reader*>(common->client_data);
    if (self.info_.input_scan_number > kMostScans) std::longjmp(self.errors_.target, kJumpedForScans);
    if (self.stop_ && self.stop_()) std::longjmp(self.errors_.target, kJumpedForStop);
  }

  /// Returns false if a progressive file lacks scans: the last bits of the mean values, or of any coefficient if the
  /// file ends early.
  bool has_all_scans() const {
    if (!info_.progressive_mode || !info_.coef_bits) return true;
    for (int c = 0; c < info_.num_components; ++c)
      for (int k = 0; k < (ended_early ? DCTSIZE2 : 1); ++k)
        if (info_.coef_bits[c][k] != 0) return false;
    return true;
  }

  const Bytes& file_;
  const StopRequested& stop_;
  bool whole_ = true;
  jpeg_progress_mgr progress_{};
};

class Writer {
 public:
  Writer() {
    info_.err = errors_.set_up();
    info_.client_data = this;
    destination_.init_destination = [](j_compress_ptr info) { static_cast<Writer*>(info->client_data)->grow(); };
    destination_.empty_output_buffer = [](j_compress_ptr info) -> boolean {
      Writer& self = *static_cast<Writer*>(info->client_data);
      self.destination_.free_in_buffer = 0;  // libjpeg has filled all of it
      self.grow();
      return TRUE;
    };
    destination_.term_destination = [](j_compress_ptr info) {
      Writer& self = *static_cast<Writer*>(info->client_data);
      self.out.resize(self.out.size() - self.destination_.free_in_buffer);
    };
  }
  ~Writer() { jpeg_destroy_compress(&info_); }
  Writer(const Writer&) = delete;

  Outcome write(const Picture& picture, bool with_profile, const StopRequested& stop) {
    if (setjmp(errors_.target)) return Outcome::failed;
    jpeg_create_compress(&info_);
    info_.dest = &destination_;
    info_.image_width = static_cast<JDIMENSION>(picture.pixels.cols);
    info_.image_height = static_cast<JDIMENSION>(picture.pixels.rows);
    info_.input_components = picture.pixels.channels();
    info_.in_color_space = picture.pixels.channels() == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&info_);
    jpeg_set_quality(&info_, kQuality, TRUE);
    set_density(picture.metadata);
    jpeg_start_compress(&info_, TRUE);
    write_segment(kExifName, sizeof kExifName, picture.metadata.exif);
    write_segment(kXmpName, sizeof kXmpName, picture.metadata.xmp);
    if (with_profile) jpeg_write_icc_profile(&info_, picture.profile.data(), static_cast<unsigned>(picture.profile.size()));
    while (info_.next_scanline < info_.image_height) {
      if (info_.next_scanline % kRowsBetweenPolls == 0 && stop && stop()) return Outcome::stopped;
      JSAMPROW row = const_cast<JSAMPROW>(picture.pixels.ptr(static_cast<int>(info_.next_scanline)));
      jpeg_write_scanlines(&info_, &row, 1);
    }
    jpeg_finish_compress(&info_);
    return Outcome::done;
  }

  bool out_of_memory() const { return errors_.manager.msg_code == JERR_OUT_OF_MEMORY; }

  Bytes out;

 private:
  /// Gives libjpeg room after what it has written. An exception must not pass through it.
  void grow() {
    const std::size_t used = out.size();
    bool grown = true;
    try {
      out.resize(std::max<std::size_t>(used * 2, 1 << 16));
    } catch (const std::bad_alloc&) {
      grown = false;
    }
    if (!grown) ERREXIT1(&info_, JERR_OUT_OF_MEMORY, 0);
    destination_.next_output_byte = out.data() + used;
    destination_.free_in_buffer = out.size() - used;
  }

  void set_density(const Metadata& metadata) {
    if (!metadata.resolution) return;
    const Resolution& r = *metadata.resolution;
    if (!(r.x >= 1 && r.x <= 65535 && r.y >= 1 && r.y <= 65535)) return;
    info_.density_unit = r.unit == Resolution::Unit::inch ? 1 : r.unit == Resolution::Unit::centimetre ? 2 : 0;
    // JFIF holds whole numbers, so per inch is finer than per centimetre.
    const bool inches = r.unit == Resolution::Unit::centimetre && r.x * 2.54 <= 65535 && r.y * 2.54 <= 65535;
    if (inches) info_.density_unit = 1;
    info_.X_density = static_cast<UINT16>(r.x * (inches ? 2.54 : 1) + 0.5);
    info_.Y_density = static_cast<UINT16>(r.y * (inches ? 2.54 : 1) + 0.5);
  }
  /// Leaves out what one segment cannot hold.
  void write_segment(const char* name, std::size_t name_size, const Bytes& data) {
    if (data.empty() || name_size + data.size() > kMarkerRoom) return;
    jpeg_write_m_header(&info_, JPEG_APP0 + 1, static_cast<unsigned>(name_size + data.size()));
    for (std::size_t i = 0; i < name_size; ++i) jpeg_write_m_byte(&info_, name[i]);
    for (const unsigned char byte : data) jpeg_write_m_byte(&info_, byte);
  }

  jpeg_compress_struct info_{};
  jpeg_destination_mgr destination_{};
  Errors errors_;
};

/// Throws for what ended a step of the reader.
void check(Outcome outcome, const Reader& reader, const std::string& path) {
  if (outcome == Outcome::done) return;
  if (outcome == Outcome::stopped) throw Cancelled();
  if (outcome == Outcome::too_many_scans)
    throw error(Error::Kind::input, _("\"{0}\" holds more than {1} scans: open it in an image editor and save it again."), path,
                kMostScans);
  if (reader.errors_.manager.msg_code == JERR_OUT_OF_MEMORY) throw std::bad_alloc();
  throw error(Error::Kind::input, _("\"{0}\" is damaged: {1}."), path, std::string(reader.errors_.message));
}

}  // namespace

Picture read_jpeg(const Bytes& file, const std::string& path, const StopRequested& stop) {
  Reader reader(file, stop);
  const Outcome header = reader.read_header();
  const auto& info = reader.info_;
  if (info.image_width > 0) check_claim(reader.claim(), path);
  if (header != Outcome::done && reader.ended_early)
    throw error(Error::Kind::input, _("\"{0}\" is cut off: copy it again."), path);
  if (info.data_precision != 8 && info.data_precision != 0)
    throw error(Error::Kind::input, _("\"{0}\" is a JPEG of {1} bits: convert it to 8 bits or to a 16-bit PNG or TIFF first."),
                path, info.data_precision);
  check(header, reader, path);
  if (info.num_components == 4)
    throw error(Error::Kind::input, _("\"{0}\" holds {1} colours: convert it to RGB first."), path, "CMYK");
  if (info.num_components != 1 && info.num_components != 3)
    throw error(Error::Kind::input, _("\"{0}\" has {1} channels: gray and RGB are read, with or without alpha."), path,
                info.num_components);
  Picture picture;
  picture.path = path;
  picture.profile = reader.profile();
  picture.metadata = reader.metadata();
  check(reader.start(), reader, path);
  picture.pixels.create(static_cast<int>(info.output_height), static_cast<int>(info.output_width),
                        CV_MAKETYPE(CV_8U, info.output_components));
  check(reader.read_rows(picture.pixels), reader, path);
  const bool missing = reader.errors_.data_missing || !reader.is_whole();
  if (missing && reader.ended_early) throw error(Error::Kind::input, _("\"{0}\" is cut off: copy it again."), path);
  if (missing)
    throw error(Error::Kind::input, _("\"{0}\" is damaged: {1}. If it looks right in an image editor, save it again from there."),
                path, reader.errors_.message[0] ? std::string(reader.errors_.message) : std::string("missing scans"));
  if (reader.errors_.message[0])
    picture.warnings.push_back(sentence(_("\"{0}\" may be damaged: {1}."), path, std::string(reader.errors_.message)));
  return picture;
}

Claim jpeg_claim(const Bytes& file) {
  const StopRequested never;
  Reader reader(file, never);
  reader.read_header();
  return reader.claim();
}

Bytes write_jpeg(const Picture& picture, const StopRequested& stop) {
  if (picture.pixels.cols > jpeg_largest_side || picture.pixels.rows > jpeg_largest_side) return {};
  const bool usable = !picture.profile.empty() && picture.profile.size() <= kMostProfile &&
                      ColourProfile(picture.profile, picture.colour_channels()).is_used();
  Writer writer;
  const Outcome outcome = writer.write(picture, usable, stop);
  if (outcome == Outcome::stopped) throw Cancelled();
  if (outcome != Outcome::done && writer.out_of_memory()) throw std::bad_alloc();
  if (outcome != Outcome::done) return {};
  return std::move(writer.out);
}

}  // namespace geometry_transfer::cli
