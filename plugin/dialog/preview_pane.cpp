// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/preview_pane.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "dialog/gtk_compat.h"
#include "request/text.h"
#include "scene_from_layers.h"

namespace geometry_transfer {
namespace {

constexpr int kWidth = 440,
              kHeight = 440;  // the picture's place has at least that, where the screen does; more when the window grows
constexpr double kMostPixels = 840. * 760;  // of the picture: what can be drawn fast enough to be dragged; beyond, it is enlarged
constexpr int kSettle = 150;                // milliseconds without a change of size until the picture is made for it
constexpr double kHandle = 7;               // radius of the turning handle, widget pixels
constexpr double kArm = 48;                 // from the middle to it
constexpr double kPi = 3.14159265358979323846;

using Surface = std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)>;

/// R'G'B' bytes as cairo stores them.
Surface surface_of(const Preview::View& view) {
  Surface made(cairo_image_surface_create(CAIRO_FORMAT_RGB24, view.size.width, view.size.height), cairo_surface_destroy);
  unsigned char* data = cairo_image_surface_get_data(made.get());
  const int stride = cairo_image_surface_get_stride(made.get());
  for (int y = 0; y < view.size.height; ++y) {
    auto* row = reinterpret_cast<guint32*>(data + static_cast<size_t>(y) * stride);
    const unsigned char* in = &view.rgb[static_cast<size_t>(y) * view.size.width * 3];
    for (int x = 0; x < view.size.width; ++x, in += 3) row[x] = (in[0] << 16) | (in[1] << 8) | in[2];
  }
  cairo_surface_mark_dirty(made.get());
  return made;
}

}  // namespace

/// What is shown, and the way from the canvas to the widget.
struct PreviewPane::View {
  std::unique_ptr<SceneFromLayers> layers;
  std::unique_ptr<Preview> preview;
  Surface edited{nullptr, cairo_surface_destroy}, bare{nullptr, cairo_surface_destroy};
  Rect area;         // of the canvas
  double left, top;  // of the picture in the widget
  double width, height;
  double scale() const { return width / area.width; }  // widget pixels a canvas pixel
  /// Middle of the geometry as placed.
  double centre_x(const Request& r) const { return left + (layers->centre_x() + r.placement.shift_x - area.x) * scale(); }
  double centre_y(const Request& r) const { return top + (layers->centre_y() + r.placement.shift_y - area.y) * scale(); }
  /// True where that middle is on the target and outside the view.
  bool lost(const Request& r) const {
    const double x = layers->centre_x() + r.placement.shift_x, y = layers->centre_y() + r.placement.shift_y;
    const auto in = [&](const Rect& a) { return x >= a.x && x < a.right() && y >= a.y && y < a.bottom(); };
    return in(layers->scene().target->extent()) && !in(area);
  }
  double handle_x(const Request& r) const { return centre_x(r) - kArm * std::sin(r.placement.rotation * kPi / 180); }
  double handle_y(const Request& r) const { return centre_y(r) - kArm * std::cos(r.placement.rotation * kPi / 180); }
};

