// SPDX-License-Identifier: GPL-3.0-or-later
/// GIMP 2.10: host.h, and the procedure's registration.
#include <libgimp/gimp.h>
#include <libintl.h>

#include <clocale>

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

std::string taken(gchar* text) {
  std::string copy = text ? text : "";
  g_free(text);
  return copy;
}

void append_layers(int count, gint* ids, std::vector<Id>& list) {
  for (int i = 0; i < count; ++i) {
    list.push_back(ids[i]);
    if (!gimp_item_is_group(ids[i])) continue;
    gint inner = 0;
    gint* children = gimp_item_get_children(ids[i], &inner);
    append_layers(inner, children, list);
  }
  g_free(ids);
}

std::string text_of(GimpParasite* parasite) {
  if (!parasite) return {};
  const std::string text(static_cast<const char*>(gimp_parasite_data(parasite)), gimp_parasite_data_size(parasite));
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
  gint count = 0;
  gint* ids = gimp_image_list(&count);
  const std::vector<Id> list(ids, ids + count);
  g_free(ids);
  return list;
}

std::string image_name(Id image) { return taken(gimp_image_get_name(image)); }
bool takes_colour(Id image) { return gimp_image_base_type(image) != GIMP_INDEXED; }
bool has_floating_selection(Id image) { return gimp_image_get_floating_sel(image) > 0; }
// "Qmask" is GIMP's own name for its channel.
bool has_quick_mask(Id image) { return gimp_image_get_channel_by_name(image, "Qmask") > 0; }

std::vector<Id> layers(Id image) {
  std::vector<Id> list;
  gint count = 0;
  gint* ids = gimp_image_get_layers(image, &count);
  append_layers(count, ids, list);
  return list;
}

Id image_of(Id item) { return gimp_item_get_image(item); }
bool is_layer(Id item) { return item > 0 && gimp_item_is_valid(item) && gimp_item_is_layer(item); }
std::string item_name(Id item) { return taken(gimp_item_get_name(item)); }
Id layer_mask(Id layer) {
  const Id mask = gimp_layer_get_mask(layer);
  return mask > 0 ? mask : kNone;
}
Id layer_of_mask(Id item) {
  if (item <= 0 || !gimp_item_is_valid(item) || !gimp_item_is_layer_mask(item)) return kNone;
  const Id layer = gimp_layer_from_mask(item);
  return layer > 0 ? layer : kNone;
}
unsigned tattoo(Id item) { return gimp_item_get_tattoo(item); }
Id item_of_tattoo(Id image, unsigned tattoo) { return tattoo ? gimp_image_get_layer_by_tattoo(image, tattoo) : kNone; }

Id parent(Id item) {
  const Id group = gimp_item_get_parent(item);
  return group > 0 ? group : kNone;
}
bool is_visible(Id layer) { return gimp_item_get_visible(layer); }
bool is_plain(Id layer) {
  const GimpLayerMode mode = gimp_layer_get_mode(layer);
  return (mode == GIMP_LAYER_MODE_NORMAL || mode == GIMP_LAYER_MODE_NORMAL_LEGACY || mode == GIMP_LAYER_MODE_PASS_THROUGH) &&
         gimp_layer_get_opacity(layer) > 99.99 && layer_mask(layer) == kNone;
}

std::vector<Id> channels(Id image) {
  gint count = 0;
  gint* ids = gimp_image_get_channels(image, &count);
  const std::vector<Id> list(ids, ids + count);
  g_free(ids);
  return list;
}
bool is_channel(Id item) { return item > 0 && gimp_item_is_valid(item) && gimp_item_is_channel(item); }
Id channel_of_tattoo(Id image, unsigned tattoo) {
  const Id channel = tattoo ? gimp_image_get_channel_by_tattoo(image, tattoo) : kNone;
  return channel > 0 ? channel : kNone;
}

Id selection(Id image) { return gimp_image_get_selection(image); }

Rect selection_bounds(Id image) {
  gboolean some = FALSE;
  gint left = 0, top = 0, right = 0, bottom = 0;
  gimp_selection_bounds(image, &some, &left, &top, &right, &bottom);
  return some ? Rect{left, top, right - left, bottom - top} : Rect{};
}

