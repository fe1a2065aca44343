// SPDX-License-Identifier: GPL-3.0-or-later
/// Times that a user sees without a model: Instant, and a redraw of the dialog's preview while it is dragged.
/// Run: meson test --benchmark, or build/tests/benchmark/edit_benchmark --help.
#include <benchmark/benchmark.h>

#include "geometry-transfer/transfer.h"
#include "image/preview.h"
#include "scene_on_mats.h"

namespace geometry_transfer {
namespace {

/// The argument is the side of the working rectangle, in which every pixel is edited.
void BM_Instant(benchmark::State& state) {
  const int side = int(state.range(0));
  test::Dent d({side + 400, side + 200}, {side / 2 + 200.0, side / 2 + 100.0}, 0.175 * side);
  int width = 0;
  for (auto _ : state) {
    Report report;
    benchmark::DoNotOptimize(image_part().edit(d.scene, {}, nullptr, report));
    width = report.rectangle.width;
  }
  state.counters["rectangle"] = width;
}
BENCHMARK(BM_Instant)->ArgName("side")->Arg(500)->Arg(2000)->UseRealTime()->Unit(benchmark::kMillisecond);

/// A drag looks smooth if every redraw takes less than 50 ms. The argument is the picture's width: that of the dialog
/// as it opens, and the largest (kMostPixels in plugin/dialog/preview_view.cpp).
void BM_PreviewDrag(benchmark::State& state) {
  test::Dent d({3000, 2000}, {1500, 1000}, double(state.range(0)));
  const auto preview = make_preview(d.scene, {int(state.range(1)), int(state.range(1)) * 9 / 10});
  Request request;
  preview->render(request);
  int i = 0;
  for (auto _ : state) {
    i = (i + 1) % 20;
    request.placement.shift_x = 3 * i, request.placement.rotation = 2 * i, request.placement.scale = 1 + 0.01 * i;
    benchmark::DoNotOptimize(preview->render(request).rgb.data());
  }
}
BENCHMARK(BM_PreviewDrag)
    ->ArgNames({"radius", "width"})
    ->ArgsProduct({{60, 250, 800}, {440, 840}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace geometry_transfer

BENCHMARK_MAIN();