PreviewPane::PreviewPane(Request& request, std::function<void()> moved) : request_(request), moved_(std::move(moved)) {
  box_ = gtk::vbox(6);
  area_ = gtk_drawing_area_new();
  gtk_widget_set_size_request(area_, kWidth, kHeight);
  gtk_widget_add_events(area_, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_BUTTON_MOTION_MASK | GDK_SCROLL_MASK);
  gtk::on_draw<PreviewPane, &PreviewPane::paint>(area_, this);
  g_signal_connect(area_, "button-press-event", G_CALLBACK(+[](GtkWidget*, GdkEventButton* e, gpointer self) -> gboolean {
                     if (e->button == 1 && e->type == GDK_BUTTON_PRESS) static_cast<PreviewPane*>(self)->press(e->x, e->y);
                     return TRUE;
                   }),
                   this);
  g_signal_connect(area_, "button-release-event", G_CALLBACK(+[](GtkWidget*, GdkEventButton*, gpointer self) -> gboolean {
                     static_cast<PreviewPane*>(self)->release();
                     return TRUE;
                   }),
                   this);
  g_signal_connect(area_, "motion-notify-event", G_CALLBACK(+[](GtkWidget*, GdkEventMotion* e, gpointer self) -> gboolean {
                     static_cast<PreviewPane*>(self)->drag(e->x, e->y);
                     return TRUE;
                   }),
                   this);
  g_signal_connect(area_, "scroll-event", G_CALLBACK(+[](GtkWidget*, GdkEventScroll* e, gpointer self) -> gboolean {
                     if (e->direction == GDK_SCROLL_UP || e->direction == GDK_SCROLL_DOWN)
                       static_cast<PreviewPane*>(self)->scroll(e->direction == GDK_SCROLL_UP, e->state);
                     return TRUE;
                   }),
                   this);
  g_signal_connect_swapped(area_, "size-allocate", G_CALLBACK(+[](PreviewPane* self) { self->resized(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), area_, TRUE, TRUE, 0);

  compare_ = gtk_check_button_new_with_mnemonic(_("Com_pare with the bare target"));
  gtk_widget_set_tooltip_text(compare_, _("Shows the target without the edit left of a line that can be dragged"));
  g_signal_connect_swapped(compare_, "toggled", G_CALLBACK(gtk_widget_queue_draw), area_);
  gtk_box_pack_start(GTK_BOX(box_), compare_, FALSE, FALSE, 0);
  hint_ = gtk_label_new(_("Drag moves, wheel scales, the handle or Shift+wheel turns"));
  gtk_label_set_line_wrap(GTK_LABEL(hint_), TRUE);
  gtk_label_set_max_width_chars(GTK_LABEL(hint_), 45);  // a long translation breaks, and does not push the picture aside
  gtk::align_left(hint_);
  gtk_widget_set_size_request(hint_, kWidth, -1);  // GTK 2 breaks its lines by no other width
  gtk_box_pack_start(GTK_BOX(box_), hint_, FALSE, FALSE, 0);
}

void PreviewPane::fit(int width, int height) {
  width = std::clamp(width, kLeast, kWidth);
  gtk_widget_set_size_request(area_, width, std::clamp(height, kLeast, kHeight));
  if (width >= kWidth) return;
  GtkWidget* label = gtk_bin_get_child(GTK_BIN(compare_));
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_size_request(label, width - 30, -1);
  gtk_widget_set_size_request(hint_, width, -1);
}

PreviewPane::~PreviewPane() {
  for (const unsigned source : {pending_, settling_})
    if (source) g_source_remove(source);
}

void PreviewPane::show(const Call& call) {
  view_.reset();
  problem_.clear();
  read_ = again_ = [this, call] { read(call); };
  gtk_widget_queue_draw(area_);  // and from there on: the window is to be seen before the image library is opened
}

void PreviewPane::read(const Call& call) {
  try {
    if (!host::is_layer(call.source))
      throw error(Error::Kind::input,
                  _("There is no other layer to take the geometry from. Open a picture of it, or copy one and choose From "
                    "clipboard. Then select the geometry on it with a little of its surroundings."));
    auto view = std::make_unique<View>();
    view->layers = std::make_unique<SceneFromLayers>(call.image, call.target, call.source, call.further, call.selection);
    GtkAllocation place;
    gtk_widget_get_allocation(area_, &place);
    made_for_ = {place.width, place.height};
    // Picture's pixels of one of the widget's.
    const double ratio = std::min(double(gtk::pixel_ratio(area_)), std::sqrt(kMostPixels / (double(place.width) * place.height)));
    view->preview = image_part().preview(
        view->layers->scene(),
        {static_cast<int>(std::lround(place.width * ratio)), static_cast<int>(std::lround(place.height * ratio))},
        request_.placement);
    const Preview::View& bare = view->preview->target();
    view->bare = surface_of(bare);
    view->area = bare.area;
    view->width = std::min(bare.size.width / ratio, double(place.width));
    view->height = std::min(bare.size.height / ratio, double(place.height));
    view_ = std::move(view);
  } catch (const std::exception& e) {
    problem_ = e.what();
    view_.reset();
  }
}

/// A picture of the new size follows once the window stays as it is; the one that is there is shown until then.
void PreviewPane::resized() {
  GtkAllocation place;
  gtk_widget_get_allocation(area_, &place);
  if (!view_ || (place.width == made_for_.width && place.height == made_for_.height)) return;
  if (settling_) g_source_remove(settling_);
  const auto settled = +[](gpointer self) -> gboolean {
    auto* pane = static_cast<PreviewPane*>(self);
    pane->settling_ = 0;
    pane->read_ = pane->again_;
    pane->redraw();
    return FALSE;
  };
  settling_ = g_timeout_add(kSettle, settled, this);
}

void PreviewPane::redraw() {
  if (pending_) return;
  const auto draw = +[](gpointer self) -> gboolean {
    static_cast<PreviewPane*>(self)->pending_ = 0;
    static_cast<PreviewPane*>(self)->render();
    return FALSE;
  };
  pending_ = g_idle_add(draw, this);
}

void PreviewPane::render() {
  if (grip_ == Grip::none && view_ && view_->lost(request_)) read_ = again_;  // the view follows what left it
  if (const auto read = std::exchange(read_, nullptr)) read();
  if (view_) try {
      view_->edited = surface_of(view_->preview->render(request_));
    } catch (const std::exception& e) {  // the view stays: the next change may mend it
      problem_ = e.what();
      view_->edited.reset();
    }
  gtk_widget_queue_draw(area_);
}

void PreviewPane::paint(cairo_t* cairo) {
  GtkAllocation size;
  gtk_widget_get_allocation(area_, &size);
  if (read_) redraw();
  if (!view_ || !view_->edited) {
    cairo_set_source_rgb(cairo, 0.5, 0.5, 0.5);
    cairo_paint(cairo);
    PangoLayout* text = gtk_widget_create_pango_layout(area_, problem_.c_str());
    pango_layout_set_width(text, (size.width - 40) * PANGO_SCALE);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_move_to(cairo, 20, 20);
    pango_cairo_show_layout(cairo, text);
    g_object_unref(text);
    return;
  }
  View& v = *view_;
  v.left = std::floor((size.width - v.width) / 2);
  v.top = std::floor((size.height - v.height) / 2);
  const auto picture = [&](cairo_surface_t* surface, double from, double to) {
    cairo_save(cairo);
    cairo_rectangle(cairo, v.left + from * v.width, v.top, (to - from) * v.width, v.height);
    cairo_clip(cairo);
    cairo_translate(cairo, v.left, v.top);
    const double shrink = v.width / cairo_image_surface_get_width(surface);
    cairo_scale(cairo, shrink, shrink);
    cairo_set_source_surface(cairo, surface, 0, 0);
    cairo_paint(cairo);
    cairo_restore(cairo);
  };
  const bool comparing = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(compare_));
  picture(v.edited.get(), comparing ? split_ : 0, 1);
  if (comparing) picture(v.bare.get(), 0, split_);

  // Lines in white on black are seen on any picture.
  const auto stroke = [&] {
    cairo_set_line_width(cairo, 3);
    cairo_set_source_rgba(cairo, 0, 0, 0, 0.6);
    cairo_stroke_preserve(cairo);
    cairo_set_line_width(cairo, 1);
    cairo_set_source_rgb(cairo, 1, 1, 1);
    cairo_stroke(cairo);
  };
  cairo_rectangle(cairo, v.left, v.top, v.width, v.height);
  cairo_clip(cairo);
  if (comparing) {
    cairo_move_to(cairo, v.left + split_ * v.width, v.top);
    cairo_rel_line_to(cairo, 0, v.height);
    stroke();
  }
  const double x = v.centre_x(request_), y = v.centre_y(request_), hx = v.handle_x(request_), hy = v.handle_y(request_);
  cairo_move_to(cairo, x - 5, y);
  cairo_line_to(cairo, x + 5, y);
  cairo_move_to(cairo, x, y - 5);
  cairo_line_to(cairo, x, y + 5);
  stroke();
  cairo_arc(cairo, hx, hy, kHandle, 0, 2 * kPi);
  stroke();
}

void PreviewPane::press(double x, double y) {
  if (!view_) return;
  const View& v = *view_;
  grip_x_ = x;
  grip_y_ = y;
  grip_placement_ = request_.placement;
  const bool comparing = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(compare_));
  if (std::hypot(x - v.handle_x(request_), y - v.handle_y(request_)) < kHandle + 4)
    grip_ = Grip::turn;
  else if (comparing && std::abs(x - (v.left + split_ * v.width)) < 6)
    grip_ = Grip::split;
  else
    grip_ = Grip::move;
}

