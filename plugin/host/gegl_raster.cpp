// SPDX-License-Identifier: GPL-3.0-or-later
#include "host/gegl_raster.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace geometry_transfer {

void start_gegl() {
  constexpr char kPath[] = "GEGL_PATH";
  gchar* own = g_strdup(g_getenv(kPath));
  g_setenv(kPath, "/nonexistent", TRUE);
  gegl_init(nullptr, nullptr);
  if (own)
    g_setenv(kPath, own, TRUE);
  else
    g_unsetenv(kPath);
  g_free(own);
}

namespace {

/// Describes one output pixel of an axis: its input pixels and their weights.
struct Tap {
  int first;
  std::vector<float> weights;  // sum 1
};

/// Returns the taps of `count` output pixels for the interval [begin, begin + length) of an axis with `available` input
/// pixels. Averages areas if the output is coarser, interpolates linearly if it is finer.
std::vector<Tap> taps(double begin, double length, int count, int available) {
  std::vector<Tap> taps(count);
  const double ratio = length / count;
  for (int i = 0; i < count; ++i) {
    const double centre = begin + (i + 0.5) * ratio;
    const double reach = std::max(ratio, 1.0);  // half width of the box, or of the triangle
    Tap& tap = taps[i];
    const double low = ratio >= 1 ? centre - reach / 2 : centre - 0.5 - reach / 2;
    const double high = ratio >= 1 ? centre + reach / 2 : centre - 0.5 + reach / 2 + 1;
    tap.first = std::clamp(static_cast<int>(std::floor(low)), 0, available - 1);
    const int last = std::clamp(static_cast<int>(std::ceil(high)) - 1, tap.first, available - 1);
    double sum = 0;
    for (int p = tap.first; p <= last; ++p) {
      const double w = ratio >= 1 ? std::min(high, p + 1.0) - std::max(low, double(p))  // share of the pixel in the box
                                  : 1 - std::abs(p + 0.5 - centre);
      tap.weights.push_back(static_cast<float>(std::max(w, 0.0)));
      sum += tap.weights.back();
    }
    if (sum <= 0) {
      tap.weights.assign(tap.weights.size(), 0);
      tap.weights.front() = 1;
    } else {
      for (float& w : tap.weights) w = static_cast<float>(w / sum);
    }
  }
  return taps;
}

}  // namespace

void GeglRaster::copy(const Rect& area, float* out) const {
  const GeglRectangle r = {area.x - x_, area.y - y_, area.width, area.height};
  const Babl* format = babl_format(kind_ == Kind::colour ? "R'G'B'A float" : "Y float");
  gegl_buffer_get(buffer_.get(), &r, 1.0, format, out, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
}

void GeglRaster::read(const Rect& area, Size size, float* out) const {
  if (size.width == area.width && size.height == area.height) return copy(area, out);
  // GEGL does the halvings (it keeps a pyramid). The remaining factor below two is done here. Colour is averaged with
  // alpha as weight, so hidden colours of transparent pixels do not bleed in.
  const double ratio = std::min(double(area.width) / size.width, double(area.height) / size.height);
  const int level = std::clamp(static_cast<int>(std::floor(std::log2(std::max(ratio, 1.0)))), 0, 8);
  const double unit = 1 << level;  // canvas pixels of one pixel of the pyramid's level
  const double left = (area.x - x_) / unit, top = (area.y - y_) / unit;
  const int x0 = static_cast<int>(std::floor(left)), y0 = static_cast<int>(std::floor(top));
  const int width = static_cast<int>(std::ceil(left + area.width / unit)) - x0;
  const int height = static_cast<int>(std::ceil(top + area.height / unit)) - y0;
  const int n = channels();
  const Babl* format = babl_format(n == 4 ? "R'aG'aB'aA float" : "Y float");

  const auto columns = taps(left - x0, area.width / unit, size.width, width);
  const auto rows = taps(top - y0, area.height / unit, size.height, height);
  std::vector<float> line(static_cast<size_t>(width) * n), narrow(static_cast<size_t>(size.width) * n);
  std::fill(out, out + static_cast<size_t>(size.width) * size.height * n, 0.f);

  // Bands keep memory small on a large canvas.
  constexpr int kBand = 256;
  std::vector<float> band;
  size_t first_row = 0;  // earlier rows are not needed by this band or later ones
  for (int b = 0; b < height; b += kBand) {
    const int count = std::min(kBand, height - b);
    band.resize(static_cast<size_t>(width) * count * n);
    const GeglRectangle r = {x0, y0 + b, width, count};
    gegl_buffer_get(buffer_.get(), &r, 1 / unit, format, band.data(), GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_CLAMP);
    for (int y = 0; y < count; ++y) {
      const float* in = &band[static_cast<size_t>(y) * width * n];
      for (int x = 0; x < size.width; ++x)
        for (int c = 0; c < n; ++c) {
          float sum = 0;
          for (size_t k = 0; k < columns[x].weights.size(); ++k)
            sum += columns[x].weights[k] * in[(columns[x].first + k) * n + c];
          narrow[static_cast<size_t>(x) * n + c] = sum;
        }
      for (size_t j = first_row; j < rows.size() && rows[j].first <= b + y; ++j) {
        const int k = b + y - rows[j].first;
        if (k >= static_cast<int>(rows[j].weights.size())) {
          if (j == first_row) ++first_row;
          continue;
        }
        float* to = out + j * size.width * n;
        for (size_t i = 0; i < narrow.size(); ++i) to[i] += rows[j].weights[k] * narrow[i];
      }
    }
  }
  if (n == 4)
    for (size_t i = 0; i < static_cast<size_t>(size.width) * size.height; ++i)
      for (int c = 0; c < 3; ++c) out[i * 4 + c] = out[i * 4 + 3] > 1e-6f ? out[i * 4 + c] / out[i * 4 + 3] : 0;
}

void write_layer(GeglBuffer* buffer, const Layer& layer) {
  const GeglRectangle r = {0, 0, layer.area.width, layer.area.height};
  gegl_buffer_set(buffer, &r, 0, babl_format("R'G'B'A float"), layer.rgba.data(), GEGL_AUTO_ROWSTRIDE);
}

}  // namespace geometry_transfer
