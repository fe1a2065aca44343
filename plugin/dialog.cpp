// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog.h"

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "controls.h"
#include "gtk_compat.h"
#include "host_ui.h"
#include "preview_pane.h"
#include "procedure.h"
#include "references_box.h"
#include "settings.h"

namespace geometry_transfer {
namespace {

constexpr int kReset = 1;  // response

/// Shown at once; the rest is under "Advanced".
const std::set<std::string> kPlain = {"preset", "model", "shift-x", "shift-y",         "scale", "rotation",
                                      "flip",   "grow",  "feather", "colour-strength", "chroma"};

/// A preset decides these.
bool is_method(const Parameter& p) { return p.group == Parameter::Group::colour || p.group == Parameter::Group::method; }

std::string preset_label(const Preset& preset) {
  const double seconds = seconds_taken(preset.id);
  if (seconds < 0) return translate(preset.label);
  if (seconds < 1) return sentence(_("{0} (under a second)"), translate(preset.label));
  return sentence(_("{0} (about {1} s)"), translate(preset.label), std::lround(seconds));
}

void show_help(const gchar*, gpointer window) {
  GtkWidget* box = gtk_message_dialog_new(GTK_IS_WINDOW(window) ? GTK_WINDOW(window) : nullptr, GTK_DIALOG_DESTROY_WITH_PARENT,
                                          GTK_MESSAGE_INFO, GTK_BUTTONS_CLOSE, "%s", _("How to transfer geometry"));
  gtk_message_dialog_format_secondary_text(
      GTK_MESSAGE_DIALOG(box), "%s",
      _("1. Put a picture of the geometry (a crack, a dent, a droplet) into a layer of the image: this is the reference layer.\n"
        "2. Select the geometry on it, with a little of its surroundings.\n"
        "3. Choose the layer that is to get it, and call Geometry Transfer.\n"
        "4. Move, scale and turn it in the preview, which shows the edit without the model. OK runs the model where the quality "
        "asks "
        "for it, and puts the result into a new layer.\n\n"
        "A reference in another open image brings that image's selection along. Further references add their geometry, or show "
        "the "
        "model more of the target's material.\n"
        "Calling Geometry Transfer on a result starts from its settings."));
  gtk_dialog_run(GTK_DIALOG(box));
  gtk_widget_destroy(box);
}

class Window {
 public:
  explicit Window(Call& call)
      : call_(call),
        preview_(call.request, [this] { controls_.refresh(); }),
        controls_(call.request, [this](const Parameter& p) { changed(p); }),
        references_(call, [this] { preview_.show(call_); }) {
    window_ = gimp_dialog_new(_("Geometry Transfer"), kBinary, nullptr, static_cast<GtkDialogFlags>(0), show_help, kProcedure,
                              _("_Reset"), kReset, _("_Cancel"), GTK_RESPONSE_CANCEL, _("_OK"), GTK_RESPONSE_OK, nullptr);
    const std::string icon = icon_file();
    if (!icon.empty()) gtk_window_set_icon_from_file(GTK_WINDOW(window_), icon.c_str(), nullptr);
    gtk_dialog_set_default_response(GTK_DIALOG(window_), GTK_RESPONSE_OK);
    gimp_window_set_transient(GTK_WINDOW(window_));
    GtkWidget* columns = gtk::hbox(12);
    gtk_container_set_border_width(GTK_CONTAINER(columns), 12);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(window_))), columns, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(columns), preview_.widget(), TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(columns), scrolled(settings()), FALSE, TRUE, 0);
    for (const Preset& p : presets()) controls_.relabel("preset", p.id, preset_label(p));
    controls_.refresh();
    gtk_widget_show_all(window_);
    gtk_widget_grab_focus(chooser_);
  }
  ~Window() { gtk_widget_destroy(window_); }
  Window(const Window&) = delete;

  bool run() {
    for (;;) switch (gimp_dialog_run(GIMP_DIALOG(window_))) {
        case kReset:
          call_.request = Request{};
          references_.clear();
          controls_.refresh();
          preview_.show(call_);
          break;
        case GTK_RESPONSE_OK:
          return true;
        default:
          return false;
      }
  }

 private:
  /// As high as its content, so far as the screen allows; what the expander shows is scrolled to.
  GtkWidget* scrolled(GtkWidget* column) {
    GtkWidget* scroller = gtk_scrolled_window_new(nullptr, nullptr);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
    gtk::add_scrolled(scroller, column);
    gtk_widget_show_all(scroller);
    const GtkRequisition wanted = gtk::natural_size(column);
    gtk_widget_set_size_request(scroller, wanted.width + 24, std::min(wanted.height + 4, gtk::screen_height(window_) * 3 / 4));
    return scroller;
  }

  /// The right column.
  GtkWidget* settings() {
    GtkWidget* column = gtk::vbox(12);
    GtkWidget* plain = gtk::table();
    GtkWidget* advanced = gtk::table();
    int row = 0, advanced_row = 0;
    chooser_ = host::layer_chooser(call_.target, call_.source, [this](host::Id source) {
      call_.source = source;
      preview_.show(call_);
    });
    GtkWidget* name = gtk_label_new_with_mnemonic(_("Reference l_ayer"));
    gtk_label_set_mnemonic_widget(GTK_LABEL(name), chooser_);
    gtk_widget_set_tooltip_text(chooser_,
                                _("The layer that shows the geometry under the selection. A layer of another image brings "
                                  "that image's selection along"));
    gtk::attach_row(plain, row++, name, chooser_);
    gtk::attach_row(plain, row++, nullptr, references_.widget());
    for (const Parameter& p : parameters())
      if (kPlain.count(p.name))
        controls_.append(plain, row++, p);
      else
        controls_.append(advanced, advanced_row++, p);
    gtk_box_pack_start(GTK_BOX(column), plain, FALSE, FALSE, 0);
    GtkWidget* expander = gtk_expander_new_with_mnemonic(_("Ad_vanced"));
    gtk_container_add(GTK_CONTAINER(expander), advanced);
    gtk_box_pack_start(GTK_BOX(column), expander, FALSE, FALSE, 0);
    return column;
  }

  void changed(const Parameter& p) {
    if (p.group == Parameter::Group::preset)
      apply_preset(call_.request, call_.request.preset);
    else if (is_method(p))
      call_.request.preset = "custom";
    controls_.refresh();
    preview_.redraw();
  }

  Call& call_;
  GtkWidget *window_, *chooser_ = nullptr;
  PreviewPane preview_;
  Controls controls_;
  ReferencesBox references_;
};

}  // namespace

bool show_dialog(Call& call) {
  host::ui_start();
  return Window(call).run();
}

}  // namespace geometry_transfer