void PreviewPane::drag(double x, double y) {
  if (!view_ || grip_ == Grip::none) return;
  const View& v = *view_;
  Placement& p = request_.placement;
  if (grip_ == Grip::split) {
    split_ = std::clamp((x - v.left) / v.width, 0.0, 1.0);
    gtk_widget_queue_draw(area_);
    return;
  }
  if (grip_ == Grip::move) {
    p.shift_x = std::round(grip_placement_.shift_x + (x - grip_x_) / v.scale());
    p.shift_y = std::round(grip_placement_.shift_y + (y - grip_y_) / v.scale());
  } else {
    // The handle stands straight up at 0 degrees and turns counter-clockwise.
    const double degrees = std::atan2(v.centre_x(request_) - x, v.centre_y(request_) - y) * 180 / kPi;
    p.rotation = std::round(degrees * 10) / 10;
  }
  changed();
}

void PreviewPane::release() {
  grip_ = Grip::none;
  if (view_ && view_->lost(request_)) redraw();
}

void PreviewPane::scroll(bool up, unsigned modifiers) {
  if (!view_) return;
  Placement& p = request_.placement;
  if (modifiers & GDK_SHIFT_MASK) {
    p.rotation += up ? 2 : -2;
    if (p.rotation > 180) p.rotation -= 360;
    if (p.rotation < -180) p.rotation += 360;
  } else {
    p.scale = std::clamp(p.scale * (up ? 1.05 : 1 / 1.05), find_parameter("scale")->low, find_parameter("scale")->high);
  }
  changed();
}

void PreviewPane::changed() {
  moved_();
  redraw();
}

}  // namespace geometry_transfer
