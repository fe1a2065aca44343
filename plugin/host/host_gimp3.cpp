// SPDX-License-Identifier: GPL-3.0-or-later
/// GIMP 3: host.h, and the procedure's registration.
#include <libgimp/gimp.h>

#include "dialog/dialog.h"
#include "host/gegl_raster.h"
#include "host/host.h"
#include "procedure.h"
#include "request/idle_threads.h"
#include "request/memory.h"
#include "request/text.h"
#include "run.h"
#include "worker/program.h"

namespace geometry_transfer::host {
namespace {

// GIMP 3 uses objects. They are found by their numbers, and libgimp owns them.
GimpImage* image_at(Id id) { return gimp_image_get_by_id(id); }
GimpItem* item_at(Id id) { return gimp_item_get_by_id(id); }
GimpDrawable* drawable_at(Id id) { return gimp_drawable_get_by_id(id); }
GimpLayer* layer_at(Id id) { return gimp_layer_get_by_id(id); }
Id id_of(gpointer item) { return item ? gimp_item_get_id(GIMP_ITEM(item)) : kNone; }

std::string taken(gchar* text) {
  std::string copy = text ? text : "";
  g_free(text);
  return copy;
}

/// Appends the layers to `list` and frees `items`.
void append_layers(gpointer* items, std::vector<Id>& list) {
  for (gpointer* item = items; item && *item; ++item) {
    list.push_back(id_of(*item));
    if (gimp_item_is_group(GIMP_ITEM(*item)))
      append_layers(reinterpret_cast<gpointer*>(gimp_item_get_children(GIMP_ITEM(*item))), list);
  }
  g_free(items);
}

std::string text_of(GimpParasite* parasite) {
  if (!parasite) return {};
  guint32 size = 0;
  const auto* data = static_cast<const char*>(gimp_parasite_get_data(parasite, &size));
  const std::string text(data, size);
  gimp_parasite_free(parasite);
  return text;
}

GimpParasite* parasite_of(const char* key, guint flags, const std::string& text) {
  return gimp_parasite_new(key, flags, text.size(), text.data());
}

/// Attaches a parasite to GIMP itself.
void attach(GimpParasite* parasite) {
  gimp_attach_parasite(parasite);
  gimp_parasite_free(parasite);
}

}  // namespace

std::vector<Id> images() {
  std::vector<Id> list;
  GimpImage** all = gimp_get_images();
  for (GimpImage** image = all; image && *image; ++image) list.push_back(gimp_image_get_id(*image));
  g_free(all);
  return list;
}

std::string image_name(Id image) { return taken(gimp_image_get_name(image_at(image))); }
bool takes_colour(Id image) { return gimp_image_get_base_type(image_at(image)) != GIMP_INDEXED; }
bool has_floating_selection(Id image) { return gimp_image_get_floating_sel(image_at(image)) != nullptr; }
// "Qmask" is GIMP's own name for its channel.
bool has_quick_mask(Id image) { return gimp_image_get_channel_by_name(image_at(image), "Qmask") != nullptr; }

std::vector<Id> layers(Id image) {
  std::vector<Id> list;
  append_layers(reinterpret_cast<gpointer*>(gimp_image_get_layers(image_at(image))), list);
  return list;
}

Id image_of(Id item) {
  GimpImage* image = gimp_item_get_image(item_at(item));
  return image ? gimp_image_get_id(image) : kNone;
}
bool is_layer(Id item) { return item > 0 && gimp_item_id_is_valid(item) && gimp_item_id_is_layer(item); }
std::string item_name(Id item) { return taken(gimp_item_get_name(item_at(item))); }
Id layer_mask(Id layer) { return id_of(gimp_layer_get_mask(layer_at(layer))); }
Id layer_of_mask(Id item) {
  if (item <= 0 || !gimp_item_id_is_valid(item) || !gimp_item_id_is_layer_mask(item)) return kNone;
  return id_of(gimp_layer_from_mask(GIMP_LAYER_MASK(item_at(item))));
}
unsigned tattoo(Id item) { return gimp_item_get_tattoo(item_at(item)); }
Id item_of_tattoo(Id image, unsigned tattoo) {
  return tattoo ? id_of(gimp_image_get_layer_by_tattoo(image_at(image), tattoo)) : kNone;
}

Id parent(Id item) { return id_of(gimp_item_get_parent(item_at(item))); }
bool is_visible(Id layer) { return gimp_item_get_visible(item_at(layer)); }
bool is_plain(Id layer) {
  GimpLayer* l = layer_at(layer);
  const GimpLayerMode mode = gimp_layer_get_mode(l);
  return (mode == GIMP_LAYER_MODE_NORMAL || mode == GIMP_LAYER_MODE_NORMAL_LEGACY || mode == GIMP_LAYER_MODE_PASS_THROUGH) &&
         gimp_layer_get_opacity(l) > 99.99 && layer_mask(layer) == kNone;
}

std::vector<Id> channels(Id image) {
  std::vector<Id> list;
  GimpChannel** all = gimp_image_get_channels(image_at(image));
  for (GimpChannel** channel = all; channel && *channel; ++channel) list.push_back(id_of(*channel));
  g_free(all);
  return list;
}
bool is_channel(Id item) { return item > 0 && gimp_item_id_is_valid(item) && gimp_item_id_is_channel(item); }
Id channel_of_tattoo(Id image, unsigned tattoo) {
  return tattoo ? id_of(gimp_image_get_channel_by_tattoo(image_at(image), tattoo)) : kNone;
}

Id selection(Id image) { return id_of(gimp_image_get_selection(image_at(image))); }

Rect selection_bounds(Id image) {
  gboolean some = FALSE;
  gint left = 0, top = 0, right = 0, bottom = 0;
  gimp_selection_bounds(image_at(image), &some, &left, &top, &right, &bottom);
  return some ? Rect{left, top, right - left, bottom - top} : Rect{};
}

Rect extent(Id drawable) {
  GimpDrawable* d = drawable_at(drawable);
  gint x = 0, y = 0;
  gimp_drawable_get_offsets(d, &x, &y);
  return {x, y, gimp_drawable_get_width(d), gimp_drawable_get_height(d)};
}

Buffer pixels(Id drawable) { return Buffer(gimp_drawable_get_buffer(drawable_at(drawable))); }

void undo_group_begin(Id image) { gimp_image_undo_group_start(image_at(image)); }
void undo_group_end(Id image) { gimp_image_undo_group_end(image_at(image)); }

Id make_layer(Id image, const std::string& name, const Rect& area) {
  GimpImage* in = image_at(image);
  const auto type = gimp_image_get_base_type(in) == GIMP_GRAY ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE;
  GimpLayer* layer = gimp_layer_new(in, name.c_str(), area.width, area.height, type, 100, GIMP_LAYER_MODE_NORMAL);
  if (!layer) return kNone;
  // The preview and the command line blend in this space. GIMP's default is linear light.
  gimp_layer_set_composite_space(layer, GIMP_LAYER_COLOR_SPACE_RGB_NON_LINEAR);
  gimp_layer_set_offsets(layer, area.x, area.y);
  return id_of(layer);
}

bool insert_layer(Id image, Id layer, Id beside, bool below) {
  GimpItem* group = gimp_item_get_parent(item_at(beside));
  const int place = gimp_image_get_item_position(image_at(image), item_at(beside)) + (below ? 1 : 0);
  if (gimp_image_insert_layer(image_at(image), layer_at(layer), group ? GIMP_LAYER(group) : nullptr, place)) return true;
  delete_layer(layer);
  return false;
}

void delete_layer(Id layer) { gimp_item_delete(item_at(layer)); }
void remove_layer(Id image, Id layer) { gimp_image_remove_layer(image_at(image), layer_at(layer)); }

Id add_mask(Id layer) {
  GimpLayerMask* mask = gimp_layer_create_mask(layer_at(layer), GIMP_ADD_MASK_BLACK);
  if (!mask) return kNone;
  if (gimp_layer_add_mask(layer_at(layer), mask)) return id_of(mask);
  gimp_item_delete(GIMP_ITEM(mask));
  return kNone;
}

bool wrap_in_group(Id image, Id layer, const std::string& name) {
  GimpImage* in = image_at(image);
  GimpLayer* inner = layer_at(layer);
  GimpLayer* group = GIMP_LAYER(gimp_group_layer_new(in, name.c_str()));
  if (!group) return false;
  GimpItem* outer = gimp_item_get_parent(GIMP_ITEM(inner));
  if (!gimp_image_insert_layer(in, group, outer ? GIMP_LAYER(outer) : nullptr,
                               gimp_image_get_item_position(in, GIMP_ITEM(inner))) ||
      !gimp_image_reorder_item(in, GIMP_ITEM(inner), GIMP_ITEM(group), 0))
    return false;
  gimp_item_set_visible(GIMP_ITEM(group), gimp_item_get_visible(GIMP_ITEM(inner)));
  gimp_item_set_visible(GIMP_ITEM(inner), TRUE);
  gimp_layer_set_mode(group, gimp_layer_get_mode(inner));
  gimp_layer_set_blend_space(group, gimp_layer_get_blend_space(inner));
  gimp_layer_set_composite_space(group, gimp_layer_get_composite_space(inner));
  gimp_layer_set_composite_mode(group, gimp_layer_get_composite_mode(inner));
  gimp_layer_set_opacity(group, gimp_layer_get_opacity(inner));
  gimp_layer_set_mode(inner, GIMP_LAYER_MODE_NORMAL);
  gimp_layer_set_opacity(inner, 100);
  const Id mask = layer_mask(layer);
  if (mask == kNone) return true;
  const Id copy = add_mask(id_of(group));
  if (copy == kNone) return false;
  gegl_buffer_copy(pixels(mask).get(), nullptr, GEGL_ABYSS_NONE, pixels(copy).get(), nullptr);
  gimp_layer_set_apply_mask(group, gimp_layer_get_apply_mask(inner));
  return gimp_layer_remove_mask(inner, GIMP_MASK_DISCARD);
}

void set_blending(Id layer, BlendLayer::Mode mode) {
  const GimpLayerMode gimp_mode = mode == BlendLayer::Mode::multiply   ? GIMP_LAYER_MODE_MULTIPLY
                                  : mode == BlendLayer::Mode::add      ? GIMP_LAYER_MODE_ADDITION
                                  : mode == BlendLayer::Mode::subtract ? GIMP_LAYER_MODE_SUBTRACT
                                                                       : GIMP_LAYER_MODE_NORMAL;
  gimp_layer_set_mode(layer_at(layer), gimp_mode);
  gimp_layer_set_blend_space(layer_at(layer), GIMP_LAYER_COLOR_SPACE_RGB_NON_LINEAR);
  gimp_layer_set_composite_space(layer_at(layer), GIMP_LAYER_COLOR_SPACE_RGB_NON_LINEAR);
}

Id make_group(Id image, const std::string& name) {
  GimpLayer* group = GIMP_LAYER(gimp_group_layer_new(image_at(image), name.c_str()));
  if (!group) return kNone;
  gimp_layer_set_mode(group, GIMP_LAYER_MODE_PASS_THROUGH);
  return id_of(group);
}

bool insert_into_group(Id image, Id layer, Id group) {
  if (gimp_image_insert_layer(image_at(image), layer_at(layer), layer_at(group), 0)) return true;
  delete_layer(layer);
  return false;
}

void activate(Id image, Id layer) {
  GimpLayer* one[] = {layer_at(layer), nullptr};
  gimp_image_set_selected_layers(image_at(image), const_cast<const GimpLayer**>(one));
}

Id make_channel(Id image, const std::string& name) {
  GimpImage* in = image_at(image);
  GeglColor* black = gegl_color_new("black");
  GimpChannel* channel = gimp_channel_new(in, name.c_str(), gimp_image_get_width(in), gimp_image_get_height(in), 50, black);
  g_object_unref(black);
  if (!channel) return kNone;
  gimp_item_set_visible(GIMP_ITEM(channel), FALSE);
  return id_of(channel);
}
void insert_channel(Id image, Id channel) {
  gimp_image_insert_channel(image_at(image), gimp_channel_get_by_id(channel), nullptr, 0);
}

void hide(Id layer) { gimp_item_set_visible(item_at(layer), FALSE); }
void layer_changed(Id layer) {
  GimpDrawable* d = drawable_at(layer);
  gimp_drawable_update(d, 0, 0, gimp_drawable_get_width(d), gimp_drawable_get_height(d));
}

void show_changes() { gimp_displays_flush(); }

namespace {
Id shown(GimpImage* image) {
  if (!image) return kNone;
  gimp_display_new(image);
  return gimp_image_get_id(image);
}
}  // namespace

Id open_image(const std::string& path) {
  GFile* file = g_file_new_for_path(path.c_str());
  GimpImage* image = gimp_file_load(GIMP_RUN_INTERACTIVE, file);
  g_object_unref(file);
  return shown(image);
}
Id image_from_clipboard() { return shown(gimp_edit_paste_as_new_image()); }
void select_opaque(Id layer) {
  gimp_image_select_item(gimp_item_get_image(item_at(layer)), GIMP_CHANNEL_OP_REPLACE, item_at(layer));
}
void select_nothing(Id image) { gimp_selection_none(image_at(image)); }

std::string layer_note(Id layer, const char* key) { return text_of(gimp_item_get_parasite(item_at(layer), key)); }

void set_layer_note(Id layer, const char* key, const std::string& text) {
  GimpParasite* parasite = parasite_of(key, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, text);
  gimp_item_attach_parasite(item_at(layer), parasite);
  gimp_parasite_free(parasite);
}

std::string user_note(const char* key) { return text_of(gimp_get_parasite(key)); }

void set_user_note(const char* key, const std::string& text) { attach(parasite_of(key, GIMP_PARASITE_PERSISTENT, text)); }

std::string session_note(const char* key) { return user_note(key); }
void set_session_note(const char* key, const std::string& text) { attach(parasite_of(key, 0, text)); }

}  // namespace geometry_transfer::host

