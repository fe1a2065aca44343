// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/colour_profile.h"

#include <lcms2.h>

namespace geometry_transfer::cli {
namespace {

/// Converts rows in parallel. That is safe because a transform without a cache is only read.
void transform_rows(cmsHTRANSFORM transform, const cv::Mat& from, cv::Mat& to) {
  cv::parallel_for_(cv::Range(0, from.rows), [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y)
      cmsDoTransform(transform, from.ptr(y), to.ptr(y), static_cast<cmsUInt32Number>(from.cols));
  });
}

/// Returns true if a transform from R'G'B' to R'G'B' changes no colour by 1/255 or more. Common sRGB profiles differ by
/// half of that.
bool changes_nothing(cmsHTRANSFORM transform) {
  constexpr int kSide = 17;
  cv::Mat colours(kSide * kSide * kSide, 1, CV_32FC3), seen(colours.size(), CV_32FC3);
  for (int i = 0; i < colours.rows; ++i)
    colours.at<cv::Vec3f>(i) = cv::Vec3f(i % kSide, i / kSide % kSide, i / (kSide * kSide)) / float(kSide - 1);
  cmsDoTransform(transform, colours.ptr(), seen.ptr(), static_cast<cmsUInt32Number>(colours.rows));
  return cv::norm(colours, seen, cv::NORM_INF) < 1 / 255.0;
}

struct Close {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, Close>;

/// Gray with sRGB's transfer curve: what a gray file without a profile means.
Profile srgb_gray() {
  const Profile srgb(cmsCreate_sRGBProfile());
  auto* curve = static_cast<cmsToneCurve*>(cmsReadTag(srgb.get(), cmsSigGreenTRCTag));
  return Profile(cmsCreateGrayProfile(cmsD50_xyY(), curve));
}

}  // namespace

struct ColourProfile::Transforms {
  int channels = 3;
  bool used = false;
  cmsHTRANSFORM to = nullptr, from = nullptr;  // null: the same colours
  ~Transforms() { clear(); }

  /// False when `own` goes one way only (a scanner's input profile).
  bool make(cmsHPROFILE own) {
    const Profile srgb(cmsCreate_sRGBProfile());
    const cmsUInt32Number format = channels == 1 ? TYPE_GRAY_FLT : TYPE_RGB_FLT;
    // No cache: it compares whole pixels, which only flat pictures gain from. No optimisation: its tables cost
    // precision.
    constexpr cmsUInt32Number flags = cmsFLAGS_NOCACHE | cmsFLAGS_NOOPTIMIZE;
    to = cmsCreateTransform(own, format, srgb.get(), TYPE_RGB_FLT, INTENT_RELATIVE_COLORIMETRIC, flags);
    from = cmsCreateTransform(srgb.get(), TYPE_RGB_FLT, own, format, INTENT_RELATIVE_COLORIMETRIC, flags);
    if (to && from) return true;
    clear();
    return false;
  }
  void clear() {
    if (to) cmsDeleteTransform(to);
    if (from) cmsDeleteTransform(from);
    to = from = nullptr;
  }
};

ColourProfile::ColourProfile(const Bytes& bytes, int channels) : transforms_(std::make_unique<Transforms>()) {
  cmsSetLogErrorHandler([](cmsContext, cmsUInt32Number, const char*) {});
  Transforms& t = *transforms_;
  t.channels = channels;
  if (!bytes.empty()) {
    const Profile own(cmsOpenProfileFromMem(bytes.data(), static_cast<cmsUInt32Number>(bytes.size())));
    t.used = own && cmsGetColorSpace(own.get()) == (channels == 1 ? cmsSigGrayData : cmsSigRgbData) && t.make(own.get());
    if (t.used && channels == 3 && changes_nothing(t.to)) t.clear();  // sRGB, as most photographs say: nothing to convert
  }
  if (!t.used && channels == 1) t.make(srgb_gray().get());
}

ColourProfile::~ColourProfile() = default;
ColourProfile::ColourProfile(ColourProfile&&) noexcept = default;

bool ColourProfile::is_used() const { return transforms_->used; }

cv::Mat ColourProfile::to_srgb(const cv::Mat& pixels) const {
  cv::Mat out(pixels.size(), CV_32FC3);
  if (transforms_->to)
    transform_rows(transforms_->to, pixels, out);
  else
    pixels.copyTo(out);
  return out;
}

cv::Mat ColourProfile::from_srgb(const cv::Mat& pixels) const {
  cv::Mat out(pixels.size(), CV_MAKETYPE(CV_32F, transforms_->channels));
  if (transforms_->from)
    transform_rows(transforms_->from, pixels, out);
  else
    pixels.copyTo(out);
  return out;
}

}  // namespace geometry_transfer::cli
