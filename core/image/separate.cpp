// SPDX-License-Identifier: GPL-3.0-or-later
/// Splits a result into layers that a host blends over the target:
///
///   result = ((target * shade) * (1 - own alpha) + own * own alpha) + add - subtract
///
/// Shade and own material come from the edit's layers. The rest of the difference goes to add and subtract:
/// brightening, glints, the limit at white, and a model's correction.
#include <algorithm>
#include <cmath>
#include <vector>

#include "image/edit.h"
#include "image/image_pipeline.h"
#include "image/pixels.h"

namespace geometry_transfer {
namespace {

/// Rows for which all edits are interpolated at a time.
constexpr int kRows = 64;
/// Display values, an eighth of a level of 8 bits. A layer that changes no pixel by more is left out.
constexpr float kLeastChange = 1 / 2048.0f;

/// The combined effect of all edits on one row of pixels.
struct CombinedRow {
  std::vector<float> factor;  ///< on the target, in [0,1]
  std::vector<float> own;     ///< [0,1], share of `own_colour`
  std::vector<cv::Vec3f> own_colour;
};

/// One edit's fields in some rows of the target.
struct EditRows {
  cv::Mat support, shade, own, paste;
  float strength;
};

EditRows edit_rows(const PlacedEdit& edit, cv::Size full, int top, int height) {
  const auto part = [&](const cv::Mat& field) { return rows_of(field, full, top, height); };
  return {part(edit.support), part(edit.layers.shade), part(edit.layers.own), part(edit.paste), float(edit.strength)};
}

/// Combines row `y` of an edit with the edits before it. `left`: the edit's column at which `row` begins.
void add_edit(const EditRows& rows, int y, int left, CombinedRow& row) {
  if (rows.shade.empty()) return;
  for (int x = 0; x < int(row.factor.size()); ++x) {
    const int column = left + x;
    if (!(rows.support.at<float>(y, column) > 0)) continue;
    const float factor = std::exp(std::min(0.0f, rows.strength * rows.shade.at<float>(y, column)));
    const float share = rows.paste.empty() ? 0 : std::clamp(rows.strength * rows.own.at<float>(y, column), 0.0f, 1.0f);
    row.factor[x] *= factor;
    if (share <= 0) continue;
    const float below = row.own[x] * (1 - share), all = below + share;
    row.own_colour[x] = (row.own_colour[x] * (factor * below) + rows.paste.at<cv::Vec3f>(y, column) * share) * (1 / all);
    row.own[x] = all;
  }
}

Layer empty_layer(const Rect& area) { return {area, std::vector<float>(std::size_t(area.width) * area.height * 4)}; }

}  // namespace

std::vector<BlendLayer> separate(const WorkingImages& images, const Request& request, const Layer& result) {
  using Mode = BlendLayer::Mode;
  const std::vector<PlacedEdit> edits = placed_edits(images, request);
  // After a model, the result's alpha was scaled up from a smaller view. Its outermost pixels, which are faint, may lie
  // outside the edit's rectangle.
  const Rect rect = images.area.rect, area = intersect(result.area, rect);
  if (area.empty()) return {};
  std::vector<BlendLayer> layers;
  for (const Mode mode : {Mode::multiply, Mode::normal, Mode::add, Mode::subtract}) layers.push_back({mode, empty_layer(area)});
  float most[4] = {};
  const auto pixel = [&](int layer, std::size_t i) { return layers[layer].pixels.rgba.data() + 4 * i; };
  for (int first = 0; first < area.height; first += kRows) {
    const int height = std::min(kRows, area.height - first), top = area.y - rect.y + first, left = area.x - rect.x;
    std::vector<EditRows> rows;
    for (const PlacedEdit& edit : edits) rows.push_back(edit_rows(edit, images.target.size(), top, height));
    for (int y = 0; y < height; ++y) {
      CombinedRow row{std::vector<float>(area.width, 1), std::vector<float>(area.width), std::vector<cv::Vec3f>(area.width)};
      for (const EditRows& edit : rows) add_edit(edit, y, left, row);
      const std::size_t result_y = area.y + first + y - result.area.y, result_x = area.x - result.area.x;
      const float* result_row = result.rgba.data() + 4 * (result_y * result.area.width + result_x);
      const cv::Vec3f* target = images.target.ptr<cv::Vec3f>(top + y) + left;
      for (int x = 0; x < area.width; ++x) {
        const std::size_t i = std::size_t(first + y) * area.width + x;
        const float* wanted = result_row + 4 * x;
        const float alpha = wanted[3];
        if (!(alpha > 0)) continue;
        const float shade = 1 - alpha * (1 - row.factor[x]), own = alpha * row.own[x];
        float *multiply = pixel(0, i), *normal = pixel(1, i), *add = pixel(2, i), *subtract = pixel(3, i);
        multiply[3] = add[3] = subtract[3] = 1;
        normal[3] = own;
        most[0] = std::max(most[0], 1 - shade), most[1] = std::max(most[1], own);
        for (int c = 0; c < 3; ++c) {
          multiply[c] = shade, normal[c] = row.own_colour[x][c];
          const float blended = target[x][c] * shade * (1 - own) + row.own_colour[x][c] * own;
          const float rest = target[x][c] + alpha * (wanted[c] - target[x][c]) - blended;
          add[c] = std::max(rest, 0.0f), subtract[c] = std::max(-rest, 0.0f);
          most[2] = std::max(most[2], rest), most[3] = std::max(most[3], -rest);
        }
      }
    }
  }
  for (int i = 3; i >= 0; --i)
    if (most[i] <= kLeastChange) layers.erase(layers.begin() + i);
  return layers;
}

}  // namespace geometry_transfer