namespace {

using namespace geometry_transfer;

void add_argument(GimpProcedure* procedure, const Parameter& p) {
  const Value value = p.get(Request{});
  const std::string label = translate(p.label), blurb = translate(p.blurb);
  const char *nick = label.c_str(), *help = blurb.c_str();
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE);
  switch (p.kind) {
    case Parameter::Kind::boolean:
      return gimp_procedure_add_boolean_argument(procedure, p.name, nick, help, std::get<bool>(value), flags);
    case Parameter::Kind::integer:
      return gimp_procedure_add_int_argument(procedure, p.name, nick, help, static_cast<int>(p.low), static_cast<int>(p.high),
                                             std::get<int>(value), flags);
    case Parameter::Kind::real:
      return gimp_procedure_add_double_argument(procedure, p.name, nick, help, p.low, p.high, std::get<double>(value), flags);
    case Parameter::Kind::choice: {
      GimpChoice* choice = gimp_choice_new();
      const bool preset = p.group == Parameter::Group::preset;
      if (preset) gimp_choice_add(choice, kSuitingPreset, static_cast<int>(p.choices.size()), _("Suitable for the model"), "");
      for (size_t i = 0; i < p.choices.size(); ++i)
        gimp_choice_add(choice, p.choices[i].id, static_cast<int>(i), translate(p.choices[i].label).c_str(), "");
      return gimp_procedure_add_choice_argument(procedure, p.name, nick, help, choice,
                                                preset ? kSuitingPreset : std::get<std::string>(value).c_str(), flags);
    }
    case Parameter::Kind::text:
      return gimp_procedure_add_string_argument(procedure, p.name, nick, help, std::get<std::string>(value).c_str(), flags);
  }
}

