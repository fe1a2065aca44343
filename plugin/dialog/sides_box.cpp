// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/sides_box.h"

#include <gdk/gdk.h>

#include <algorithm>
#include <exception>
#include <string>

#include "dialog/gtk_compat.h"
#include "host/host_ui.h"
#include "kept_selection.h"
#include "request/text.h"
#include "scene_from_layers.h"

namespace geometry_transfer {
namespace {

constexpr int kPicture = 72;  // side of a thumbnail, widget pixels
constexpr int kHint = 400;    // width of Call::hint, widget pixels

GtkWidget* button(const char* label, const char* tip, GCallback clicked, gpointer owner) {
  GtkWidget* button = gtk_button_new_with_mnemonic(label);
  gtk_widget_set_tooltip_text(button, tip);
  g_signal_connect_swapped(button, "clicked", clicked, owner);
  return button;
}

GtkWidget* title(const char* text) {
  GtkWidget* label = gtk_label_new_with_mnemonic(text);
  gtk::align_left(label);
  return label;
}

/// "wall", and the image's name if another image is open beside it.
std::string layer_name(host::Id layer) {
  const std::string name = host::item_name(layer);
  return host::images().size() > 1 ? sentence(_("{0} in {1}"), name, host::image_name(host::image_of(layer))) : name;
}

}  // namespace

SidesBox::SidesBox(Call& call, Events events) : call_(call), events_(std::move(events)) {
  box_ = gtk::vbox(6);
  if (!call.hint.empty()) {
    GtkWidget* hint = gtk_label_new(call.hint.c_str());
    gtk_label_set_line_wrap(GTK_LABEL(hint), TRUE);
    gtk_label_set_max_width_chars(GTK_LABEL(hint), 45);
    gtk_widget_set_size_request(hint, kHint, -1);  // GTK 2 breaks its lines by no other width
    gtk::align_left(hint);
    gtk_box_pack_start(GTK_BOX(box_), hint, FALSE, FALSE, 0);
  }

  GtkWidget *from = gtk::hbox(12), *column = gtk::vbox(3), *row = gtk::hbox(6), *name = title(_("From: reference layer"));
  bool ready = false;
  chooser_ = host::layer_chooser(call.target, call.source, [this, ready](host::Id source) mutable {
    call_.source = source;
    if (ready) events_.source_chosen();  // not while the list is made
    ready = true;
  });
  gtk_label_set_mnemonic_widget(GTK_LABEL(name), chooser_);
  gtk_widget_set_tooltip_text(
      chooser_, _("The layer that shows the selected geometry. For a layer of another image, that image's selection counts"));
  gtk_box_pack_start(GTK_BOX(row),
                     button(_("Open file..."), _("Opens a picture and takes it as the reference"),
                            G_CALLBACK(+[](SidesBox* self) { self->open_file(); }), this),
                     FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(row),
                     button(_("From clipboard"), _("Opens the copied picture as a new image and uses it as the reference"),
                            G_CALLBACK(+[](SidesBox* self) { self->take_clipboard(); }), this),
                     FALSE, FALSE, 0);
  for (GtkWidget* part : {name, chooser_, row}) gtk_box_pack_start(GTK_BOX(column), part, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(from), picture_area(from_), FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(from), column, TRUE, TRUE, 0);

  GtkWidget *onto = gtk::hbox(12), *target = gtk::vbox(3), *below = gtk::hbox(6);
  GtkWidget* target_name = gtk_label_new(layer_name(call.target).c_str());
  gtk_label_set_ellipsize(GTK_LABEL(target_name), PANGO_ELLIPSIZE_MIDDLE);
  gtk::align_left(target_name);
  gtk_box_pack_start(
      GTK_BOX(below),
      button(_("S_wap"), _("Exchanges reference and target"), G_CALLBACK(+[](SidesBox* self) { self->swap(); }), this), FALSE,
      FALSE, 0);
  for (GtkWidget* part : {title(_("Onto: target layer")), target_name, below})
    gtk_box_pack_start(GTK_BOX(target), part, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(onto), picture_area(onto_), FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(onto), target, TRUE, TRUE, 0);

  gtk_box_pack_start(GTK_BOX(box_), from, FALSE, FALSE, 0);
  gtk_box_pack_start(GTK_BOX(box_), onto, FALSE, FALSE, 0);
  gtk::on_draw<SidesBox, &SidesBox::paint_from>(from_.area, this);
  gtk::on_draw<SidesBox, &SidesBox::paint_onto>(onto_.area, this);
  for (Picture* picture : {&from_, &onto_})  // frees the pixels with the widget
    g_signal_connect_swapped(picture->area, "destroy", G_CALLBACK(+[](Picture* p) { g_clear_object(&p->pixels); }), picture);
}

GtkWidget* SidesBox::picture_area(Picture& picture) {
  picture.area = gtk_drawing_area_new();
  gtk_widget_set_size_request(picture.area, kPicture, kPicture);
  return picture.area;
}

void SidesBox::set_picture(Picture& picture, host::Id layer) {
  g_clear_object(&picture.pixels);
  picture.outline = {};
  if (host::is_layer(layer)) {
    picture.pixels = host::thumbnail(layer, kPicture * gtk::pixel_ratio(picture.area));
    picture.extent = host::extent(layer);
  }
  gtk_widget_queue_draw(picture.area);
}

void SidesBox::show_pictures() {
  set_picture(from_, call_.source);
  set_picture(onto_, call_.target);
  try {
    const SceneFromLayers layers(call_.image, call_.target, call_.source, {}, call_.selection);
    from_.extent = layers.placed_references()[0].extent;
    from_.outline = Outline(*layers.scene().references[0].mask, kPicture);
  } catch (const std::exception&) {  // the preview says why: nothing is selected, for example
  }
}

void SidesBox::paint(const Picture& picture, cairo_t* cairo) {
  GtkAllocation place;
  gtk_widget_get_allocation(picture.area, &place);
  cairo_set_source_rgba(cairo, 0.5, 0.5, 0.5, 0.4);
  cairo_rectangle(cairo, 0.5, 0.5, place.width - 1, place.height - 1);
  cairo_set_line_width(cairo, 1);
  cairo_stroke(cairo);
  if (!picture.pixels || picture.extent.empty()) return;
  const int width = gdk_pixbuf_get_width(picture.pixels), height = gdk_pixbuf_get_height(picture.pixels);
  const double shrink = std::min(double(place.width) / width, double(place.height) / height);
  cairo_translate(cairo, (place.width - width * shrink) / 2, (place.height - height * shrink) / 2);
  cairo_rectangle(cairo, 0, 0, width * shrink, height * shrink);
  cairo_clip(cairo);
  cairo_save(cairo);
  cairo_scale(cairo, shrink, shrink);
  gdk_cairo_set_source_pixbuf(cairo, picture.pixels, 0, 0);
  cairo_paint(cairo);
  cairo_restore(cairo);
  cairo_save(cairo);
  cairo_scale(cairo, width * shrink / picture.extent.width, height * shrink / picture.extent.height);
  cairo_translate(cairo, -picture.extent.x, -picture.extent.y);
  picture.outline.add_to_path(cairo);
  cairo_restore(cairo);  // the path stays, lines are as wide as elsewhere
  stroke_visibly(cairo);
}

void SidesBox::swap() {
  if (!host::is_layer(call_.source)) return;
  std::swap(call_.source, call_.target);
  call_.image = host::image_of(call_.target);
  call_.previous = call_.selection = host::kNone;
  call_.request.placement = {};
  call_.hint.clear();
  events_.sides_changed();
}

/// `all`: selects the whole of an opaque picture. Otherwise the user selects the geometry in the opened image.
void SidesBox::take_image(host::Id image, bool all) {
  const std::vector<host::Id> layers = image == host::kNone ? std::vector<host::Id>{} : host::layers(image);
  if (layers.empty()) return;
  host::select_opaque(layers.front());
  const bool cut_out = !selects_everything(image);
  if (!cut_out && !all) host::select_nothing(image);
  call_.source = layers.front();
  call_.request.placement = {};
  call_.hint = cut_out || all
                   ? ""
                   : sentence(_("Select the geometry in \"{0}\", which has opened beside your image."), host::image_name(image));
  events_.sides_changed();
}

void SidesBox::open_file() {
  GtkWidget* dialog = gtk_file_chooser_dialog_new(_("Open a picture as the reference"), GTK_WINDOW(gtk_widget_get_toplevel(box_)),
                                                  GTK_FILE_CHOOSER_ACTION_OPEN, _("_Cancel"), GTK_RESPONSE_CANCEL, _("Open"),
                                                  GTK_RESPONSE_ACCEPT, nullptr);
  gtk_dialog_set_default_response(GTK_DIALOG(dialog), GTK_RESPONSE_ACCEPT);
  char* path = gtk_dialog_run(GTK_DIALOG(dialog)) == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_filename(GTK_FILE_CHOOSER(dialog))
                                                                         : nullptr;
  gtk_widget_destroy(dialog);
  if (path) take_image(host::open_image(path), false);
  g_free(path);
}

void SidesBox::take_clipboard() { take_image(host::image_from_clipboard(), true); }

}  // namespace geometry_transfer