Rect extent(Id drawable) {
  gint x = 0, y = 0;
  gimp_drawable_offsets(drawable, &x, &y);
  return {x, y, gimp_drawable_width(drawable), gimp_drawable_height(drawable)};
}

Buffer pixels(Id drawable) {
  Buffer buffer(gimp_drawable_get_buffer(drawable));
  // GIMP 2.10 tags every buffer as sRGB. With the profile's space instead, babl converts as in GIMP 3.
  if (!gimp_item_is_layer(drawable)) return buffer;
  GimpColorProfile* profile = gimp_image_get_color_profile(gimp_item_get_image(drawable));
  if (!profile) return buffer;
  if (const Babl* space = gimp_color_profile_get_space(profile, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, nullptr))
    gegl_buffer_set_format(buffer.get(),
                           babl_format_with_space(babl_format_get_encoding(gegl_buffer_get_format(buffer.get())), space));
  g_object_unref(profile);
  return buffer;
}

void undo_group_begin(Id image) { gimp_image_undo_group_start(image); }
void undo_group_end(Id image) { gimp_image_undo_group_end(image); }

Id make_layer(Id image, const std::string& name, const Rect& area) {
  const auto type = gimp_image_base_type(image) == GIMP_GRAY ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE;
  const Id layer = gimp_layer_new(image, name.c_str(), area.width, area.height, type, 100, GIMP_LAYER_MODE_NORMAL);
  if (layer <= 0) return kNone;
  // The preview and the command line blend in this space. GIMP's default is linear light.
  gimp_layer_set_composite_space(layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_offsets(layer, area.x, area.y);
  return layer;
}

bool insert_layer(Id image, Id layer, Id beside, bool below) {
  const int place = gimp_image_get_item_position(image, beside) + (below ? 1 : 0);
  if (gimp_image_insert_layer(image, layer, gimp_item_get_parent(beside), place)) return true;
  delete_layer(layer);
  return false;
}

void delete_layer(Id layer) { gimp_item_delete(layer); }
void remove_layer(Id image, Id layer) { gimp_image_remove_layer(image, layer); }

Id add_mask(Id layer) {
  const Id mask = gimp_layer_create_mask(layer, GIMP_ADD_MASK_BLACK);
  if (mask <= 0) return kNone;
  if (gimp_layer_add_mask(layer, mask)) return mask;
  gimp_item_delete(mask);
  return kNone;
}

bool wrap_in_group(Id image, Id layer, const std::string& name) {
  const Id group = gimp_layer_group_new(image);
  if (group <= 0) return false;
  gimp_item_set_name(group, name.c_str());
  if (!gimp_image_insert_layer(image, group, gimp_item_get_parent(layer), gimp_image_get_item_position(image, layer)) ||
      !gimp_image_reorder_item(image, layer, group, 0))
    return false;
  gimp_item_set_visible(group, gimp_item_get_visible(layer));
  gimp_item_set_visible(layer, TRUE);
  gimp_layer_set_mode(group, gimp_layer_get_mode(layer));
  gimp_layer_set_blend_space(group, gimp_layer_get_blend_space(layer));
  gimp_layer_set_composite_space(group, gimp_layer_get_composite_space(layer));
  gimp_layer_set_composite_mode(group, gimp_layer_get_composite_mode(layer));
  gimp_layer_set_opacity(group, gimp_layer_get_opacity(layer));
  gimp_layer_set_mode(layer, GIMP_LAYER_MODE_NORMAL);
  gimp_layer_set_opacity(layer, 100);
  const Id mask = layer_mask(layer);
  if (mask == kNone) return true;
  const Id copy = add_mask(group);
  if (copy == kNone) return false;
  gegl_buffer_copy(pixels(mask).get(), nullptr, GEGL_ABYSS_NONE, pixels(copy).get(), nullptr);
  gimp_layer_set_apply_mask(group, gimp_layer_get_apply_mask(layer));
  return gimp_layer_remove_mask(layer, GIMP_MASK_DISCARD);
}

void set_blending(Id layer, BlendLayer::Mode mode) {
  const GimpLayerMode gimp_mode = mode == BlendLayer::Mode::multiply   ? GIMP_LAYER_MODE_MULTIPLY
                                  : mode == BlendLayer::Mode::add      ? GIMP_LAYER_MODE_ADDITION
                                  : mode == BlendLayer::Mode::subtract ? GIMP_LAYER_MODE_SUBTRACT
                                                                       : GIMP_LAYER_MODE_NORMAL;
  gimp_layer_set_mode(layer, gimp_mode);
  gimp_layer_set_blend_space(layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_composite_space(layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
}

Id make_group(Id image, const std::string& name) {
  const Id group = gimp_layer_group_new(image);
  if (group <= 0) return kNone;
  gimp_item_set_name(group, name.c_str());
  gimp_layer_set_mode(group, GIMP_LAYER_MODE_PASS_THROUGH);
  return group;
}

bool insert_into_group(Id image, Id layer, Id group) {
  if (gimp_image_insert_layer(image, layer, group, 0)) return true;
  delete_layer(layer);
  return false;
}

void activate(Id image, Id layer) { gimp_image_set_active_layer(image, layer); }

Id make_channel(Id image, const std::string& name) {
  const GimpRGB black = {0, 0, 0, 1};
  const Id channel = gimp_channel_new(image, name.c_str(), gimp_image_width(image), gimp_image_height(image), 50, &black);
  if (channel <= 0) return kNone;
  gimp_item_set_visible(channel, FALSE);
  return channel;
}
void insert_channel(Id image, Id channel) { gimp_image_insert_channel(image, channel, 0, 0); }

void hide(Id layer) { gimp_item_set_visible(layer, FALSE); }
void layer_changed(Id layer) { gimp_drawable_update(layer, 0, 0, gimp_drawable_width(layer), gimp_drawable_height(layer)); }
void show_changes() { gimp_displays_flush(); }

namespace {
Id shown(Id image) {
  if (image <= 0) return kNone;
  gimp_display_new(image);
  return image;
}
}  // namespace

Id open_image(const std::string& path) { return shown(gimp_file_load(GIMP_RUN_INTERACTIVE, path.c_str(), path.c_str())); }
Id image_from_clipboard() { return shown(gimp_edit_paste_as_new_image()); }
void select_opaque(Id layer) { gimp_image_select_item(gimp_item_get_image(layer), GIMP_CHANNEL_OP_REPLACE, layer); }
void select_nothing(Id image) { gimp_selection_none(image); }

std::string layer_note(Id layer, const char* key) { return text_of(gimp_item_get_parasite(layer, key)); }

void set_layer_note(Id layer, const char* key, const std::string& text) {
  GimpParasite* parasite = parasite_of(key, GIMP_PARASITE_PERSISTENT | GIMP_PARASITE_UNDOABLE, text);
  gimp_item_attach_parasite(layer, parasite);
  gimp_parasite_free(parasite);
}

std::string user_note(const char* key) { return text_of(gimp_get_parasite(key)); }

void set_user_note(const char* key, const std::string& text) { attach(parasite_of(key, GIMP_PARASITE_PERSISTENT, text)); }

std::string session_note(const char* key) { return user_note(key); }
void set_session_note(const char* key, const std::string& text) { attach(parasite_of(key, 0, text)); }

}  // namespace geometry_transfer::host

namespace {

using namespace geometry_transfer;

/// Number of arguments before those of the table, and after them.
constexpr int kFixed = 5, kLast = 1;

GimpPDBArgType argument_type(const Parameter& p) {
  switch (p.kind) {
    case Parameter::Kind::boolean:
    case Parameter::Kind::integer:
      return GIMP_PDB_INT32;
    case Parameter::Kind::real:
      return GIMP_PDB_FLOAT;
    default:
      return GIMP_PDB_STRING;
  }
}

void query() {
  std::vector<std::string> help;  // keeps the descriptions alive until they are registered
  for (const Parameter& p : parameters()) help.push_back(argument_help(p));
  std::string references = references_help(), separate_layers = separate_layers_help();
  std::vector<GimpParamDef> arguments = {
      {GIMP_PDB_INT32, const_cast<char*>("run-mode"),
       const_cast<char*>("The run mode { RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2) }")},
      {GIMP_PDB_IMAGE, const_cast<char*>("image"), const_cast<char*>("The image; its selection says where the geometry is")},
      {GIMP_PDB_DRAWABLE, const_cast<char*>("drawable"), const_cast<char*>(kTargetHelp)},
      {GIMP_PDB_DRAWABLE, const_cast<char*>("source"), const_cast<char*>(kSourceHelp)},
      {GIMP_PDB_STRING, const_cast<char*>(kReferences), &references[0]},
  };
  for (size_t i = 0; i < help.size(); ++i)
    arguments.push_back({argument_type(parameters()[i]), const_cast<char*>(parameters()[i].name), &help[i][0]});
  arguments.push_back({GIMP_PDB_INT32, const_cast<char*>(kSeparateLayers), &separate_layers[0]});
  const GimpParamDef result[] = {{GIMP_PDB_LAYER, const_cast<char*>("layer"), const_cast<char*>(kResultHelp)}};

  gimp_plugin_domain_register(GT_TEXT_DOMAIN, catalogs_folder().c_str());
  gimp_install_procedure(kProcedure, kBlurb, kHelp, kAuthors, kAuthors, kYear, kMenuLabel, "RGB*, GRAY*", GIMP_PLUGIN,
                         arguments.size(), 1, arguments.data(), result);
  gimp_plugin_menu_register(kProcedure, kMenuPath);
  const std::string icon = icon_file();
  if (!icon.empty())
    gimp_plugin_icon_register(kProcedure, GIMP_ICON_TYPE_IMAGE_FILE, reinterpret_cast<const guint8*>(icon.c_str()));
}

Value value_of(const GimpParam& given) {
  if (given.type == GIMP_PDB_FLOAT) return given.data.d_float;
  if (given.type == GIMP_PDB_INT32) return static_cast<int>(given.data.d_int32);
  return std::string(given.data.d_string ? given.data.d_string : "");
}

Call call_of(int count, const GimpParam* given) {
  Call call;
  call.mode = given[0].data.d_int32 == GIMP_RUN_INTERACTIVE      ? Call::Mode::interactive
              : given[0].data.d_int32 == GIMP_RUN_WITH_LAST_VALS ? Call::Mode::last_values
                                                                 : Call::Mode::noninteractive;
  call.image = given[1].data.d_image;
  call.target = given[2].data.d_drawable;
  if (count > 3 && given[3].data.d_drawable > 0) call.source = given[3].data.d_drawable;
  if (call.mode != Call::Mode::noninteractive) return call;
  const auto& table = parameters();
  const int expected = kFixed + static_cast<int>(table.size()) + kLast;
  if (count != expected)
    throw error(Error::Kind::input, _("{0} takes {1} arguments, but was given {2}."), kProcedure, expected, count);
  if (const char* further = given[4].data.d_string) call.further = parse_references(further);
  for (size_t i = 0; i < table.size(); ++i) set_argument(call.request, table[i], value_of(given[kFixed + i]));
  call.separate = given[count - 1].data.d_int32 != 0;
  return call;
}

void answer(const gchar*, gint count, const GimpParam* given, gint* returned, GimpParam** values) {
  static GimpParam answers[2];  // GIMP reads them after this returns
  static std::string message;
  start_texts();
  set_idle_threads();
  keep_freed_memory();
  start_gegl();
  gimp_plugin_enable_precision();

  Outcome outcome;
  try {
    outcome = run(call_of(count, given), show_dialog, worker::worker_runner());
  } catch (const Error& e) {
    outcome.message = e.what();
  }
  *values = answers;
  *returned = 2;
  answers[0].type = GIMP_PDB_STATUS;
  switch (outcome.status) {
    case Outcome::Status::done:
      answers[0].data.d_status = GIMP_PDB_SUCCESS;
      answers[1].type = GIMP_PDB_LAYER;
      answers[1].data.d_layer = outcome.layer;
      break;
    case Outcome::Status::cancelled:
      answers[0].data.d_status = GIMP_PDB_CANCEL;
      *returned = 1;
      break;
    case Outcome::Status::failed:
      message = outcome.message;
      answers[0].data.d_status = GIMP_PDB_EXECUTION_ERROR;
      answers[1].type = GIMP_PDB_STRING;
      answers[1].data.d_string = &message[0];
      break;
  }
}

}  // namespace

extern "C" const GimpPlugInInfo PLUG_IN_INFO = {nullptr, nullptr, query, answer};

int main(int argc, char** argv) {
  if (!worker::is_worker(argc, argv)) return gimp_main(&PLUG_IN_INFO, argc, argv);
  start_texts();
  return worker::worker_main(argv);
}