/// Returns one argument of a call as a Value of the table.
Value argument_of(GObject* config, const Parameter& p) {
  GValue given = G_VALUE_INIT;
  g_object_get_property(config, p.name, &given);
  Value value;
  switch (p.kind) {
    case Parameter::Kind::boolean:
      value = g_value_get_boolean(&given) != FALSE;
      break;
    case Parameter::Kind::integer:
      value = static_cast<int>(g_value_get_int(&given));
      break;
    case Parameter::Kind::real:
      value = g_value_get_double(&given);
      break;
    default:
      value = std::string(g_value_get_string(&given) ? g_value_get_string(&given) : "");
  }
  g_value_unset(&given);
  return value;
}

Call call_of(GimpRunMode mode, GimpImage* image, GimpDrawable** drawables, GObject* config) {
  Call call;
  call.mode = mode == GIMP_RUN_INTERACTIVE      ? Call::Mode::interactive
              : mode == GIMP_RUN_WITH_LAST_VALS ? Call::Mode::last_values
                                                : Call::Mode::noninteractive;
  call.image = gimp_image_get_id(image);
  const size_t count = gimp_core_object_array_get_length(reinterpret_cast<GObject**>(drawables));
  if (count == 0) throw error(Error::Kind::input, _("Choose one layer to work on; {0} are chosen."), count);
  for (size_t i = 0; i < count; ++i) call.selected.push_back(gimp_item_get_id(GIMP_ITEM(drawables[i])));
  call.target = call.selected[0];
  GimpDrawable* source = nullptr;
  g_object_get(config, "source", &source, nullptr);
  if (source) call.source = gimp_item_get_id(GIMP_ITEM(source));
  g_clear_object(&source);
  if (call.mode != Call::Mode::noninteractive) return call;
  gchar* further = nullptr;
  g_object_get(config, kReferences, &further, nullptr);
  const std::string references = further ? further : "";
  g_free(further);
  call.further = parse_references(references);
  for (const Parameter& p : parameters()) set_argument(call.request, p, argument_of(config, p));
  gboolean separate = FALSE;
  g_object_get(config, kSeparateLayers, &separate, nullptr);
  call.separate = separate;
  return call;
}

