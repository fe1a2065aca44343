// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "image/image_pipeline.h"
#include "image/mask.h"

namespace geometry_transfer {

Layer composite(const WorkingImages& images, const cv::Mat& pixels, const Request& request) {
  const double scale = double(images.view.width) / images.area.rect.width;
  cv::Mat alpha = feathered(images.mask, request.feather * scale);
  if (alpha.size() != pixels.size()) {
    cv::Mat full;
    cv::resize(alpha, full, pixels.size(), 0, 0, cv::INTER_LINEAR);
    alpha = full;
  }
  if (!images.target_alpha.empty()) alpha = alpha.mul(images.target_alpha);  // transparent pixels stay so
  const cv::Rect box = cv::boundingRect(cv::Mat(alpha > 0));
  Layer layer;
  layer.area = {images.area.rect.x + box.x, images.area.rect.y + box.y, box.width, box.height};
  layer.rgba.resize(std::size_t(box.area()) * 4);
  float* out = layer.rgba.data();
  for (int y = box.y; y < box.br().y; ++y) {
    const float *p = pixels.ptr<float>(y) + 3 * box.x, *a = alpha.ptr<float>(y) + box.x;
    for (int x = 0; x < box.width; ++x, p += 3, out += 4) out[0] = p[0], out[1] = p[1], out[2] = p[2], out[3] = a[x];
  }
  return layer;
}

}  // namespace geometry_transfer
