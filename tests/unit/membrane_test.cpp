// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/membrane.h"

#include <gtest/gtest.h>

#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

cv::Mat harmonic(cv::Size size) {
  cv::Mat m(size, CV_32FC1);
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x) {
      const double u = 2.0 * x / size.width - 1, v = 2.0 * y / size.width - 1;
      m.at<float>(y, x) = float(0.3 + 0.2 * u - 0.1 * v + 0.2 * (u * u - v * v) + 0.1 * u * v);
    }
  return m;
}

/// A harmonic function is its own membrane, whatever the hole's shape.
TEST(Membrane, RestoresAHarmonicFunction) {
  for (const cv::Size size : {cv::Size(96, 96), cv::Size(301, 157), cv::Size(33, 250)}) {
    const cv::Mat truth = harmonic(size);
    cv::Mat open = test::disc(size, {size.width * 0.55, size.height * 0.4}, 0.38 * std::min(size.width, size.height)) > 0;
    open |= cv::Mat(test::disc(size, {size.width * 0.2, size.height * 0.8}, 0.1 * size.width) > 0);
    open.row(0).setTo(0), open.row(size.height - 1).setTo(0), open.col(0).setTo(0), open.col(size.width - 1).setTo(0);
    cv::Mat damaged = truth.clone();
    damaged.setTo(7, open);
    EXPECT_LT(test::largest_difference(membrane(damaged, open), truth), 1e-3) << size;
    EXPECT_LT(test::largest_difference(membrane(damaged, open, 12), truth), 2e-5) << size;
  }
}

/// Against plain relaxation run to its end, with a border that is anything but smooth.
TEST(Membrane, AgreesWithRelaxationToTheEnd) {
  const cv::Size size(61, 47);
  cv::Mat values(size, CV_32FC1), open = test::disc(size, {28, 25}, 19) > 0;
  cv::RNG(4).fill(values, cv::RNG::UNIFORM, 0, 1);
  cv::Mat slow = values.clone();
  for (int sweep = 0; sweep < 6000; ++sweep)
    for (int y = 1; y < size.height - 1; ++y)
      for (int x = 1; x < size.width - 1; ++x)
        if (open.at<uchar>(y, x))
          slow.at<float>(y, x) =
              (slow.at<float>(y - 1, x) + slow.at<float>(y + 1, x) + slow.at<float>(y, x - 1) + slow.at<float>(y, x + 1)) / 4;
  EXPECT_LT(test::largest_difference(membrane(values, open), slow), 1e-3);
}

TEST(Membrane, EdgeOfThePictureIsFree) {
  cv::Mat values(40, 64, CV_32FC1, cv::Scalar(0)), open = cv::Mat::zeros(40, 64, CV_8UC1);
  values.col(63).setTo(0.8);
  values.col(0).setTo(0.2);
  open.colRange(1, 63).setTo(1);  // touches the upper and the lower edge: a ramp from side to side
  const cv::Mat ramp = membrane(values, open);
  for (int x = 0; x < 64; ++x) EXPECT_NEAR(ramp.at<float>(0, x), 0.2 + 0.6 * x / 63, 2e-3) << x;
  EXPECT_LT(test::largest_difference(ramp.row(0), ramp.row(39)), 1e-3);
}

TEST(Membrane, FixedPixelsStayAndNothingOpenIsACopy) {
  cv::Mat values(20, 20, CV_32FC1), open = test::disc({20, 20}, {10, 10}, 5) > 0;
  cv::RNG(5).fill(values, cv::RNG::UNIFORM, 0, 1);
  const cv::Mat out = membrane(values, open), same = membrane(values, cv::Mat::zeros(20, 20, CV_8UC1));
  EXPECT_EQ(cv::countNonZero((out != values) & (open == 0)), 0);
  EXPECT_EQ(cv::countNonZero(same != values), 0);
  const cv::Mat all = membrane(values, cv::Mat(20, 20, CV_8UC1, cv::Scalar(255)));
  EXPECT_TRUE(cv::checkRange(all));
}

}  // namespace
}  // namespace geometry_transfer
