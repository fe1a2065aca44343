// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog/dialog.h"

#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "bring_in.h"
#include "dialog/controls.h"
#include "dialog/copies_box.h"
#include "dialog/gtk_compat.h"
#include "dialog/named_box.h"
#include "dialog/preview_pane.h"
#include "dialog/references_box.h"
#include "dialog/sides_box.h"
#include "expected_time.h"
#include "geometry-transfer/parts.h"
#include "host/host_ui.h"
#include "kept_selection.h"
#include "kinds.h"
#include "procedure.h"
#include "request/text.h"
#include "starting_point.h"

namespace geometry_transfer {
namespace {

constexpr int kReset = 1, kRebuild = 2, kApply = 3;  // responses
constexpr int kLook = 700;                           // ms between two checks of the selections
/// Widget pixels: kAround above and below the columns (frame, buttons, margins), kBeside beside them, kScrollBar for a
/// scroll bar, kUnderPreview below the preview.
constexpr int kAround = 150, kBeside = 80, kScrollBar = 24, kUnderPreview = 120;

/// Parameters that are always shown, one inner list for each row. All others are under Expert.
const std::vector<std::vector<std::string>> kPlain = {
    {"preset"},  {"model"},    {"shift-x", "shift-y"}, {"scale"},        {"rotation"},     {"flip"},       {"grow"},
    {"feather"}, {"strength"}, {"colour-strength"},    {"own-material"}, {"show-through"}, {"turn-light"}, {"grain"}};

struct Heading {
  Parameter::Group group;
  const char* text;  // untranslated
};
/// Headings under Expert, in this order.
const Heading kHeadings[] = {{Parameter::Group::placement, N_("Placement")},
                             {Parameter::Group::selection, N_("Geometry")},
                             {Parameter::Group::colour, N_("Colour")},
                             {Parameter::Group::method, N_("The method with the model")},
                             {Parameter::Group::machine, N_("Model and machine")}};

void show_help(const gchar*, gpointer window) {
  GtkWidget* box = gtk_message_dialog_new(GTK_IS_WINDOW(window) ? GTK_WINDOW(window) : nullptr, GTK_DIALOG_DESTROY_WITH_PARENT,
                                          GTK_MESSAGE_INFO, GTK_BUTTONS_CLOSE, "%s", _("How to transfer geometry"));
  gtk_message_dialog_format_secondary_text(
      GTK_MESSAGE_DIALOG(box), "%s",
      _("1. Put a picture of the geometry (a crack, a dent, a droplet) into a layer of the image: this is the reference layer.\n"
        "2. Select the geometry on it, with a little of its surroundings.\n"
        "3. Choose the layer that receives it, and call Geometry Transfer.\n"
        "4. Move, scale and turn it in the preview, which shows the edit without the model. OK runs the model if the quality "
        "needs it, and adds the result as a new layer.\n"
        "\n"
        "For a reference in another open image, that image's selection counts. Further references add their geometry, or show "
        "the model more of the target's material.\n"
        "Calling Geometry Transfer on a result starts from its settings."));
  gtk_dialog_run(GTK_DIALOG(box));
  gtk_widget_destroy(box);
}

class Window {
 public:
  explicit Window(Call& call)
      : call_(call),
        sides_(call, {[this] { source_chosen(); }, [this] { gtk_dialog_response(GTK_DIALOG(window_), kRebuild); }}),
        preview_(call.request, {[this] { controls_.refresh(); }, [this](const GeometryDecisions& decided) { show(decided); }}),
        controls_(call.request, {[this](const Parameter& p) { changed(p); }, [this](const Parameter& p) { reset(p); }}),
        references_(call, [this] { references_changed(); }),
        named_(call, [this] { settings_chosen(); }),
        copies_(call.copies) {
    window_ = gimp_dialog_new(_("Geometry Transfer"), kBinary, nullptr, static_cast<GtkDialogFlags>(0), show_help, kProcedure,
                              _("_Reset"), kReset, _("_Cancel"), GTK_RESPONSE_CANCEL, _("_Apply"), kApply, _("_OK"),
                              GTK_RESPONSE_OK, nullptr);
    gtk_widget_set_tooltip_text(button(kApply),
                                _("Adds the result as a new layer and keeps this window open for the next place"));
    show_applied();
    const std::string icon = icon_file();
    if (!icon.empty()) gtk_window_set_icon_from_file(GTK_WINDOW(window_), icon.c_str(), nullptr);
    gtk_dialog_set_default_response(GTK_DIALOG(window_), GTK_RESPONSE_OK);
    gimp_window_set_transient(GTK_WINDOW(window_));
    GtkWidget* columns = gtk::hbox(12);
    gtk_container_set_border_width(GTK_CONTAINER(columns), 12);
    gtk_box_pack_start(GTK_BOX(gtk_dialog_get_content_area(GTK_DIALOG(window_))), columns, TRUE, TRUE, 0);
    GtkWidget* left = gtk::vbox(6);
    gtk_box_pack_start(GTK_BOX(left), preview_.widget(), TRUE, TRUE, 0);
    open_ = gtk_button_new_with_mnemonic(_("Open a picture of the geometry..."));
    g_signal_connect_swapped(open_, "clicked", G_CALLBACK(+[](Window* self) { self->sides_.open_file(); }), this);
    gtk_widget_set_no_show_all(open_, TRUE);
    gtk_box_pack_start(GTK_BOX(left), open_, FALSE, FALSE, 0);
    gtk_box_pack_start(GTK_BOX(columns), left, TRUE, TRUE, 0);
    gtk_box_pack_start(GTK_BOX(columns), scrolled(settings()), FALSE, TRUE, 0);
    gtk_widget_show_all(columns);
    shown_.clear();  // forget the labels: the preset list did not exist when they were set
    refresh();
    show_sides();
    fit();
    g_signal_connect_swapped(window_, "configure-event", G_CALLBACK(+[](Window* self, GdkEventConfigure* event) -> gboolean {
                               self->configured(*event);
                               return FALSE;
                             }),
                             this);
    gtk_widget_show_all(window_);
    gtk_widget_grab_focus(sides_.chooser());
    selections_ = selections();
    looking_ = g_timeout_add(
        kLook, +[](gpointer self) -> gboolean { return static_cast<Window*>(self)->look(); }, this);
  }
  ~Window() {
    scroller_ = nullptr;  // no fit() while the window is destroyed
    for (const unsigned source : {settling_, fitting_, looking_})
      if (source) g_source_remove(source);
    g_signal_handlers_disconnect_by_data(window_, this);
    gtk_widget_destroy(window_);
  }
  Window(const Window&) = delete;

