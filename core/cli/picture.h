// SPDX-License-Identifier: GPL-3.0-or-later
/// A decoded picture file: what every reader produces and every writer takes.
#pragma once

#include <cstdint>
#include <functional>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "geometry-transfer/image.h"

namespace geometry_transfer::cli {

using Bytes = std::vector<unsigned char>;

/// Returns true when the user wants to stop. Called at least every few milliseconds while a file is read or decoded.
using StopRequested = std::function<bool()>;

/// Pixels per inch or centimetre. Unit none: only the ratio of the two counts.
struct Resolution {
  enum class Unit { none, inch, centimetre };
  double x = 0, y = 0;
  Unit unit = Unit::none;
};

/// Metadata of a picture file, without pixels and ICC profile. The result of a transfer keeps the target's.
struct Metadata {
  Bytes exif;  ///< starts with the TIFF header of an EXIF block ("II*\0" or "MM\0*"); orientation is 1
  Bytes xmp;   ///< the packet as UTF-8 XML
  std::optional<Resolution> resolution;
  std::vector<std::pair<std::string, Bytes>> png_colour;  ///< the data of a PNG's gAMA, cHRM, sRGB and cICP chunks
};

/// A picture as it is stored, turned upright.
struct Picture {
  std::string path;
  cv::Mat pixels;              ///< CV_8U or CV_16U; channels: 1 gray, 2 gray and alpha, 3 R G B, 4 R G B and alpha
  Bytes profile;               ///< embedded ICC profile; empty: none
  bool premultiplied = false;  ///< the stored colours are multiplied by alpha (TIFF's associated alpha)
  Bytes implied_profile;       ///< ICC profile made from a PNG's cICP, or gAMA and cHRM; empty when `profile` or sRGB counts
  Metadata metadata;
  std::vector<std::string> warnings;  ///< translated sentences for the user

  bool has_alpha() const { return pixels.channels() == 2 || pixels.channels() == 4; }
  int colour_channels() const { return pixels.channels() < 3 ? 1 : 3; }
  Size size() const { return {pixels.cols, pixels.rows}; }
  /// Returns the profile of the stored colours; empty means sRGB.
  const Bytes& colour_profile() const { return implied_profile.empty() ? profile : implied_profile; }
};

/// Properties of the decoded picture by the file's header. It is checked before memory is taken.
struct Claim {
  std::uint64_t width = 0, height = 0;
  std::uint64_t bytes = 0;  ///< the decoded picture, and what the decoder needs beside it
  bool possible = true;     ///< false: the file is too short for so many pixels, even at the best compression
};

/// Throws Error when the sizes are out of range, impossible, or need more than the free memory. `path` names the file
/// in it.
void check_claim(const Claim& claim, const std::string& path);

}  // namespace geometry_transfer::cli