GimpValueArray* answer(GimpProcedure* procedure, GimpRunMode mode, GimpImage* image, GimpDrawable** drawables,
                       GimpProcedureConfig* config, gpointer) {
  set_idle_threads();
  keep_freed_memory();
  start_gegl();
  Outcome outcome;
  try {
    outcome = run(call_of(mode, image, drawables, G_OBJECT(config)), show_dialog, worker::worker_runner());
  } catch (const Error& e) {
    outcome.message = e.what();
  }
  switch (outcome.status) {
    case Outcome::Status::done: {
      GimpValueArray* values = gimp_procedure_new_return_values(procedure, GIMP_PDB_SUCCESS, nullptr);
      GIMP_VALUES_SET_LAYER(values, 1, gimp_layer_get_by_id(outcome.layer));
      return values;
    }
    case Outcome::Status::cancelled:
      return gimp_procedure_new_return_values(procedure, GIMP_PDB_CANCEL, nullptr);
    default:
      return gimp_procedure_new_return_values(procedure, GIMP_PDB_EXECUTION_ERROR,
                                              g_error_new_literal(GIMP_PLUG_IN_ERROR, 0, outcome.message.c_str()));
  }
}

// ---- the plug-in's class --------------------------------------------------------------------------------------------

struct GeometryTransfer {
  GimpPlugIn parent;
};
struct GeometryTransferClass {
  GimpPlugInClass parent;
};
G_DEFINE_TYPE(GeometryTransfer, geometry_transfer, GIMP_TYPE_PLUG_IN)

