// SPDX-License-Identifier: GPL-3.0-or-later
/// Reads and writes picture files. Depth, channels, profile and unchanged pixels survive. Damaged files are refused.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <lcms2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "cli/exif.h"
#include "cli/image_file.h"
#include "cli/jpeg_file.h"
#include "cli/mask_raster.h"
#include "cli/output_file.h"
#include "cli/picture_raster.h"
#include "cli/png_chunks.h"
#include "cli/png_file.h"
#include "cli/tiff_file.h"
#include "geometry-transfer/error.h"
#include "geometry-transfer/progress.h"

using namespace geometry_transfer;
using namespace geometry_transfer::cli;
namespace fs = std::filesystem;

namespace {

class Files : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "gt-files-XXXXXX").string();
    ASSERT_TRUE(mkdtemp(name.data()));
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

cv::Mat noise(int type, cv::Size size = {37, 23}) {
  cv::Mat m(size, type);
  cv::RNG random(7);
  random.fill(m, cv::RNG::UNIFORM, 0, CV_MAT_DEPTH(type) == CV_8U ? 256 : 65536);
  return m;
}

Picture picture_of(const cv::Mat& pixels, const Bytes& profile = {}) {
  Picture picture;
  picture.pixels = pixels;
  picture.profile = profile;
  return picture;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.type() == b.type() && a.size() == b.size() && cv::norm(a, b, cv::NORM_INF) == 0;
}

/// Returns a profile of sRGB's primaries with green moved up by `off`, and a transfer curve of lcms's parametric type.
Bytes profile_of(double off, int type, std::vector<double> parameters) {
  const cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.30, 0.60 + off, 1}, {0.15, 0.06, 1}};
  const cmsCIExyY white = {0.3127, 0.3290, 1};
  cmsToneCurve* curve = cmsBuildParametricToneCurve(nullptr, type, parameters.data());
  cmsToneCurve* curves[] = {curve, curve, curve};
  cmsHPROFILE profile = cmsCreateRGBProfile(&white, &primaries, curves);
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  Bytes bytes(size);
  cmsSaveProfileToMem(profile, bytes.data(), &size);
  cmsFreeToneCurve(curve);
  cmsCloseProfile(profile);
  return bytes;
}

/// Returns a profile with gamma 1, which changes colours clearly.
Bytes linear_profile() { return profile_of(0, 1, {1.0}); }

Bytes srgb_profile(double off) { return profile_of(off, 4, {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045}); }

