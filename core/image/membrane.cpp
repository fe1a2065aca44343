// SPDX-License-Identifier: GPL-3.0-or-later
#include "image/membrane.h"

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "image/pixels.h"

namespace geometry_transfer {
namespace {

/// One grid: unknown u with sum of neighbours - n u = rhs where `open`, fixed elsewhere. n counts the neighbours that exist.
/// Planes carry a frame of one pixel so that the inner loops have no edges; the frame's `there` is 0.
struct Grid {
  cv::Mat open;   ///< CV_32FC1, 1 or 0
  cv::Mat there;  ///< CV_32FC1, 1 inside the picture, 0 in the frame
};

cv::Mat framed(const cv::Mat& plane) {
  cv::Mat out;
  cv::copyMakeBorder(plane, out, 1, 1, 1, 1, cv::BORDER_CONSTANT, cv::Scalar(0));
  return out;
}

cv::Rect inside(const cv::Mat& plane) { return {1, 1, plane.cols - 2, plane.rows - 2}; }

/// Red-black Gauss-Seidel. rhs may be empty (0).
void relax(cv::Mat& u, const cv::Mat& rhs, const Grid& g, int sweeps) {
  for (int half = 0; half < 2 * sweeps; ++half)
    for (int y = 1; y < u.rows - 1; ++y) {
      float* c = u.ptr<float>(y);
      const float *up = u.ptr<float>(y - 1), *down = u.ptr<float>(y + 1), *open = g.open.ptr<float>(y);
      const float *there = g.there.ptr<float>(y), *there_up = g.there.ptr<float>(y - 1), *there_down = g.there.ptr<float>(y + 1);
      const float* b = rhs.empty() ? nullptr : rhs.ptr<float>(y);
      for (int x = 1 + (y + half) % 2; x < u.cols - 1; x += 2) {
        if (open[x] == 0) continue;
        const float n = there_up[x] + there_down[x] + there[x - 1] + there[x + 1];
        const float sum = up[x] * there_up[x] + down[x] * there_down[x] + c[x - 1] * there[x - 1] + c[x + 1] * there[x + 1];
        if (n > 0) c[x] = (sum - (b ? b[x] : 0.f)) / n;
      }
    }
}

/// rhs - (sum of neighbours - n u) where open, 0 elsewhere.
cv::Mat residual(const cv::Mat& u, const cv::Mat& rhs, const Grid& g) {
  cv::Mat r = cv::Mat::zeros(u.size(), CV_32FC1);
  for (int y = 1; y < u.rows - 1; ++y) {
    const float *c = u.ptr<float>(y), *up = u.ptr<float>(y - 1), *down = u.ptr<float>(y + 1), *open = g.open.ptr<float>(y);
    const float *there = g.there.ptr<float>(y), *there_up = g.there.ptr<float>(y - 1), *there_down = g.there.ptr<float>(y + 1);
    const float* b = rhs.empty() ? nullptr : rhs.ptr<float>(y);
    float* out = r.ptr<float>(y);
    for (int x = 1; x < u.cols - 1; ++x) {
      if (open[x] == 0) continue;
      out[x] = (b ? b[x] : 0.f) - ((up[x] - c[x]) * there_up[x] + (down[x] - c[x]) * there_down[x] +
                                   (c[x - 1] - c[x]) * there[x - 1] + (c[x + 1] - c[x]) * there[x + 1]);
    }
  }
  return r;
}

/// Grids of halved size; a coarse pixel is open when all its children are, so that a correction never leaks past the border.
std::vector<Grid> hierarchy(const cv::Mat& open) {
  std::vector<Grid> grids;
  cv::Mat plane = open;
  for (;;) {
    grids.push_back({framed(plane), framed(cv::Mat(plane.size(), CV_32FC1, cv::Scalar(1)))});
    if (plane.rows < 4 || plane.cols < 4 || cv::countNonZero(plane) == 0) return grids;
    cv::Mat even, coarse;  // odd sides repeat their last pixel
    cv::copyMakeBorder(plane, even, 0, plane.rows % 2, 0, plane.cols % 2, cv::BORDER_REPLICATE);
    cv::resize(even, coarse, even.size() / 2, 0, 0, cv::INTER_AREA);
    plane = cv::Mat(coarse.size(), CV_32FC1);
    for (int y = 0; y < coarse.rows; ++y)
      for (int x = 0; x < coarse.cols; ++x) plane.at<float>(y, x) = coarse.at<float>(y, x) == 1 ? 1.f : 0.f;
  }
}

void cycle(cv::Mat& u, const cv::Mat& rhs, const std::vector<Grid>& grids, std::size_t level) {
  const Grid& g = grids[level];
  if (level + 1 == grids.size()) return relax(u, rhs, g, 16);
  relax(u, rhs, g, 2);
  const cv::Mat r = residual(u, rhs, g)(inside(u));
  cv::Mat even, coarse_rhs;
  cv::copyMakeBorder(r, even, 0, r.rows % 2, 0, r.cols % 2, cv::BORDER_CONSTANT, cv::Scalar(0));
  cv::resize(even, coarse_rhs, even.size() / 2, 0, 0, cv::INTER_AREA);
  coarse_rhs = framed(coarse_rhs * 4);  // the mean over four children, times (2h)^2 / h^2
  cv::Mat error = cv::Mat::zeros(coarse_rhs.size(), CV_32FC1);
  cycle(error, coarse_rhs, grids, level + 1);
  cv::Mat up;
  cv::resize(error(inside(error)), up, even.size(), 0, 0, cv::INTER_LINEAR);
  u(inside(u)) += up(cv::Rect(0, 0, r.cols, r.rows)).mul(g.open(inside(u)));
  relax(u, rhs, g, 2);
}

}  // namespace

cv::Mat membrane(const cv::Mat& values, const cv::Mat& open, int cycles) {
  const cv::Rect tight = cv::boundingRect(open);
  if (tight.empty()) return values.clone();
  const cv::Rect box =
      cv::Rect(tight.x - 1, tight.y - 1, tight.width + 2, tight.height + 2) & cv::Rect(0, 0, open.cols, open.rows);
  cv::Mat plane = cv::Mat::zeros(box.size(), CV_32FC1);
  for (int y = 0; y < box.height; ++y)
    for (int x = 0; x < box.width; ++x) plane.at<float>(y, x) = open.at<uchar>(box.y + y, box.x + x) ? 1.f : 0.f;
  cv::Mat out = values.clone(), start = values(box).clone();
  fill_unknown(start, 1 - plane, cv::mean(values));
  const std::vector<Grid> grids = hierarchy(plane);
  cv::Mat u = framed(start);
  for (int i = 0; i < cycles; ++i) cycle(u, cv::Mat(), grids, 0);
  u(inside(u)).copyTo(out(box), cv::Mat(plane != 0));
  return out;
}

}  // namespace geometry_transfer