GList* procedures(GimpPlugIn*) { return g_list_append(nullptr, g_strdup(kProcedure)); }

GimpProcedure* create(GimpPlugIn* plug_in, const gchar* name) {
  GimpProcedure* procedure = gimp_image_procedure_new(plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, answer, nullptr, nullptr);
  gimp_procedure_set_image_types(procedure, "RGB*, GRAY*");
  gimp_procedure_set_sensitivity_mask(procedure, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
  gimp_procedure_set_menu_label(procedure, _(kMenuLabel));
  gimp_procedure_add_menu_path(procedure, kMenuPath);
  gimp_procedure_set_documentation(procedure, _(kBlurb), _(kHelp), name);
  gimp_procedure_set_attribution(procedure, kAuthors, kAuthors, kYear);
  const std::string icon = icon_file();
  if (!icon.empty()) {
    GFile* file = g_file_new_for_path(icon.c_str());
    gimp_procedure_set_icon_file(procedure, file);
    g_object_unref(file);
  }
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE);
  gimp_procedure_add_drawable_argument(procedure, "source", _("Reference layer"), _(kSourceHelp), TRUE, flags);
  gimp_procedure_add_string_argument(procedure, kReferences, _("Further references"), translate(kReferencesHelp).c_str(), "",
                                     flags);
  for (const Parameter& p : parameters()) add_argument(procedure, p);
  gimp_procedure_add_boolean_argument(procedure, kSeparateLayers, _("Separate layers"), translate(kSeparateLayersHelp).c_str(),
                                      FALSE, flags);
  gimp_procedure_add_layer_return_value(procedure, "layer", _("Result"), _(kResultHelp), TRUE, flags);
  return procedure;
}

/// Tells GIMP that the plug-in finds its catalogs itself, because GIMP searches the plug-in's own folder only.
gboolean set_texts(GimpPlugIn*, const gchar*, gchar**, gchar**) {
  start_texts();
  return FALSE;
}

void geometry_transfer_class_init(GeometryTransferClass* type) {
  auto* plug_in = GIMP_PLUG_IN_CLASS(type);
  plug_in->query_procedures = procedures;
  plug_in->create_procedure = create;
  plug_in->set_i18n = set_texts;
}
void geometry_transfer_init(GeometryTransfer*) {}

}  // namespace

int main(int argc, char** argv) {
  if (!worker::is_worker(argc, argv)) return gimp_main(geometry_transfer_get_type(), argc, argv);
  start_texts();
  return worker::worker_main(argv);
}
