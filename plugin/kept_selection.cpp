// SPDX-License-Identifier: GPL-3.0-or-later
#include "kept_selection.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kStateKey[] = "geometry-transfer-selection";  // name of a note of the channel; saved files hold it

/// Calls `row(y, coverage)` for each row of `area`, with one byte a pixel, in bands of limited memory.
template <class Row>
void for_each_row(Id channel, const Rect& area, Row row) {
  const host::Buffer buffer = host::pixels(channel);
  const int band = std::max(1, (1 << 22) / std::max(1, area.width));
  std::vector<unsigned char> bytes;
  for (int y = area.y; y < area.bottom(); y += band) {
    const GeglRectangle part = {area.x, y, area.width, std::min(band, area.bottom() - y)};
    bytes.resize(static_cast<std::size_t>(part.width) * part.height);
    gegl_buffer_get(buffer.get(), &part, 1, babl_format("Y u8"), bytes.data(), GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
    for (int i = 0; i < part.height; ++i) row(y + i, &bytes[static_cast<std::size_t>(i) * part.width]);
  }
}

}  // namespace

std::string selection_state(Id image) {
  const Rect bounds = host::selection_bounds(image);
  if (bounds.empty()) return {};
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a
  for_each_row(host::selection(image), bounds, [&](int, const unsigned char* row) {
    for (int x = 0; x < bounds.width; ++x) hash = (hash ^ row[x]) * 1099511628211u;
  });
  char text[96];
  std::snprintf(text, sizeof text, "%d %d %d %d %016llx", bounds.x, bounds.y, bounds.width, bounds.height,
                static_cast<unsigned long long>(hash));
  return text;
}

std::string state_of_kept_selection(Id channel) { return host::layer_note(channel, kStateKey); }

Id find_kept_selection(Id image, const std::string& state) {
  for (const Id channel : host::channels(image))
    if (host::layer_note(channel, kStateKey) == state) return channel;
  return kNone;
}

Id copy_selection(Id image, const std::string& name, const std::string& state) {
  const Id copy = host::make_channel(image, name);
  if (copy == kNone) return kNone;
  gegl_buffer_copy(host::pixels(host::selection(image)).get(), nullptr, GEGL_ABYSS_NONE, host::pixels(copy).get(), nullptr);
  host::set_layer_note(copy, kStateKey, state);
  return copy;
}

bool selects_everything(Id image) {
  const Id selection = host::selection(image);
  const Rect all = host::extent(selection);
  if (!(host::selection_bounds(image) == Rect{0, 0, all.width, all.height})) return false;
  bool everything = true;
  for_each_row(selection, {0, 0, all.width, all.height}, [&](int, const unsigned char* row) {
    everything &= std::all_of(row, row + all.width, [](unsigned char c) { return c == 255; });
  });
  return everything;
}

Rect covered_bounds(Id channel) {
  const Rect all = host::extent(channel);
  int left = all.width, right = 0, top = -1, bottom = 0;
  for_each_row(channel, {0, 0, all.width, all.height}, [&](int y, const unsigned char* row) {
    const unsigned char *end = row + all.width, *first = std::find_if(row, end, [](unsigned char c) { return c != 0; });
    if (first == end) return;
    const unsigned char* last = end - 1;
    while (*last == 0) --last;
    left = std::min(left, static_cast<int>(first - row));
    right = std::max(right, static_cast<int>(last - row) + 1);
    if (top < 0) top = y;
    bottom = y + 1;
  });
  return top < 0 ? Rect{} : Rect{left, top, right - left, bottom - top};
}

}  // namespace geometry_transfer