  /// GTK_RESPONSE_OK, GTK_RESPONSE_CANCEL, or kRebuild: image, target or references have changed; make a new window.
  int run() {
    for (;;) switch (gimp_dialog_run(GIMP_DIALOG(window_))) {
        case kReset:
          call_.request = Request{};
          call_.kind = kinds().front().id;
          show_kind();
          references_.clear();
          call_.copies = {};
          copies_.refresh();
          gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(bring_in_), TRUE);
          gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(separate_), FALSE);
          refresh();
          references_changed();
          break;
        case kApply:
          if (apply()) return kRebuild;
          break;
        case GTK_RESPONSE_OK:
          return state() == call_.applied_state ? GTK_RESPONSE_CANCEL : GTK_RESPONSE_OK;
        case kRebuild:
          return kRebuild;
        default:
          return GTK_RESPONSE_CANCEL;
      }
  }

 private:
  GtkWidget* button(int response) { return gtk_dialog_get_widget_for_response(GTK_DIALOG(window_), response); }

  /// Names the Cancel button Close after the first Apply, because applied results stay.
  /// Shows what the edit decided where the user leaves it to the edit.
  void show(const GeometryDecisions& decided) {
    controls_.show_decided("strength", decided.strength);
    controls_.show_decided("own-material", decided.own_material);
    controls_.show_decided("show-through", decided.show_through);
  }

