// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/preview_pane.h"

#include <gdk/gdkkeysyms.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "dialog/gtk_compat.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr int kWidth = 440, kHeight = 440;  // widget pixels: least size of the preview on a large screen
constexpr int kSettle = 150;                // ms after the last change of size, then the preview is made anew
constexpr double kZoom = 1.25;              // factor of one notch of the wheel
constexpr double kMostZoom = 16;            // widget pixels per canvas pixel
constexpr double kPi = 3.14159265358979323846;

double clamped_scale(double scale) { return std::clamp(scale, find_parameter("scale")->low, find_parameter("scale")->high); }

}  // namespace

PreviewPane::PreviewPane(Request& request, Events events) : request_(request), events_(std::move(events)) {
  box_ = gtk::vbox(6);
  area_ = gtk_drawing_area_new();
  gtk_widget_set_size_request(area_, kWidth, kHeight);
  gtk_widget_set_can_focus(area_, TRUE);
  gtk_widget_add_events(area_, GDK_BUTTON_PRESS_MASK | GDK_BUTTON_RELEASE_MASK | GDK_POINTER_MOTION_MASK | GDK_SCROLL_MASK |
                                   GDK_ENTER_NOTIFY_MASK | GDK_LEAVE_NOTIFY_MASK | GDK_KEY_PRESS_MASK);
  gtk::on_draw<PreviewPane, &PreviewPane::paint>(area_, this);
  const auto on = [this](const char* event, GCallback callback) { g_signal_connect(area_, event, callback, this); };
  on("button-press-event", G_CALLBACK(+[](GtkWidget*, GdkEventButton* e, PreviewPane* self) -> gboolean {
       self->press(*e);
       return TRUE;
     }));
  on("button-release-event", G_CALLBACK(+[](GtkWidget*, GdkEventButton*, PreviewPane* self) -> gboolean {
       self->release();
       return TRUE;
     }));
  on("motion-notify-event", G_CALLBACK(+[](GtkWidget*, GdkEventMotion* e, PreviewPane* self) -> gboolean {
       self->motion(e->x, e->y);
       return TRUE;
     }));
  on("scroll-event", G_CALLBACK(+[](GtkWidget*, GdkEventScroll* e, PreviewPane* self) -> gboolean {
       if (e->direction != GDK_SCROLL_UP && e->direction != GDK_SCROLL_DOWN) return TRUE;
       const bool up = e->direction == GDK_SCROLL_UP;
       if (e->state & GDK_CONTROL_MASK)
         self->zoom(up ? kZoom : 1 / kZoom, e->x, e->y);
       else
         self->scroll(up, e->state);
       return TRUE;
     }));
  on("key-press-event", G_CALLBACK(+[](GtkWidget*, GdkEventKey* e, PreviewPane* self) -> gboolean { return self->key(*e); }));
  for (const char* crossing : {"enter-notify-event", "leave-notify-event"})
    on(crossing, G_CALLBACK(+[](GtkWidget* area, GdkEventCrossing* e, PreviewPane* self) -> gboolean {
         self->inside_ = e->type == GDK_ENTER_NOTIFY;
         gtk_widget_queue_draw(area);
         return FALSE;
       }));
  for (const char* focus : {"focus-in-event", "focus-out-event"})
    g_signal_connect_swapped(area_, focus, G_CALLBACK(+[](GtkWidget* area) -> gboolean {
                               gtk_widget_queue_draw(area);
                               return FALSE;
                             }),
                             area_);
  g_signal_connect_swapped(area_, "size-allocate", G_CALLBACK(+[](PreviewPane* self) { self->resized(); }), this);
  gtk_box_pack_start(GTK_BOX(box_), area_, TRUE, TRUE, 0);

  buttons_ = zoom_buttons();
  gtk_box_pack_start(GTK_BOX(box_), buttons_, FALSE, FALSE, 0);
  compare_ = gtk_check_button_new_with_mnemonic(_("Com_pare with the bare target"));
  gtk_widget_set_tooltip_text(compare_, _("Shows the unedited target to the left of a line that you can drag"));
  g_signal_connect_swapped(compare_, "toggled", G_CALLBACK(gtk_widget_queue_draw), area_);
  gtk_box_pack_start(GTK_BOX(box_), compare_, FALSE, FALSE, 0);
  hint_ = gtk_label_new(_("Drag or arrow keys move, wheel scales, the handle or Shift+wheel turns, Ctrl+wheel zooms"));
  gtk_label_set_line_wrap(GTK_LABEL(hint_), TRUE);
  gtk_label_set_max_width_chars(GTK_LABEL(hint_), 45);  // a long translation breaks instead of making the window wider
  gtk::align_left(hint_);
  gtk_widget_set_size_request(hint_, kWidth, -1);  // GTK 2 breaks its lines by no other width
  gtk_box_pack_start(GTK_BOX(box_), hint_, FALSE, FALSE, 0);
  warning_ = gtk_label_new(nullptr);
  gtk_label_set_line_wrap(GTK_LABEL(warning_), TRUE);
  gtk_label_set_max_width_chars(GTK_LABEL(warning_), 45);
  gtk::align_left(warning_);
  gtk_widget_set_size_request(warning_, kWidth, -1);
  gtk_widget_set_no_show_all(warning_, TRUE);
  gtk_box_pack_start(GTK_BOX(box_), warning_, FALSE, FALSE, 0);
}

