// SPDX-License-Identifier: GPL-3.0-or-later
/// TIFF 6.0: a list of 12-byte entries (tag, type, count, value or where it stands) at an offset, in either byte order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cli/embedded_profile.h"

namespace geometry_transfer::cli {

/// The first list of a file that begins as a TIFF does; it must outlive this.
class Tiff {
 public:
  static constexpr unsigned profile_tag = 34675, undefined_type = 7;

  explicit Tiff(const Bytes& file) : file_(file), little_(file[0] == 'I') {
    if (file.size() >= 8) list_ = number(4, 4);
    if (list_ < 8 || list_ + 2 > file.size()) return;
    const std::size_t count = number(list_, 2);
    count_ = std::min(count, (file.size() - list_ - 2) / 12);  // libtiff reads a list that is cut off, too
    whole_ = list_ + 2 + count * 12 + 4 <= file.size();
  }

  Bytes profile() const {
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t entry = list_ + 2 + i * 12;
      if (number(entry, 2) != profile_tag) continue;
      const std::size_t size = number(entry + 4, 4), at = number(entry + 8, 4);
      if (size <= 4 || at > file_.size() || size > file_.size() - at) return {};
      return Bytes(file_.begin() + static_cast<long>(at), file_.begin() + static_cast<long>(at + size));
    }
    return {};
  }

  /// As libtiff and OpenCV take it: of several entries of one tag the first counts, and besides the picture a whole tile or strip
  /// is held, four channels wide.
  Claim claim() const {
    constexpr std::uint64_t usual_piece = 1 << 24;  // pixels; a piece larger than this and the picture is no tile of it
    Claim claim;
    claim.width = first(256, 0), claim.height = first(257, 0);
    if (claim.width == 0 || claim.height == 0) return claim;
    const std::uint64_t bits = bits_a_sample(), samples = std::min<std::uint64_t>(first(277, 1), 4), packing = first(259, 1);
    const std::uint64_t pixels = product(claim.width, claim.height), size = bits > 8 ? 2 : 1;
    const bool tiled = first(322, 0) > 0;
    std::uint64_t strip = first(278, 0);
    if (strip == 0 || strip == 0xFFFFFFFF) strip = claim.height;
    const std::uint64_t piece = tiled ? product(first(322, 0), first(323, 0)) : product(claim.width, strip);
    claim.bytes = product(pixels, samples * size) + product(std::min(piece, std::max(pixels, usual_piece)), 4 * size);
    // As PNG's: what the best case of each packing makes of a byte. Of the others (fax, LZMA, ZSTD, LERC, unknown ones) none that
    // holds a picture comes near one byte for 16384 pixels.
    const unsigned most = packing == 1                       ? 1
                          : packing == 32773                 ? 64
                          : packing == 5                     ? 1400
                          : packing == 8 || packing == 32946 ? 1032
                                                             : 0;
    claim.possible = (most > 0 ? product(pixels / 8, bits) / most : pixels >> 14) <= file_.size();
    if (piece > std::max(pixels, usual_piece)) claim.possible = false;
    return claim;
  }

  /// The profile and a new list that names it go to the end; the header then points to that list.
  Bytes with_profile(const Bytes& profile) const {
    if (count_ == 0 || !whole_) return file_;
    Bytes made = file_;
    if (made.size() % 2) made.push_back(0);
    const std::size_t at = made.size();
    made.insert(made.end(), profile.begin(), profile.end());
    if (made.size() % 2) made.push_back(0);
    const std::size_t list = made.size();
    append(made, count_ + 1, 2);
    bool written = false;
    for (std::size_t i = 0; i <= count_; ++i) {
      const std::size_t entry = list_ + 2 + i * 12;
      if (!written && (i == count_ || number(entry, 2) > profile_tag)) {  // entries are sorted by tag
        append(made, profile_tag, 2);
        append(made, undefined_type, 2);
        append(made, profile.size(), 4);
        append(made, at, 4);
        written = true;
      }
      if (i < count_)
        made.insert(made.end(), file_.begin() + static_cast<long>(entry), file_.begin() + static_cast<long>(entry + 12));
    }
    const auto next = file_.begin() + static_cast<long>(list_ + 2 + count_ * 12);
    made.insert(made.end(), next, next + 4);
    Bytes header;
    append(header, list, 4);
    std::copy(header.begin(), header.end(), made.begin() + 4);
    return made;
  }

 private:
  static std::uint64_t product(std::uint64_t a, std::uint64_t b) {
    return b && a > UINT64_MAX / b ? UINT64_MAX : a * b;  // as much as there is
  }

  /// Where the first entry of a tag lies; 0 when there is none.
  std::size_t entry_of(std::size_t tag) const {
    for (std::size_t i = 0; i < count_; ++i)
      if (const std::size_t entry = list_ + 2 + i * 12; number(entry, 2) == tag) return entry;
    return 0;
  }

  /// A tag's number, of whatever width: a byte, a short, a long, or eight bytes elsewhere. What is not there is more than any.
  std::uint64_t first(std::size_t tag, std::uint64_t missing) const {
    const std::size_t entry = entry_of(tag);
    if (!entry) return missing;
    switch (number(entry + 2, 2)) {
      case 1:
      case 6:
        return number(entry + 8, 1);
      case 3:
      case 8:
        return number(entry + 8, 2);
      case 16:
      case 17:
      case 18: {
        const std::size_t at = number(entry + 8, 4);
        return at <= file_.size() && file_.size() - at >= 8 ? number(at, 8) : UINT64_MAX;
      }
      default:
        return number(entry + 8, 4);
    }
  }

  std::uint64_t bits_a_sample() const {
    const std::size_t entry = entry_of(258);
    if (!entry) return 1;
    const std::uint64_t elsewhere = number(entry + 8, 4);
    if (number(entry + 4, 4) <= 2) return number(entry + 8, 2);
    return elsewhere + 2 <= file_.size() ? number(elsewhere, 2) : 1;
  }

  std::size_t number(std::size_t at, int bytes) const {
    std::size_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::size_t(file_[at + static_cast<std::size_t>(i)]) << 8 * (little_ ? i : bytes - 1 - i);
    return value;
  }
  void append(Bytes& to, std::size_t value, int bytes) const {
    for (int i = 0; i < bytes; ++i) to.push_back(static_cast<unsigned char>(value >> 8 * (little_ ? i : bytes - 1 - i)));
  }

  const Bytes& file_;
  bool little_;
  std::size_t list_ = 0, count_ = 0;
  bool whole_ = false;  ///< the list is not cut off
};

}  // namespace geometry_transfer::cli
