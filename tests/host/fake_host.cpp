// SPDX-License-Identifier: GPL-3.0-or-later
#include "fake_host.h"

#include <algorithm>

namespace geometry_transfer::host {
namespace fake {

World& world() {
  static World one;
  return one;
}

void reset() {
  for (auto& [id, item] : world().items)
    if (item.buffer) g_object_unref(item.buffer);
  world() = World{};
}

namespace {
GeglBuffer* blank(const Rect& area, const char* format) {
  const GeglRectangle extent = {0, 0, area.width, area.height};
  return gegl_buffer_new(&extent, babl_format(format));
}
}  // namespace

Id layer(Id image, const std::string& name, const Rect& area, const float rgba[4]) {
  const Id id = world().next++;
  GeglBuffer* buffer = blank(area, "R'G'B'A u16");
  const std::vector<float> row(rgba, rgba + 4);
  std::vector<float> pixels;
  for (int i = 0; i < area.width * area.height; ++i) pixels.insert(pixels.end(), row.begin(), row.end());
  gegl_buffer_set(buffer, nullptr, 0, babl_format("R'G'B'A float"), pixels.data(), GEGL_AUTO_ROWSTRIDE);
  world().items[id] = Item{image, name, area, true, false, buffer, {}};
  world().stacks[image].push_back(id);
  return id;
}

namespace {
/// Makes a channel that is 1 in a rectangle.
Id channel(Id image, const char* name, const Rect& canvas, const Rect& area) {
  const Id id = world().next++;
  GeglBuffer* buffer = blank(canvas, "Y float");
  const std::vector<float> ones(static_cast<size_t>(area.width) * area.height, 1.f);
  const GeglRectangle r = {area.x, area.y, area.width, area.height};
  if (!area.empty()) gegl_buffer_set(buffer, &r, 0, babl_format("Y float"), ones.data(), GEGL_AUTO_ROWSTRIDE);
  world().items[id] = Item{image, name, canvas, false, false, buffer, {}};
  return id;
}
}  // namespace

void select(Id image, const Rect& area) {
  world().selections[image] = channel(image, "selection", {0, 0, 400, 400}, area);
  world().selected[image] = area;
}

void mask(Id layer, const Rect& area) {
  const Rect whole = world().items[layer].area;
  const Id mask = channel(world().items[layer].image, "mask", {0, 0, whole.width, whole.height}, area);
  world().items[layer].mask = mask;
}

}  // namespace fake

using fake::world;

std::vector<Id> images() {
  std::vector<Id> all;
  for (const auto& [image, stack] : world().stacks) all.push_back(image);
  return all;
}
std::string image_name(Id) { return "image"; }
bool takes_colour(Id) { return !world().indexed; }
bool has_floating_selection(Id) { return world().floating; }
bool has_quick_mask(Id) { return world().quick_mask; }
std::vector<Id> layers(Id image) { return world().stacks[image]; }
Id image_of(Id item) { return world().items.count(item) ? world().items[item].image : kNone; }
bool is_layer(Id item) { return world().items.count(item) && world().items[item].layer; }
std::string item_name(Id item) { return world().items.at(item).name; }
Id layer_mask(Id layer) { return world().items.at(layer).mask; }
Id layer_of_mask(Id item) {
  for (const auto& [id, other] : world().items)
    if (other.mask == item && item != kNone) return id;
  return kNone;
}
unsigned tattoo(Id item) { return item + 1000; }
Id item_of_tattoo(Id image, unsigned tattoo) {
  const Id id = static_cast<Id>(tattoo) - 1000;
  return is_layer(id) && image_of(id) == image ? id : kNone;
}
Id parent(Id item) { return world().items.at(item).group; }
bool is_visible(Id layer) { return world().items.at(layer).visible; }
bool is_plain(Id layer) { return world().items.at(layer).mask == kNone; }
std::vector<Id> channels(Id image) { return world().channels[image]; }
bool is_channel(Id item) { return world().items.count(item) && world().items[item].channel; }
Id channel_of_tattoo(Id image, unsigned tattoo) {
  const Id id = static_cast<Id>(tattoo) - 1000;
  return is_channel(id) && image_of(id) == image ? id : kNone;
}
Id selection(Id image) { return world().selections[image]; }
Rect selection_bounds(Id image) { return world().selected[image]; }
Rect extent(Id drawable) { return world().items.at(drawable).area; }
Buffer pixels(Id drawable) { return Buffer(GEGL_BUFFER(g_object_ref(world().items.at(drawable).buffer))); }

void undo_group_begin(Id) { world().log.push_back("undo begin"); }
void undo_group_end(Id) { world().log.push_back("undo end"); }
Id make_layer(Id image, const std::string& name, const Rect& area) {
  world().log.push_back("make");
  const float clear[4] = {0, 0, 0, 0};
  const Id id = fake::layer(image, name, area, clear);
  world().stacks[image].pop_back();
  return id;
}
bool insert_layer(Id image, Id layer, Id beside, bool below) {
  if (world().room-- <= 0) {
    delete_layer(layer);
    return false;
  }
  world().log.push_back("insert");
  auto& stack = world().stacks[image];
  stack.insert(std::find(stack.begin(), stack.end(), beside) + (below ? 1 : 0), layer);
  return true;
}
void delete_layer(Id layer) {
  world().log.push_back("delete");
  for (const Id gone : {world().items.at(layer).mask, layer}) {
    if (gone == kNone) continue;
    g_object_unref(world().items.at(gone).buffer);
    world().items.erase(gone);
  }
}
void remove_layer(Id image, Id layer) {
  world().log.push_back("remove");
  auto& stack = world().stacks[image];
  stack.erase(std::remove_if(stack.begin(), stack.end(), [&](Id id) { return id == layer || parent(id) == layer; }), stack.end());
}
Id add_mask(Id layer) {
  if (world().no_masks) return kNone;
  world().log.push_back("mask");
  fake::mask(layer, {});
  return world().items[layer].mask;
}
bool wrap_in_group(Id, Id layer, const std::string&) {
  world().log.push_back("wrap");
  world().items.at(layer).mask = kNone;
  return true;
}
void set_blending(Id layer, BlendLayer::Mode mode) { world().items.at(layer).blending = mode; }
Id make_group(Id image, const std::string& name) { return make_layer(image, name, {0, 0, 1, 1}); }
bool insert_into_group(Id image, Id layer, Id group) {
  if (!insert_layer(image, layer, group, true)) return false;  // lists name a group before its layers, the topmost first
  world().items.at(layer).group = group;
  return true;
}
void activate(Id, Id layer) { world().active = layer; }
Id make_channel(Id image, const std::string& name) {
  const Id selection = fake::channel(image, name.c_str(), {0, 0, 400, 400}, {});
  world().items[selection].channel = true;
  return selection;
}
void insert_channel(Id image, Id channel) {
  world().log.push_back("insert channel");
  world().channels[image].push_back(channel);
}
void hide(Id layer) {
  world().log.push_back("hide");
  world().items[layer].visible = false;
}
void layer_changed(Id) { world().log.push_back("changed"); }
void show_changes() { world().log.push_back("show"); }

std::string layer_note(Id layer, const char* key) { return world().items.at(layer).notes[key]; }
void set_layer_note(Id layer, const char* key, const std::string& text) { world().items.at(layer).notes[key] = text; }
std::string user_note(const char* key) { return world().user.count(key) ? world().user[key] : ""; }
void set_user_note(const char* key, const std::string& text) { world().user[key] = text; }

std::string session_note(const char* key) { return world().session.count(key) ? world().session[key] : ""; }
void set_session_note(const char* key, const std::string& text) { world().session[key] = text; }

void progress(double fraction, const std::string&) {
  if (world().during) world().during(fraction);
}
void progress_end() { world().log.push_back("progress end"); }

}  // namespace geometry_transfer::host