GtkWidget* PreviewPane::zoom_buttons() {
  GtkWidget* row = gtk::hbox(0);
  const auto add = [&](const char* label, const char* tip, GCallback clicked) {
    GtkWidget* button = gtk_button_new_with_label(label);
    gtk_widget_set_can_focus(button, FALSE);  // the picture keeps the keyboard
    gtk_widget_set_tooltip_text(button, tip);
    g_signal_connect_swapped(button, "clicked", clicked, this);
    gtk_box_pack_start(GTK_BOX(row), button, FALSE, FALSE, 0);
  };
  add("\u2212", _("Zoom out (Ctrl+wheel)"), G_CALLBACK(+[](PreviewPane* self) { self->zoom_middle(1 / kZoom); }));
  add("+", _("Zoom in (Ctrl+wheel)"), G_CALLBACK(+[](PreviewPane* self) { self->zoom_middle(kZoom); }));
  add("1:1", _("Shows the image's own pixels"), G_CALLBACK(+[](PreviewPane* self) { self->show_pixels(); }));
  add(_("Fit"), _("Shows the whole target"), G_CALLBACK(+[](PreviewPane* self) { self->show_all(); }));
  add(_("Follow"), _("Shows the surroundings of the geometry and follows it"),
      G_CALLBACK(+[](PreviewPane* self) { self->follow(); }));
  return row;
}

int PreviewPane::least_width() const { return std::max(kLeast, gtk::natural_size(buttons_).width); }

void PreviewPane::fit(int width, int height) {
  width = std::clamp(width, least_width(), kWidth);
  gtk_widget_set_size_request(area_, width, std::clamp(height, kLeast, kHeight));
  if (width >= kWidth) return;
  GtkWidget* label = gtk_bin_get_child(GTK_BIN(compare_));
  gtk_label_set_ellipsize(GTK_LABEL(label), PANGO_ELLIPSIZE_END);
  gtk_widget_set_size_request(label, width - 30, -1);
  gtk_widget_set_size_request(hint_, width, -1);
  gtk_widget_set_size_request(warning_, width, -1);
}

PreviewPane::~PreviewPane() {
  for (const unsigned source : {pending_, settling_})
    if (source) g_source_remove(source);
}

double PreviewPane::split() const { return gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(compare_)) ? split_ : -1; }

Size PreviewPane::widget_size() const {
  GtkAllocation place;
  gtk_widget_get_allocation(area_, &place);
  return {std::max(1, place.width), std::max(1, place.height)};
}

void PreviewPane::show(const Call& call) {
  view_.reset();
  problem_.clear();
  wanted_ = {};
  read_ = again_ = [this, call] { read(call); };
  gtk_widget_queue_draw(area_);  // read when it is drawn, so that the window is seen before the image library is opened
}

void PreviewPane::read(const Call& call) {
  try {
    if (!host::is_layer(call.source))
      throw error(Error::Kind::input, _("No other layer shows a geometry. Open a picture of one, or copy one and choose From "
                                        "clipboard. Then select the geometry in it, with a little of its surroundings."));
    auto layers = std::make_unique<SceneFromLayers>(call.image, call.target, call.source, call.further, call.selection);
    view_size_ = widget_size();
    view_ =
        std::make_unique<PreviewView>(std::move(layers), request_.placement, wanted_, view_size_, gtk::pixel_ratio(area_), kept_);
    problem_.clear();
  } catch (const std::exception& e) {
    problem_ = e.what();
    view_.reset();
  }
}