/// Returns an EXIF block with a camera's name, and the exposure time in its own directory.
Bytes tiff_exif() {
  return {'I', 'I', 42,   0,    8,  0, 0, 0,  // header
          2,   0,   0x0F, 1,    2,  0, 4, 0, 0, 0, 'C', 'a', 'm', 0, 0x69, 0x87, 4, 0,
          1,   0,   0,    0,                                                            // camera, where EXIF's directory lies
          38,  0,   0,    0,    0,  0, 0, 0,                                            //
          1,   0,   0x9A, 0x82, 5,  0, 1, 0, 0, 0, 56,  0,   0,   0, 0,    0,    0, 0,  // time of exposure
          1,   0,   0,    0,    60, 0, 0, 0};
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void put(const std::string& path, const Bytes& bytes) {
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
}

Bytes get(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return Bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace

TEST_F(Files, EveryTypeComesBackBitForBit) {
  for (const char* ending : {".png", ".tiff", ".tif"})
    for (const int depth : {CV_8U, CV_16U})
      for (const int channels : {1, 2, 3, 4}) {
        const cv::Mat pixels = noise(CV_MAKETYPE(depth, channels));
        const std::string path = at(std::string("picture") + ending);
        write_file(path, encoded(path, picture_of(pixels)));
        EXPECT_TRUE(same(read_picture(path).pixels, pixels)) << ending << " depth " << depth << " channels " << channels;
      }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 3) << "temporary files stay";
}

TEST_F(Files, ProfilesAreKeptInEveryFormat) {
  const Bytes profile = linear_profile();
  for (const char* ending : {".png", ".tiff", ".jpg"}) {
    const std::string path = at(std::string("picture") + ending);
    write_file(path, encoded(path, picture_of(noise(CV_8UC3), profile)));
    const Picture back = read_picture(path);
    EXPECT_EQ(back.profile, profile) << ending;
    EXPECT_EQ(back.size().width, 37) << ending;
    const double lossy = std::string(ending) == ".jpg" ? 255 : 0;
    EXPECT_LE(cv::norm(back.pixels, noise(CV_8UC3), cv::NORM_INF), lossy) << ending;
  }
}

TEST_F(Files, AProfileLargerThanAJpegSegmentIsSplit) {
  Bytes profile = linear_profile();
  profile.resize(200000);  // bytes after the tags, which no reader uses
  for (int i = 0; i < 4; ++i) profile[i] = static_cast<unsigned char>(profile.size() >> 8 * (3 - i));
  put(at("large.jpg"), encoded("large.jpg", picture_of(noise(CV_8UC3), profile)));
  EXPECT_EQ(read_picture(at("large.jpg")).profile, profile);
}

TEST_F(Files, DamagedFilesNeitherCrashNorPass) {
  for (const char* ending : {".png", ".jpg", ".tiff"}) {
    Picture picture = picture_of(noise(CV_8UC3), linear_profile());
    picture.metadata.resolution = Resolution{300, 200, Resolution::Unit::inch};
    picture.metadata.exif = tiff_exif();
    const Bytes file = encoded(std::string("a") + ending, picture);
    for (std::size_t length = 0; length < file.size() - 2; length += 1 + length / 50) {  // a JPEG may lack its end marker
      put(at("cut"), Bytes(file.begin(), file.begin() + static_cast<long>(length)));
      EXPECT_NE(refusal([&] { read_picture(at("cut")); }), "") << ending << " " << length << " of " << file.size();
    }
    cv::RNG random(3);
    for (int i = 0; i < 300; ++i) {
      Bytes flipped = file;
      flipped[random.uniform(0, static_cast<int>(std::min<std::size_t>(flipped.size(), 1200)))] ^= 1 << random.uniform(0, 8);
      put(at("flipped"), flipped);
      refusal([&] { read_picture(at("flipped")); });  // the sanitizers check this
    }
  }
}

/// Checks sizes before decoding. libtiff takes the first of two entries with the same tag, and reads a list that is cut
/// off.
TEST_F(Files, TiffSizesAreWeighedBeforeMemoryIsTaken) {
  struct Entry {
    unsigned tag, kind, count, value;
  };
  const auto refused = [&](const std::vector<Entry>& entries, const Bytes& end) {
    Bytes file = {'I', 'I', '*', 0, 8, 0, 0, 0};
    const auto append = [&file](unsigned value, int bytes) {
      for (int i = 0; i < bytes; ++i) file.push_back(static_cast<unsigned char>(value >> 8 * i));
    };
    append(unsigned(entries.size()), 2);
    for (const Entry& e : entries) append(e.tag, 2), append(e.kind, 2), append(e.count, 4), append(e.value, 4);
    file.insert(file.end(), end.begin(), end.end());
    put(at("a.tiff"), file);
    return refusal([&] { read_picture(at("a.tiff")); });
  };
  const Bytes next(4);
  const Entry offsets = {273, 4, 1, 8}, counts = {279, 4, 1, 9};
  // An entry list with two widths.
  EXPECT_NE(
      refused({{256, 3, 1, 12032}, {257, 3, 1, 65534}, {256, 3, 1, 8}, {258, 3, 1, 8}, {259, 3, 1, 8}, offsets, counts}, next)
          .find("damaged"),
      std::string::npos);
  // libtiff would hold tiles and strips that are far larger than the picture.
  const Entry tile_offsets = {324, 4, 1, 8}, tile_counts = {325, 4, 1, 9};
  EXPECT_NE(refused({{256, 4, 1, 8},
                     {257, 4, 1, 8},
                     {258, 3, 1, 8},
                     {262, 3, 1, 1},
                     {322, 4, 1, 30000},
                     {323, 4, 1, 30000},
                     tile_offsets,
                     tile_counts},
                    next)
                .find("too few bytes"),
            std::string::npos);
  // 200 bytes in an unknown compression cannot hold 300 million pixels.
  EXPECT_NE(
      refused({{256, 3, 1, 12032}, {257, 4, 1, 26978}, {259, 3, 1, 128}, {262, 3, 1, 1}, offsets, {278, 4, 1, 26978}, counts},
              next),
      "");
  EXPECT_NE(refused({{258, 3, 1, 8}}, next).find("damaged"), std::string::npos);
}

/// libjpeg keeps the coefficients of a file with several scans, two bytes each.
TEST_F(Files, AProgressiveJpegIsWeighedWithItsCoefficients) {
  const cv::Mat pixels(1500, 1500, CV_8UC3, cv::Scalar(9, 8, 7));
  Bytes plain, progressive;
  cv::imencode(".jpg", pixels, plain);
  cv::imencode(".jpg", pixels, progressive, {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  EXPECT_EQ(jpeg_claim(plain).bytes, 1500u * 1500 * 3);
  EXPECT_EQ(jpeg_claim(progressive).bytes, 1500u * 1500 * 3 * 3);
}

TEST_F(Files, DecodingAndEncodingCanBeStopped) {
  const Picture picture = picture_of(noise(CV_8UC3, {300, 300}));
  for (const char* name : {"a.png", "a.jpg", "a.tiff"}) {
    put(at(name), encoded(name, picture));
    int asked = 0;
    const auto later = [&asked] { return ++asked > 3; };
    EXPECT_THROW(read_picture(at(name), later), Cancelled) << name;
    asked = 0;
    EXPECT_THROW(encoded(name, picture, {}, later), Cancelled) << name;
  }
}

TEST_F(Files, MetadataLivesOnInEveryFormat) {
  Picture picture = picture_of(noise(CV_8UC3));
  picture.metadata.resolution = Resolution{300, 200, Resolution::Unit::inch};
  picture.metadata.exif = tiff_exif();
  const std::string packet = "<x:xmpmeta tiff:Orientation=\"1\">caf\xc3\xa9</x:xmpmeta>";
  picture.metadata.xmp.assign(packet.begin(), packet.end());
  for (const char* name : {"a.png", "a.jpg", "a.tiff"}) {
    put(at(name), encoded(name, picture));
    const Metadata back = read_picture(at(name)).metadata;
    ASSERT_TRUE(back.resolution) << name;
    const double inch = back.resolution->unit == Resolution::Unit::inch ? 1 : 2.54;
    EXPECT_NEAR(back.resolution->x * inch, 300, 0.02) << name;
    EXPECT_NEAR(back.resolution->y * inch, 200, 0.02) << name;
    EXPECT_EQ(back.xmp, picture.metadata.xmp) << name;
    // A TIFF holds EXIF as tags of the file, which come back in another byte order.
    const bool tiff = std::string(name) == "a.tiff";
    EXPECT_EQ(back.exif, tiff ? exif_of_tiff(picture.metadata.exif) : picture.metadata.exif) << name;
  }
}

/// All eight orientations give the same upright picture. Its orientation is then 1.
TEST_F(Files, OrientationIsAppliedOnce) {
  const cv::Mat upright = noise(CV_8UC3, {5, 3});
  for (int orientation = 1; orientation <= 8; ++orientation) {
    cv::Mat stored = upright;
    if (orientation >= 5) cv::transpose(upright, stored);
    // EXIF says where row 0 and column 0 of the stored picture are in the upright one.
    const bool right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    cv::Mat turned = stored.clone();
    if (orientation < 5) {
      if (right) cv::flip(turned, turned, 1);
      if (down) cv::flip(turned, turned, 0);
    } else {
      // Orientation 6: row 0 is the right side, so a stored column goes from right to left.
      const bool rows_from_right = orientation == 6 || orientation == 7,
                 columns_from_bottom = orientation == 7 || orientation == 8;
      if (rows_from_right) cv::flip(turned, turned, 0);
      if (columns_from_bottom) cv::flip(turned, turned, 1);
    }
    Picture picture = picture_of(turned);
    picture.metadata.exif = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0};
    picture.metadata.exif[19] = static_cast<unsigned char>(orientation);
    EXPECT_EQ(exif_orientation(picture.metadata.exif), orientation);
    put(at("a.png"), encoded("a.png", picture));
    const Picture back = read_picture(at("a.png"));
    EXPECT_TRUE(same(back.pixels, upright)) << orientation;
    EXPECT_EQ(exif_orientation(back.metadata.exif), 1) << orientation;
    put(at("b.png"), encoded("b.png", back));
    EXPECT_TRUE(same(read_picture(at("b.png")).pixels, upright)) << orientation;
  }
}

TEST_F(Files, WhatCannotBeReadIsNamed) {
  put(at("text.png"), {'h', 'e', 'l', 'l', 'o'});
  put(at("empty.png"), {});
  for (const char* name : {"text.png", "empty.png", "missing.png", ""})
    EXPECT_NE(refusal([&] { read_picture(at(name)); }).find(at(name)), std::string::npos) << name;
}

TEST_F(Files, RastersReadTheAreaInSrgb) {
  cv::Mat pixels(8, 10, CV_8UC3, cv::Scalar(255, 128, 0));
  pixels.at<cv::Vec3b>(5, 7) = {30, 20, 10};
  const Picture picture = picture_of(pixels);
  std::vector<float> out(2 * 3 * 4);
  PictureRaster(picture).read({6, 4, 2, 3}, {2, 3}, out.data());
  EXPECT_FLOAT_EQ(out[0], 1);
  EXPECT_FLOAT_EQ(out[1], 128 / 255.f);
  EXPECT_FLOAT_EQ(out[3], 1);
  const float* marked = &out[(1 * 2 + 1) * 4];
  EXPECT_FLOAT_EQ(marked[0], 30 / 255.f);
  EXPECT_FLOAT_EQ(marked[2], 10 / 255.f);

  const Picture linear = picture_of(pixels, linear_profile());
  PictureRaster(linear).read({0, 0, 1, 1}, {1, 1}, out.data());
  EXPECT_NEAR(out[1], 0.7366, 2e-3);  // sRGB of linear 128/255
}

/// A profile that moves colours by two levels of 8 bits is not sRGB: its colours are converted.
TEST_F(Files, AProfileAFewLevelsOffIsConverted) {
  const cmsHPROFILE srgb = cmsCreate_sRGBProfile();
  int few = 0;
  for (const double off : {0.0005, 0.001, 0.002, 0.003, 0.005, 0.008, 0.012}) {
    const Bytes bytes = srgb_profile(off);
    const cmsHPROFILE own = cmsOpenProfileFromMem(bytes.data(), static_cast<cmsUInt32Number>(bytes.size()));
    const cmsHTRANSFORM transform = cmsCreateTransform(own, TYPE_RGB_FLT, srgb, TYPE_RGB_FLT, INTENT_RELATIVE_COLORIMETRIC,
                                                       cmsFLAGS_NOCACHE | cmsFLAGS_NOOPTIMIZE);
    cv::Mat colours(1, 3, CV_32FC3), expected(1, 3, CV_32FC3);
    colours.at<cv::Vec3f>(0) = {0, 1, 0}, colours.at<cv::Vec3f>(1) = {1, 1, 0}, colours.at<cv::Vec3f>(2) = {0.5f, 1, 0.25f};
    cmsDoTransform(transform, colours.ptr(), expected.ptr(), 3);
    cmsDeleteTransform(transform), cmsCloseProfile(own);
    const double levels = 255 * cv::norm(colours, expected, cv::NORM_INF);
    if (levels < 2 || levels > 11) continue;
    ++few;
    const cv::Mat got = ColourProfile(bytes, 3).to_srgb(colours);
    EXPECT_LT(255 * cv::norm(got, expected, cv::NORM_INF), 0.1) << levels;
  }
  cmsCloseProfile(srgb);
  EXPECT_GE(few, 3);
}

TEST_F(Files, WhatSaysSrgbIsNotConvertedAndStillSaysSo) {
  const cv::Mat pixels = noise(CV_16UC3);
  const auto read = [&](const Bytes& profile) {
    cv::Mat out(pixels.size(), CV_32FC4);
    const Picture picture = picture_of(pixels, profile);
    PictureRaster(picture).read({0, 0, pixels.cols, pixels.rows}, {pixels.cols, pixels.rows}, out.ptr<float>());
    return out;
  };
  const Bytes plain = srgb_profile(0), rounded = srgb_profile(0.0001), other = srgb_profile(0.02);
  EXPECT_EQ(cv::norm(read(plain), read({}), cv::NORM_INF), 0);
  EXPECT_EQ(cv::norm(read(rounded), read({}), cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(read(other), read({}), cv::NORM_INF), 1 / 255.0);
  for (const Bytes& profile : {plain, other}) {
    put(at("said.png"), encoded("said.png", picture_of(pixels, profile)));
    EXPECT_EQ(read_picture(at("said.png")).profile, profile);
  }
}

/// Rows are converted in parallel, some in each stripe.
TEST_F(Files, EveryRowIsReadWhereItLies) {
  cv::Mat pixels(200, 3, CV_8UC3), rows(150, 2, CV_32FC4);
  for (int y = 0; y < pixels.rows; ++y) pixels.row(y).setTo(cv::Scalar::all(y));
  const Picture picture = picture_of(pixels);
  PictureRaster(picture).read({1, 30, 2, 150}, {2, 150}, rows.ptr<float>());
  for (int y = 0; y < rows.rows; ++y) ASSERT_FLOAT_EQ(rows.at<cv::Vec4f>(y, 1)[2], static_cast<float>(30 + y) / 255) << y;
}

TEST_F(Files, AveragingDoesNotMixInWhatIsTransparent) {
  cv::Mat pixels(2, 2, CV_8UC4, cv::Scalar(255, 255, 255, 0));
  pixels.at<cv::Vec4b>(0, 0) = {200, 0, 0, 255};
  const Picture picture = picture_of(pixels);
  float out[4];
  PictureRaster(picture).read({0, 0, 2, 2}, {1, 1}, out);
  EXPECT_NEAR(out[0], 200 / 255.f, 1e-5);
  EXPECT_NEAR(out[1], 0, 1e-5);
  EXPECT_NEAR(out[3], 0.25, 1e-5);
}

TEST_F(Files, AMaskIsMeasuredAgainstItsOwnMaximum) {
  cv::Mat pixels = cv::Mat::zeros(20, 30, CV_16UC4);
  pixels(cv::Rect(5, 6, 4, 2)).setTo(cv::Scalar(65535, 65535, 65535, 20000));
  pixels(cv::Rect(5, 6, 2, 2)).setTo(cv::Scalar(65535, 65535, 65535, 10000));
  pixels(cv::Rect(20, 15, 3, 3)).setTo(cv::Scalar(65535, 65535, 65535, 0));
  const Picture picture = picture_of(pixels);
  const MaskRaster mask(picture);
  EXPECT_EQ(mask.extent(), (Rect{5, 6, 4, 2}));
  std::vector<float> out(8);
  mask.read(mask.extent(), {4, 2}, out.data());
  for (int i = 0; i < 8; ++i) EXPECT_NEAR(out[i], i % 4 < 2 ? 0.5 : 1, 1e-3);
  EXPECT_NEAR(mask.centre().x, (2 * 6 + 4 * 8) / 6.0, 1e-6);
  EXPECT_NEAR(mask.centre().y, 7, 1e-6);
  // A smaller picture holds the mean of the pixels that each of its pixels covers.
  const Picture large = picture_of(noise(CV_8UC1, {60, 700}));
  for (const cv::Size size : {cv::Size(20, 350), cv::Size(60, 100), cv::Size(7, 700), cv::Size(13, 91)}) {
    cv::Mat whole, expected, got(size, CV_32FC1);
    double most = 0;
    cv::minMaxLoc(large.pixels, nullptr, &most);
    large.pixels.convertTo(whole, CV_32F, 1 / most);
    cv::resize(whole, expected, size, 0, 0, cv::INTER_AREA);
    const MaskRaster raster(large);
    ASSERT_EQ(raster.extent(), (Rect{0, 0, 60, 700}));
    raster.read(raster.extent(), {size.width, size.height}, got.ptr<float>());
    EXPECT_LT(cv::norm(got, expected, cv::NORM_INF), 1e-5) << size;
  }
  // Two columns are enough for a picture, in either depth.
  for (const int depth : {CV_8U, CV_16U}) {
    const Picture narrow = picture_of(cv::Mat(9, 2, depth, cv::Scalar(200)));
    EXPECT_NEAR(MaskRaster(narrow).centre().x, 1, 1e-6);
    EXPECT_NEAR(MaskRaster(narrow).centre().y, 4.5, 1e-6);
  }
  const Picture empty = picture_of(cv::Mat::zeros(4, 4, CV_8UC1));
  EXPECT_TRUE(MaskRaster(empty).extent().empty());
}

/// Masks as people draw them: coverage is 1 in the square and 0 outside.
TEST_F(Files, MasksAreReadAsPeopleMeanThem) {
  const cv::Rect square(5, 6, 8, 4);
  const auto drawn = [&](int type, const cv::Scalar& outside, const cv::Scalar& inside) {
    cv::Mat pixels(20, 30, type, outside);
    pixels(square).setTo(inside);
    return picture_of(pixels);
  };
  const struct {
    const char* name;
    Picture picture;
  } cases[] = {{"white on black", drawn(CV_8UC1, {0}, {255})},
               {"0 and 1", drawn(CV_8UC1, {0}, {1})},
               {"gray 100", drawn(CV_8UC3, {0, 0, 0}, {100, 100, 100})},
               {"red on black", drawn(CV_8UC3, {0, 0, 0}, {200, 0, 0})},
               {"blue on black", drawn(CV_16UC3, {0, 0, 0}, {0, 0, 9000})},
               {"black on transparency", drawn(CV_8UC4, {0, 0, 0, 0}, {0, 0, 0, 255})},
               {"white on transparency", drawn(CV_8UC4, {0, 0, 0, 0}, {255, 255, 255, 255})},
               {"faint black on white transparency", drawn(CV_8UC4, {255, 255, 255, 0}, {0, 0, 0, 90})},
               {"gray and alpha", drawn(CV_8UC2, {0, 0}, {0, 255})},
               {"opaque black and white", drawn(CV_8UC4, {0, 0, 0, 255}, {255, 255, 255, 255})}};
  for (const auto& [name, picture] : cases) {
    const MaskRaster mask(picture);
    EXPECT_EQ(mask.extent(), (Rect{square.x, square.y, square.width, square.height})) << name;
    std::vector<float> out(square.area());
    mask.read(mask.extent(), {square.width, square.height}, out.data());
    for (const float v : out) ASSERT_FLOAT_EQ(v, 1) << name;
  }
  // A cut-out in many colours is read by its alpha; black and white with holes by white times alpha.
  Picture cutout = picture_of(noise(CV_8UC4, {30, 20}));
  cv::Mat alpha = cv::Mat::zeros(20, 30, CV_8UC1);
  alpha(square).setTo(255);
  cv::insertChannel(alpha, cutout.pixels, 3);
  EXPECT_EQ(MaskRaster(cutout).extent(), (Rect{5, 6, 8, 4}));
  Picture holes = drawn(CV_8UC4, {0, 0, 0, 255}, {255, 255, 255, 255});
  holes.pixels(cv::Rect(5, 6, 3, 4)).setTo(cv::Scalar(255, 255, 255, 0));
  EXPECT_EQ(MaskRaster(holes).extent(), (Rect{8, 6, 5, 4}));
  // The mask is ambiguous.
  Picture labels = drawn(CV_8UC3, {0, 0, 0}, {200, 0, 0});
  labels.pixels(cv::Rect(20, 10, 5, 5)).setTo(cv::Scalar(0, 200, 0));
  EXPECT_NE(refusal([&] { MaskRaster mask(labels); }).find("several colours"), std::string::npos);
  Picture shades = picture_of(cv::Mat(20, 30, CV_8UC2));
  for (int x = 0; x < 30; ++x) shades.pixels.col(x).setTo(cv::Scalar(x * 8, x < 20 ? 255 : 0));
  EXPECT_NE(refusal([&] { MaskRaster mask(shades); }).find("shades of gray"), std::string::npos);
}

TEST_F(Files, LayingOverTouchesOnlyWhatTheLayerCovers) {
  Layer layer;
  layer.area = {-2, 3, 8, 5};  // extends beyond the left border
  layer.rgba.resize(8 * 5 * 4);
  for (int i = 0; i < 8 * 5; ++i) {
    float* p = &layer.rgba[i * 4];
    p[0] = 1, p[1] = 0.5, p[2] = 0;
    p[3] = i % 3 == 0 ? 0 : i % 3 == 1 ? 1 : 0.5;
  }
  for (const int depth : {CV_8U, CV_16U})
    for (const int channels : {1, 3, 4})
      for (const bool profile : {false, true}) {
        const cv::Mat before = noise(CV_MAKETYPE(depth, channels));
        Picture picture = picture_of(before.clone(), profile ? linear_profile() : Bytes{});
        lay_over(picture, layer);
        const double top = depth == CV_8U ? 255 : 65535;
        for (int y = 0; y < before.rows; ++y)
          for (int x = 0; x < before.cols; ++x) {
            const bool inside = y >= 3 && y < 8 && x < 6;
            const float alpha = inside ? layer.rgba[((y - 3) * 8 + x + 2) * 4 + 3] : 0;
            for (int c = 0; c < channels; ++c) {
              const auto value = [&](const cv::Mat& m) -> double {
                return depth == CV_8U ? m.ptr<unsigned char>(y)[x * channels + c] : m.ptr<unsigned short>(y)[x * channels + c];
              };
              if (alpha == 0 || c == 3) {
                ASSERT_EQ(value(picture.pixels), value(before)) << x << "," << y;
              } else if (channels > 1) {
                const double green = profile ? 0.2140 : 0.5;  // linear value of 0.5
                const double over = (c == 0 ? 1 : c == 1 ? green : 0) * top;
                ASSERT_NEAR(value(picture.pixels), value(before) + alpha * (over - value(before)), 0.51 + top * 2e-4)
                    << x << "," << y << " channel " << c;
              }
            }
          }
      }
}

TEST_F(Files, GrayTakesTheLayersLuminance) {
  Layer layer{{0, 0, 2, 1}, {0.5, 0.5, 0.5, 1, 0, 1, 0, 1}};
  Picture gray = picture_of(cv::Mat::zeros(1, 2, CV_8UC1));
  lay_over(gray, layer);
  EXPECT_NEAR(gray.pixels.at<unsigned char>(0, 0), 128, 1);
  EXPECT_NEAR(gray.pixels.at<unsigned char>(0, 1), 220, 3);  // sRGB of 0.7152
}

TEST_F(Files, OutputsAreRefusedBeforeTheWork) {
  EXPECT_EQ(refusal([&] { check_output(at("a.png"), CV_16U, true, {37, 23}); }), "");
  EXPECT_EQ(refusal([&] { check_output(at("a.JPG"), CV_8U, false, {37, 23}); }), "");
  EXPECT_NE(refusal([&] { check_output(at("a.jpg"), CV_16U, false, {37, 23}); }).find("16"), std::string::npos);
  EXPECT_NE(refusal([&] { check_output(at("a.jpg"), CV_8U, true, {37, 23}); }), "");
  EXPECT_NE(refusal([&] { check_output(at("a.xcf"), CV_8U, false, {37, 23}); }), "");
  EXPECT_EQ(refusal([&] { check_output(at("a.jpg"), CV_8U, false, {65500, 8}); }), "");
  EXPECT_NE(refusal([&] { check_output(at("a.jpg"), CV_8U, false, {65501, 8}); }).find("65501 x 8"), std::string::npos);
  EXPECT_NE(refusal([&] { check_output(at("a.jpeg"), CV_8U, false, {8, 65501}); }), "");
  EXPECT_NE(refusal([&] { check_output(at(std::string(246, 'a') + ".png"), CV_8U, false, {37, 23}); }), "");
  EXPECT_EQ(refusal([&] { check_output(at(std::string(244, 'a') + ".png"), CV_8U, false, {37, 23}); }), "");
  write_file(at(std::string(244, 'a') + ".png"), {1});
  EXPECT_NE(refusal([&] { check_output(at("no/a.png"), CV_8U, false, {37, 23}); }).find(at("no")), std::string::npos);
}

TEST_F(Files, WritingFailsWhole) {
  EXPECT_NE(refusal([&] { write_file("/dev/full/a", {1}); }), "");
  fs::create_directory(at("folder.png"));
  EXPECT_NE(refusal([&] { write_file(at("folder.png"), {1}); }), "");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1) << "a temporary file stays";
  put(at("old.png"), {7});
  EXPECT_NE(refusal([&] { write_files({{at("old.png"), {8}}, {at("new.png"), {8}}, {at("no/new.png"), {8}}}); }), "");
  EXPECT_EQ(get(at("old.png")), Bytes{7});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a part is there";
  // If a rename fails, the one before it is taken back. Here a folder cannot be replaced by a file.
  EXPECT_NE(refusal([&] { write_files({{at("old.png"), {8}}, {at("fresh.png"), {8}}, {at("folder.png"), {8}}}); }), "");
  EXPECT_EQ(get(at("old.png")), Bytes{7});
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a new file or an old one's second name stays";
  // A dead link stays a link, and its file is made.
  fs::create_symlink("later.png", at("dangling.png"));
  write_file(at("dangling.png"), {3});
  EXPECT_TRUE(fs::is_symlink(at("dangling.png")));
  EXPECT_EQ(get(at("later.png")), Bytes{3});
  fs::create_symlink("loop.png", at("loop.png"));
  EXPECT_NE(refusal([&] { write_file(at("loop.png"), {3}); }), "");
  put(at("real.png"), {1});
  fs::create_symlink("real.png", at("link.png"));
  write_file(at("link.png"), {2});
  EXPECT_TRUE(fs::is_symlink(at("link.png")));
  EXPECT_EQ(get(at("real.png")), Bytes{2});
}

TEST_F(Files, WhatIsThereKeepsItsModeAndItsKind) {
  put(at("closed.png"), {1});
  fs::permissions(at("closed.png"), fs::perms(0600));
  write_file(at("closed.png"), {2});
  EXPECT_EQ(get(at("closed.png")), Bytes{2});
  EXPECT_EQ(fs::status(at("closed.png")).permissions(), fs::perms(0600));

  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  const int reader = open(at("pipe").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  write_file(at("pipe"), {3, 4});
  unsigned char got[3] = {};
  EXPECT_EQ(read(reader, got, sizeof got), 2);
  EXPECT_EQ(got[1], 4);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(at("pipe")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 2) << "a temporary file stays";
}

TEST_F(Files, ALayersOffsetIsNotedForGimp) {
  write_file(at("layer.png"), encoded(at("layer.png"), picture_of(noise(CV_8UC4)), {12, 345}));
  const Bytes file = get(at("layer.png"));
  static constexpr unsigned char chunk[] = {'o', 'F', 'F', 's', 0, 0, 0, 12, 0, 0, 1, 89, 0};
  EXPECT_NE(std::search(file.begin(), file.end(), std::begin(chunk), std::end(chunk)), file.end());
  EXPECT_TRUE(same(read_picture(at("layer.png")).pixels, noise(CV_8UC4)));
}