  void show_applied() {
    if (call_.applied != host::kNone) gtk_button_set_label(GTK_BUTTON(button(GTK_RESPONSE_CANCEL)), _("Close"));
  }

  /// Returns all settings that decide the result, as text, to compare.
  std::string state() const {
    return host::is_layer(call_.source) ? sentence("{0}{1} {2} {3} {4}", settings_text(settings_of(call_)), call_.source,
                                                   call_.copies.count, call_.copies.spread, call_.copies.seed)
                                        : "";
  }

  /// Makes a result. Returns true if the dialog must be made anew, because references were copied into the image.
  bool apply() {
    const host::Id source = call_.source;
    const std::vector<FurtherReference> further = call_.further;
    gtk_widget_set_sensitive(window_, FALSE);
    const auto stay = +[](GtkWidget*, GdkEvent*, gpointer) -> gboolean { return TRUE; };
    const unsigned long closing = g_signal_connect(window_, "delete-event", G_CALLBACK(stay), nullptr);
    std::string problem;
    try {
      call_.apply(call_, [] {
        while (gtk_events_pending()) gtk_main_iteration();
      });
    } catch (const std::exception& e) {
      host::progress_end();
      problem = e.what();
    }
    g_signal_handler_disconnect(window_, closing);
    gtk_widget_set_sensitive(window_, TRUE);
    if (problem.empty()) {
      call_.applied_state = state();
      show_applied();
      return call_.source != source || !std::equal(further.begin(), further.end(), call_.further.begin(), call_.further.end(),
                                                   [](const auto& a, const auto& b) { return a.layer == b.layer; });
    }
    GtkWidget* box = gtk_message_dialog_new(GTK_WINDOW(window_), GTK_DIALOG_MODAL, GTK_MESSAGE_ERROR, GTK_BUTTONS_CLOSE, "%s",
                                            problem.c_str());
    gtk_dialog_run(GTK_DIALOG(box));
    gtk_widget_destroy(box);
    return false;
  }