/// Makes the picture for the new size once the window stays as it is; until then the old one is shown.
void PreviewPane::resized() {
  const Size now = widget_size();
  if (!view_ || (now.width == view_size_.width && now.height == view_size_.height)) return;
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
  if (grip_ == Grip::none && !panning_ && wanted_.empty() && view_ && view_->lost(request_.placement))
    read_ = again_;  // the view follows the geometry
  if (const auto read = std::exchange(read_, nullptr)) read();
  if (view_) try {
      view_->render(request_);
      if (view_->rendered()) {
        const GeometryDecisions& decided = view_->decided();
        const std::string warning = light_warning(decided, request_);
        gtk_label_set_text(GTK_LABEL(warning_), warning.c_str());
        gtk_widget_set_visible(warning_, !warning.empty());
        events_.rendered(decided);
      }
    } catch (const std::exception& e) {  // keep the view; the next change renders again
      problem_ = e.what();
    }
  gtk_widget_queue_draw(area_);
}

void PreviewPane::paint(cairo_t* cairo) {
  const Size size = widget_size();
  if (read_) redraw();
  if (view_ && view_->rendered())
    return view_->paint(cairo, size, request_.placement, split(),
                        inside_ || panning_ || grip_ != Grip::none || gtk_widget_has_focus(area_));
  cairo_set_source_rgb(cairo, 0.5, 0.5, 0.5);
  cairo_paint(cairo);
  PangoLayout* text = gtk_widget_create_pango_layout(area_, problem_.c_str());
  pango_layout_set_width(text, (size.width - 40) * PANGO_SCALE);
  cairo_set_source_rgb(cairo, 1, 1, 1);
  cairo_move_to(cairo, 20, 20);
  pango_cairo_show_layout(cairo, text);
  g_object_unref(text);
}

void PreviewPane::press(const GdkEventButton& event) {
  gtk_widget_grab_focus(area_);
  if (!view_) return;
  grip_x_ = event.x;
  grip_y_ = event.y;
  grip_placement_ = request_.placement;
  grip_area_ = view_->area();
  if (event.button == 2 && event.type == GDK_BUTTON_PRESS) panning_ = true;
  if (event.button != 1) return;
  if (event.type == GDK_2BUTTON_PRESS) {
    grip_ = Grip::none;
    request_.placement.shift_x = std::round(view_->canvas_x(event.x) - view_->geometry_x());
    request_.placement.shift_y = std::round(view_->canvas_y(event.y) - view_->geometry_y());
    changed();
  } else if (event.type == GDK_BUTTON_PRESS) {
    grip_ = view_->grip_at(event.x, event.y, request_.placement, split());
  }
}

void PreviewPane::motion(double x, double y) {
  if (!view_) return;
  const PreviewView& v = *view_;
  Placement& p = request_.placement;
  if (panning_)
    return show_area(grip_area_.x + grip_area_.width / 2. - (x - grip_x_) / v.scale(),
                     grip_area_.y + grip_area_.height / 2. - (y - grip_y_) / v.scale(), grip_area_.width);
  switch (grip_) {
    case Grip::none:
      return set_cursor(v.grip_at(x, y, p, split()));
    case Grip::split:
      split_ = std::clamp((v.canvas_x(x) - v.area().x) / v.area().width, 0.0, 1.0);
      return gtk_widget_queue_draw(area_);
    case Grip::move:
      p.shift_x = std::round(grip_placement_.shift_x + (x - grip_x_) / v.scale());
      p.shift_y = std::round(grip_placement_.shift_y + (y - grip_y_) / v.scale());
      break;
    case Grip::turn: {
      // The handle stands straight up at 0 degrees and turns counter-clockwise.
      const double degrees = std::atan2(v.centre_x(p) - x, v.centre_y(p) - y) * 180 / kPi;
      p.rotation = std::round(degrees * 10) / 10;
      break;
    }
    case Grip::scale: {
      const double before = std::hypot(grip_x_ - v.centre_x(p), grip_y_ - v.centre_y(p));
      if (before < 1) return;
      const double factor = std::hypot(x - v.centre_x(p), y - v.centre_y(p)) / before;
      p.scale = clamped_scale(std::round(grip_placement_.scale * factor * 100) / 100);
      break;
    }
  }
  changed();
}

