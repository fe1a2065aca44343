// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/outline.h"

#include <algorithm>
#include <cmath>

namespace geometry_transfer {

Outline::Outline(const Raster& mask, int most) {
  const Rect area = mask.extent();
  if (area.empty()) return;
  const double shrink = std::max(1., std::max(area.width, area.height) / double(most));
  const Size size = {std::max(1, static_cast<int>(std::lround(area.width / shrink))),
                     std::max(1, static_cast<int>(std::lround(area.height / shrink)))};
  std::vector<float> coverage(static_cast<size_t>(size.width) * size.height);
  mask.read(area, size, coverage.data());
  const auto inside = [&](int x, int y) {
    return x >= 0 && y >= 0 && x < size.width && y < size.height && coverage[static_cast<size_t>(y) * size.width + x] >= 0.5f;
  };
  const double dx = double(area.width) / size.width, dy = double(area.height) / size.height;
  // A line for each run of pixel edges between inside and outside, first the horizontal ones, then the vertical ones.
  for (int y = 0; y <= size.height; ++y)
    for (int x = 0, start = 0; x <= size.width; ++x) {
      const bool edge = x < size.width && inside(x, y) != inside(x, y - 1);
      if (edge) continue;
      if (start < x) lines_.push_back({area.x + start * dx, area.y + y * dy, area.x + x * dx, area.y + y * dy});
      start = x + 1;
    }
  for (int x = 0; x <= size.width; ++x)
    for (int y = 0, start = 0; y <= size.height; ++y) {
      const bool edge = y < size.height && inside(x, y) != inside(x - 1, y);
      if (edge) continue;
      if (start < y) lines_.push_back({area.x + x * dx, area.y + start * dy, area.x + x * dx, area.y + y * dy});
      start = y + 1;
    }
}

void Outline::add_to_path(cairo_t* cairo) const {
  for (const Line& line : lines_) {
    cairo_move_to(cairo, line.x0, line.y0);
    cairo_line_to(cairo, line.x1, line.y1);
  }
}

void stroke_visibly(cairo_t* cairo) {
  cairo_set_line_width(cairo, 3);
  cairo_set_source_rgba(cairo, 0, 0, 0, 0.6);
  cairo_stroke_preserve(cairo);
  cairo_set_line_width(cairo, 1);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_stroke(cairo);
}

}  // namespace geometry_transfer