  GtkWidget* scrolled(GtkWidget* column) {
    column_ = column;
    scroller_ = gtk_scrolled_window_new(nullptr, nullptr);
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scroller_), GTK_POLICY_AUTOMATIC, GTK_POLICY_AUTOMATIC);
    gtk::add_scrolled(scroller_, column);
    gtk_widget_show_all(scroller_);
    return scroller_;
  }

  /// Sizes the right column to its content, at most to the screen; the rest scrolls, and the buttons stay. The preview
  /// gets the remaining space.
  void fit() {
    if (!scroller_) return;
    const GtkRequisition wanted = gtk::natural_size(column_), screen = gtk::screen_size(window_);
    const int width = std::min(wanted.width + kScrollBar, screen.width - preview_.least_width() - kBeside);
    const int height = std::max(100, screen.height - kAround);
    gtk_widget_set_size_request(scroller_, width, std::min(wanted.height + 4, height));
    preview_.fit(screen.width - width - kBeside, height - kUnderPreview);
  }

  /// Calls fit() when GTK is idle, because GTK drops size requests made while widgets are shown or hidden.
  void fit_soon() {
    if (fitting_ || !scroller_) return;
    const auto now = +[](gpointer self) -> gboolean {
      static_cast<Window*>(self)->fitting_ = 0;
      static_cast<Window*>(self)->fit();
      return FALSE;
    };
    fitting_ = g_idle_add(now, this);
  }

  /// Moves a window back that grew beyond the screen, 200 ms after the resize. A window that the user moved stays.
  void configured(const GdkEventConfigure& now) {
    if ((now.width == width_ && now.height == height_) || settling_) return;
    width_ = now.width;
    height_ = now.height;
    const auto settle = +[](gpointer self) -> gboolean {
      static_cast<Window*>(self)->settling_ = 0;
      static_cast<Window*>(self)->stay_on_screen();
      return FALSE;
    };
    settling_ = g_timeout_add(200, settle, this);
  }

  void stay_on_screen() {
    const GdkRectangle screen = gtk::monitor_of(window_);
    GdkRectangle frame;
    gdk_window_get_frame_extents(gtk_widget_get_window(window_), &frame);
    const int x = std::max(screen.x, std::min(frame.x, screen.x + screen.width - frame.width));
    const int y = std::max(screen.y, std::min(frame.y, screen.y + screen.height - frame.height));
    if (x != frame.x || y != frame.y) gtk_window_move(GTK_WINDOW(window_), x, y);
  }

  /// The right column.
  GtkWidget* settings() {
    GtkWidget* column = gtk::vbox(12);
    GtkSizeGroup* labels = gtk_size_group_new(GTK_SIZE_GROUP_HORIZONTAL);
    GtkWidget* plain = gtk::table(labels);
    GtkWidget* expert = gtk::table(labels);
    g_object_unref(labels);
    int row = 0, expert_row = 0;
    gtk::attach_row(plain, row++, nullptr, sides_.widget());
    bring_in_ = gtk_check_button_new_with_mnemonic(_("_Bring it into this image"));
    gtk_widget_set_tooltip_text(bring_in_, _("Adds a hidden copy of the reference below the target, with the selection as its "
                                             "layer mask. Repeat and later edits then work without the other image"));
    g_signal_connect_swapped(bring_in_, "toggled", G_CALLBACK(+[](Window* self) {
                               self->call_.bring_in = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->bring_in_)) != FALSE;
                             }),
                             this);
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(bring_in_), call_.bring_in);
    gtk_widget_set_no_show_all(bring_in_, TRUE);
    gtk::attach_row(plain, row++, nullptr, bring_in_);
    offer_to_bring_in();
    gtk::attach_row(plain, row++, nullptr, references_.widget());
    gtk::attach_row(plain, row++, gtk_label_new(_("Saved settings")), named_.widget());
    attach_kinds(plain, row++);
    std::set<std::string> shown;
    for (const auto& names : kPlain) {
      shown.insert(names.begin(), names.end());
      const Parameter& first = *find_parameter(names[0]);
      if (names.size() == 1)
        controls_.append(plain, row++, first);
      else
        controls_.append(plain, row++, first, *find_parameter(names[1]));
    }
    GtkWidget* copies = gtk_label_new_with_mnemonic(_("Cop_ies"));
    gtk_label_set_mnemonic_widget(GTK_LABEL(copies), copies_.count());
    gtk::attach_row(plain, row++, copies, copies_.widget());
    separate_ = gtk_check_button_new_with_label(_("Separate layers"));
    gtk_widget_set_tooltip_text(separate_, _("Makes a group of layers (shade, own material, light) in place of one layer. They "
                                             "follow when the target below is painted on"));
    gtk_toggle_button_set_active(GTK_TOGGLE_BUTTON(separate_), call_.separate);
    g_signal_connect_swapped(separate_, "toggled", G_CALLBACK(+[](Window* self) {
                               self->call_.separate = gtk_toggle_button_get_active(GTK_TOGGLE_BUTTON(self->separate_)) != FALSE;
                             }),
                             this);
    gtk::attach_row(plain, row++, nullptr, separate_);
    for (const Heading& heading : kHeadings) {
      gtk::attach_row(expert, expert_row++, nullptr, heading_label(translate(heading.text)));
      for (const Parameter& p : parameters())
        if (p.group == heading.group && !shown.count(p.name)) controls_.append(expert, expert_row++, p);
    }
    gtk_box_pack_start(GTK_BOX(column), plain, FALSE, FALSE, 0);
    GtkWidget* expander = gtk_expander_new_with_mnemonic(_("_Expert"));
    gtk_container_add(GTK_CONTAINER(expander), expert);
    // GTK 2 needs map and unmap, because notify::expanded comes before the content has a size. GTK 3's content sends
    // neither.
    g_signal_connect_swapped(expander, "notify::expanded", G_CALLBACK(+[](Window* self) { self->fit_soon(); }), this);
    for (const char* signal : {"map", "unmap"})
      g_signal_connect_swapped(expert, signal, G_CALLBACK(+[](Window* self) { self->fit_soon(); }), this);
    gtk_box_pack_start(GTK_BOX(column), expander, FALSE, FALSE, 0);
    gtk::ignore_wheel(column);
    return column;
  }

  static GtkWidget* heading_label(const std::string& text) {
    GtkWidget* label = gtk_label_new(nullptr);
    char* markup = g_markup_printf_escaped("<b>%s</b>", text.c_str());
    gtk_label_set_markup(GTK_LABEL(label), markup);
    g_free(markup);
    gtk::align_left(label);
    return label;
  }

  void attach_kinds(GtkWidget* table, int row) {
    kinds_ = gtk_combo_box_text_new();
    for (const Kind& kind : kinds()) gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(kinds_), translate(kind.label).c_str());
    gtk_widget_set_tooltip_text(kinds_, _("Sets the sliders for this kind of geometry, and names the result"));
    show_kind();
    g_signal_connect_swapped(kinds_, "changed", G_CALLBACK(+[](Window* self) { self->kind_chosen(); }), this);
    GtkWidget* name = gtk_label_new_with_mnemonic(_("What is it?"));
    gtk_label_set_mnemonic_widget(GTK_LABEL(name), kinds_);
    gtk::attach_row(table, row, name, kinds_);
  }

  void show_kind() {
    gtk_combo_box_set_active(GTK_COMBO_BOX(kinds_), static_cast<int>(&find_kind(call_.kind) - &kinds().front()));
  }

  void settings_chosen() {
    apply_preset(call_.request, call_.request.preset);  // the preset's row may be another one by now
    show_kind();
    refresh();
    preview_.redraw();
  }

  void kind_chosen() {
    const int active = gtk_combo_box_get_active(GTK_COMBO_BOX(kinds_));
    if (active < 0 || call_.kind == kinds()[active].id) return;
    call_.kind = kinds()[active].id;
    apply_kind(call_.request, kinds()[active]);
    refresh();
    preview_.redraw();
  }

  void changed(const Parameter& p) {
    const bool model = p.name == std::string("model");
    if (model && missing_part_.empty())
      call_.request.preset = preset_for_model(call_.request.preset, work_.model.family, model_family(call_.request.model));
    if (model || p.group == Parameter::Group::preset)  // a preset depends on the model
      apply_preset(call_.request, call_.request.preset);
    else if (p.of_preset())
      call_.request.preset = "custom";
    refresh();
    preview_.redraw();
  }

  /// Returns the request with all values as preset, kind and model set them.
  Request usual() const {
    Request request;
    request.model = call_.request.model;
    apply_preset(request, base_, work_.model.family);
    apply_kind(request, find_kind(call_.kind));
    return request;
  }

  void reset(const Parameter& p) {
    const Request usual = this->usual();
    const std::string name = p.name;
    if (name == "preset")
      call_.request.preset = missing_part_.empty() ? default_preset(work_.model.family) : Request{}.preset;
    else
      p.set(call_.request, p.get(name == "model" ? Request{} : usual));
    changed(p);
    const auto as_usual = [&](const Parameter& other) {
      return !other.of_preset() || other.get(call_.request) == other.get(usual);
    };
    if (call_.request.preset == "custom" && std::all_of(parameters().begin(), parameters().end(), as_usual)) {
      call_.request.preset = base_;  // nothing of it is changed any more
      refresh();
    }
  }

  /// Shows the check button if a reference lies in another image.
  void offer_to_bring_in() {
    if (!bring_in_) return;
    gtk_widget_set_visible(bring_in_, from_elsewhere(call_.image, call_.source, call_.further));
    fit_soon();
  }

  void source_chosen() {
    references_.offer_more();
    offer_to_bring_in();
    show_times();
    show_sides();
  }

  /// Pictures and preview, for other layers or another selection.
  void show_sides() {
    sides_.show_pictures();
    gtk_widget_set_visible(open_, !host::is_layer(call_.source));
    preview_.show(call_);
  }

  /// Identifies the selections of both images as text. They may change, because GIMP stays usable meanwhile.
  std::string selections() const {
    std::string state;
    const host::Id other = host::is_layer(call_.source) ? host::image_of(call_.source) : call_.image;
    for (const host::Id image : {call_.image, other}) {
      const Rect r = host::selection_bounds(image);
      // A selection above 1 million pixels is identified by its bounds, because reading it at every look is slow.
      state += 1. * r.width * r.height < 1e6 ? selection_state(image) : sentence("{0} {1} {2} {3}", r.x, r.y, r.width, r.height);
      state += ';';
    }
    return state;
  }

  gboolean look() {
    if (!host::is_layer(call_.target)) return TRUE;  // deleted meanwhile: OK says so
    std::string now = selections();
    if (now == selections_) return TRUE;
    selections_ = std::move(now);
    show_sides();
    return TRUE;
  }

  void references_changed() {
    gtk::ignore_wheel(references_.widget());
    offer_to_bring_in();
    fit();
    show_times();
    preview_.show(call_);
  }

  void refresh() {
    if (call_.request.preset != "custom") base_ = call_.request.preset;
    controls_.refresh();
    named_.refresh();
    show_times();
  }

  /// Updates the labels of the presets with their expected times, where they changed.
  void show_times() {
    if (work_.model.path.empty() || call_.request.model != model_)
      work_ = work_of(call_);  // looks at the model's file
    else
      work_ = work_of(call_, work_.model);
    model_ = call_.request.model;
    const auto show = [&](const std::string& id, const char* label) {
      Request request = call_.request;
      apply_preset(request, id, work_.model.family);
      std::string text = with_time(translate(label), expected_time(request, work_));
      const bool can_run = request.correction == 0 || missing_part_.empty();
      const bool offered = can_run && preset_offer(id, work_.model.family).offered;
      if (!can_run)
        text = sentence(_("{0} (needs {1})"), translate(label), kDiffusionPackage);
      else if (!offered)
        text = sentence(_("{0}, no gain with this model"), text);
      controls_.offer("preset", id, offered);
      if (text == shown_[id]) return;
      controls_.relabel("preset", id, text);
      shown_[id] = std::move(text);
    };
    for (const Preset& p : presets()) show(p.id, p.label);
    std::string tip = translate(find_parameter("preset")->blurb);
    if (call_.request.preset != "custom") tip += "\n\n" + preset_offer(call_.request.preset, work_.model.family).effect;
    if (!missing_part_.empty()) tip += "\n\n" + missing_part_;
    controls_.explain("preset", tip);
  }

  Call& call_;
  GtkWidget *window_, *open_ = nullptr, *bring_in_ = nullptr, *separate_ = nullptr, *kinds_ = nullptr, *column_ = nullptr,
                      *scroller_ = nullptr;
  int width_ = 0, height_ = 0;                         // of the window, pixels
  unsigned settling_ = 0, fitting_ = 0, looking_ = 0;  // GLib source ids, 0: none
  std::string selections_;                             // as they were at the last look
  Work work_;
  std::string model_;                                          // for which work_ was made
  const std::string missing_part_ = missing_diffusion_part();  // what to install for the other presets; often empty
  std::string base_ = Request{}.preset;                        // the last preset other than "custom"
  std::map<std::string, std::string> shown_;                   // labels of the presets
  SidesBox sides_;
  PreviewPane preview_;
  Controls controls_;
  ReferencesBox references_;
  NamedBox named_;
  CopiesBox copies_;
};

}  // namespace

bool show_dialog(Call& call) {
  host::ui_start();
  for (;;) switch (Window(call).run()) {
      case GTK_RESPONSE_OK:
        return true;
      case kRebuild:
        continue;
      default:
        return false;
    }
}

}  // namespace geometry_transfer
