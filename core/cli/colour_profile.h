// SPDX-License-Identifier: GPL-3.0-or-later
/// Conversion between a file's own colours and the library's (R'G'B', sRGB, float).
#pragma once

#include <memory>
#include <opencv2/core.hpp>

#include "cli/picture.h"

namespace geometry_transfer::cli {

class ColourProfile {
 public:
  /// `profile`: ICC bytes, empty for sRGB. `channels`: 1 for gray, 3 for colour. A profile that is damaged or of
  /// another kind (CMYK in a picture that was decoded to RGB) counts as none: is_used() tells. A profile that equals
  /// sRGB within rounding is written again, but no colours are converted.
  ColourProfile(const Bytes& profile, int channels);
  ~ColourProfile();
  ColourProfile(ColourProfile&&) noexcept;

  bool is_used() const;
  /// CV_32FC1 or CV_32FC3 (R, G, B) of the file -> CV_32FC3 in sRGB. Relative colorimetric; values outside [0,1] are
  /// kept.
  cv::Mat to_srgb(const cv::Mat& pixels) const;
  /// The way back; gray is the luminance.
  cv::Mat from_srgb(const cv::Mat& pixels) const;

 private:
  struct Transforms;
  std::unique_ptr<Transforms> transforms_;
};

}  // namespace geometry_transfer::cli
