// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/slider.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dialog/gtk_compat.h"

namespace geometry_transfer {
namespace {

constexpr int kLeastWidth = 120;  // widget pixels

/// Range of a slider that covers less than the parameter's accepted range, in the parameter's unit: factors, degrees,
/// pixels, pixels, timesteps. Chosen so that a hand can set usual values.
struct Reach {
  const char* name;
  double low, high;
};
constexpr Reach kReaches[] = {
    {"scale", 0.1, 10}, {"rotation", -180, 180}, {"grow", -50, 50}, {"feather", 0, 50}, {"noise", 1, 1000}};

const Reach* reach_of(const Parameter& p) {
  for (const Reach& r : kReaches)
    if (r.name == std::string(p.name)) return &r;
  return nullptr;
}

/// Two adjustments that follow each other. Lives as long as the slider does, which is as long as the number's own
/// widget.
struct Pair {
  const Parameter* parameter;
  Reach reach;
  GtkAdjustment *number, *slid;
  bool following = false;

  /// A range above 0 is logarithmic: equal distances on the slider are equal factors.
  bool by_factors() const { return reach.low > 0; }
  double along(double value) const { return by_factors() ? std::log2(value) : value; }
  double value(double along) const { return by_factors() ? std::exp2(along) : along; }

  void follow_number() {
    if (following) return;
    following = true;
    const double shown = std::clamp(gtk_adjustment_get_value(number), reach.low, reach.high);
    gtk_adjustment_set_value(slid, along(shown));
    following = false;
  }
  void follow_slider() {
    if (following) return;
    following = true;
    const double unit = std::pow(10, parameter->digits);
    gtk_adjustment_set_value(number, std::round(value(gtk_adjustment_get_value(slid)) * unit) / unit);
    following = false;
  }
};

/// The number's adjustment, or one that follows it.
GtkAdjustment* adjustment_of(const Parameter& p, GtkAdjustment* number, Pair*& pair) {
  const Reach* reach = reach_of(p);
  if (!reach) return number;
  pair = new Pair{&p, *reach, number, nullptr};
  const double low = pair->along(reach->low), high = pair->along(reach->high);
  const double step = pair->by_factors() ? std::log2(1 + p.step) : p.step;
  pair->slid = GTK_ADJUSTMENT(gtk_adjustment_new(low, low, high, step, 4 * step, 0));
  g_signal_connect_swapped(number, "value-changed", G_CALLBACK(+[](Pair* self) { self->follow_number(); }), pair);
  g_signal_connect_swapped(pair->slid, "value-changed", G_CALLBACK(+[](Pair* self) { self->follow_slider(); }), pair);
  return pair->slid;
}

}  // namespace

bool wants_slider(const Parameter& p) { return reach_of(p) || (p.high - p.low <= 1000 && !(p.low > 0 && p.high / p.low > 500)); }

GtkWidget* slider_of(const Parameter& p, GtkAdjustment* number) {
  Pair* pair = nullptr;
  GtkWidget* slider = gtk::slider(adjustment_of(p, number, pair));
  gtk_scale_set_draw_value(GTK_SCALE(slider), FALSE);
  gtk_widget_set_size_request(slider, kLeastWidth, -1);
  gtk_widget_set_can_focus(slider, FALSE);  // the spin button beside it takes the keyboard
  if (!pair) return slider;
  g_object_ref(pair->number);
  g_object_ref(pair->slid);
  g_object_set_data_full(G_OBJECT(slider), "geometry-transfer-pair", pair, [](gpointer p) {
    auto* gone = static_cast<Pair*>(p);
    g_signal_handlers_disconnect_by_data(gone->number, gone);
    g_signal_handlers_disconnect_by_data(gone->slid, gone);
    g_object_unref(gone->number);
    g_object_unref(gone->slid);
    delete gone;
  });
  return slider;
}

}  // namespace geometry_transfer