void PreviewPane::release() {
  grip_ = Grip::none;
  panning_ = false;
  if (view_ && view_->lost(request_.placement)) redraw();
}

void PreviewPane::scroll(bool up, unsigned modifiers) {
  if (!view_) return;
  Placement& p = request_.placement;
  if (modifiers & GDK_SHIFT_MASK) {
    p.rotation += up ? 2 : -2;
    if (p.rotation > 180) p.rotation -= 360;
    if (p.rotation < -180) p.rotation += 360;
  } else {
    p.scale = clamped_scale(p.scale * (up ? 1.05 : 1 / 1.05));
  }
  changed();
}

gboolean PreviewPane::key(const GdkEventKey& event) {
  if (!view_) return FALSE;
  const double step = event.state & GDK_SHIFT_MASK ? 10 : 1;
  Placement& p = request_.placement;
  switch (event.keyval) {
    case GDK_KEY_Left:
      p.shift_x -= step;
      break;
    case GDK_KEY_Right:
      p.shift_x += step;
      break;
    case GDK_KEY_Up:
      p.shift_y -= step;
      break;
    case GDK_KEY_Down:
      p.shift_y += step;
      break;
    case GDK_KEY_plus:
    case GDK_KEY_KP_Add:
      zoom_middle(kZoom);
      return TRUE;
    case GDK_KEY_minus:
    case GDK_KEY_KP_Subtract:
      zoom_middle(1 / kZoom);
      return TRUE;
    default:
      return FALSE;
  }
  changed();
  return TRUE;
}

/// Shows `canvas_width` canvas pixels around a point, in the widget's shape, cut to the target.
void PreviewPane::show_area(double middle_x, double middle_y, double canvas_width) {
  if (!view_) return;
  const Rect all = view_->target();
  const Size size = widget_size();
  canvas_width = std::max(canvas_width, size.width / kMostZoom);
  const auto side = [](double wanted, double middle, int low, int high, int& start, int& length) {
    length = std::clamp(static_cast<int>(std::lround(wanted)), 1, high - low);
    start = static_cast<int>(std::clamp(std::round(middle - length / 2.0), double(low), double(high - length)));
  };
  side(canvas_width, middle_x, all.x, all.right(), wanted_.x, wanted_.width);
  side(canvas_width * size.height / size.width, middle_y, all.y, all.bottom(), wanted_.y, wanted_.height);
  read_ = again_;
  redraw();
}

/// Zooms so that the canvas point under the widget's point stays there.
void PreviewPane::zoom(double factor, double x, double y) {
  if (!view_) return;
  const Rect area = view_->area();
  const Size size = widget_size();
  const double width = size.width / view_->scale() / factor;  // the place may be wider than the picture in it
  const double px = view_->canvas_x(x), py = view_->canvas_y(y);
  const double middle_x = px + (area.x + area.width / 2. - px) / factor,
               middle_y = py + (area.y + area.height / 2. - py) / factor;
  show_area(middle_x, middle_y, width);
}

void PreviewPane::zoom_middle(double factor) { zoom(factor, widget_size().width / 2., widget_size().height / 2.); }

void PreviewPane::show_all() {
  if (!view_) return;
  wanted_ = view_->target();
  read_ = again_;
  redraw();
}

void PreviewPane::show_pixels() {
  if (!view_) return;
  const Rect area = view_->area();
  show_area(area.x + area.width / 2., area.y + area.height / 2., widget_size().width);
}

void PreviewPane::follow() {
  wanted_ = {};
  read_ = again_;
  redraw();
}

void PreviewPane::set_cursor(Grip grip) {
  const GdkCursorType type = grip == Grip::turn    ? GDK_EXCHANGE
                             : grip == Grip::scale ? GDK_SIZING
                             : grip == Grip::split ? GDK_SB_H_DOUBLE_ARROW
                                                   : GDK_FLEUR;
  GdkCursor* cursor = gdk_cursor_new_for_display(gtk_widget_get_display(area_), type);
  gdk_window_set_cursor(gtk_widget_get_window(area_), cursor);
  gtk::unref_cursor(cursor);
}

void PreviewPane::changed() {
  events_.moved();
  redraw();
}

}  // namespace geometry_transfer
