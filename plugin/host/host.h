// SPDX-License-Identifier: GPL-3.0-or-later
/// Everything that the plug-in asks of GIMP. host_gimp2.cpp and host_gimp3.cpp implement it. Tests have a host on
/// buffers in memory. Functions do not throw unless they say so.
#pragma once

#include <gegl.h>

#include <memory>
#include <string>
#include <vector>

#include "geometry-transfer/image.h"

namespace geometry_transfer::host {

/// An image or an item (layer, channel, selection) by its number in this GIMP session.
using Id = int;
constexpr Id kNone = -1;

// ---- looking --------------------------------------------------------------------------------------------------------

std::vector<Id> images();
std::string image_name(Id image);
/// True if the image can take a result layer: RGB or grey, not indexed.
bool takes_colour(Id image);
/// True if the image has a floating selection, which blocks new layers.
bool has_floating_selection(Id image);
/// True while the quick mask is on. The selection is then a channel to paint on, and nothing is selected.
bool has_quick_mask(Id image);
/// All layers of the image, groups included, from top to bottom.
std::vector<Id> layers(Id image);

Id image_of(Id item);
/// False for channels, layer masks, the selection, vectors, and deleted items.
bool is_layer(Id item);
std::string item_name(Id item);
/// Returns the mask of a layer; kNone if it has none.
Id layer_mask(Id layer);
/// Returns the layer that a layer mask belongs to; kNone for any other item.
Id layer_of_mask(Id item);
/// Returns a number that identifies the item in saved files, never 0.
unsigned tattoo(Id item);
Id item_of_tattoo(Id image, unsigned tattoo);

/// Returns the group of the item; kNone at the top level.
Id parent(Id item);
/// True if the eye beside the layer is on. A layer in a hidden group counts as visible.
bool is_visible(Id layer);
/// True for a layer with mode Normal (a group: or Pass through), opacity 100 and no layer mask.
bool is_plain(Id layer);

/// Returns the image's channels without the selection.
std::vector<Id> channels(Id image);
bool is_channel(Id item);
Id channel_of_tattoo(Id image, unsigned tattoo);

/// The channel of the selection, and its bounds on the canvas; empty if nothing is selected.
Id selection(Id image);
Rect selection_bounds(Id image);

/// Returns the bounds on the canvas.
Rect extent(Id drawable);
struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Buffer = std::unique_ptr<GeglBuffer, Unref>;
/// Returns the drawable's pixels, with 0,0 at its own top left, in the colour space of the image's profile. Changes
/// reach GIMP when the buffer is released.
Buffer pixels(Id drawable);

// ---- changing -------------------------------------------------------------------------------------------------------

void undo_group_begin(Id image);
void undo_group_end(Id image);
/// Makes a transparent layer that is not in the image yet, so nobody sees it while its pixels are written. kNone if the
/// host refuses.
Id make_layer(Id image, const std::string& name, const Rect& area);
/// Inserts the layer directly above another, or below it, in the same group, and selects it, in one undo step. If the
/// host refuses, deletes the layer and returns false.
bool insert_layer(Id image, Id layer, Id beside, bool below = false);
/// Deletes a layer that is not in the image yet, or removes one that is.
void delete_layer(Id layer);
void remove_layer(Id image, Id layer);
/// Adds a black mask of the layer's size to a layer without one, and returns its drawable. kNone if the host refuses.
Id add_mask(Id layer);
void hide(Id layer);
/// Puts the layer into a new group at its place, and moves its opacity, mode and layer mask to the group. The picture
/// stays the same. Makes several changes, so call it between undo_group_begin and undo_group_end. False if the host
/// refuses.
bool wrap_in_group(Id image, Id layer, const std::string& name);
/// Sets how the layer is blended with the picture below it, in R'G'B'.
void set_blending(Id layer, BlendLayer::Mode mode);
/// Makes an empty group of mode Pass through that is not in the image yet: its layers are blended with what lies below
/// the group. kNone if the host refuses.
Id make_group(Id image, const std::string& name);
/// Inserts a new layer on top of the others of a group that is in the image. If the host refuses, deletes the layer and
/// returns false.
bool insert_into_group(Id image, Id layer, Id group);
/// Makes the layer the active one. In GIMP 3 it is then the only selected one.
void activate(Id image, Id layer);
/// Makes an invisible black channel of the canvas's size that is not in the image yet. kNone if the host refuses.
Id make_channel(Id image, const std::string& name);
void insert_channel(Id image, Id channel);
/// Call it after pixels(layer) was written and released.
void layer_changed(Id layer);
void show_changes();

// ---- opening --------------------------------------------------------------------------------------------------------

/// Opens a picture file as a new image in its own window. kNone if it cannot be read; GIMP then tells the user why.
Id open_image(const std::string& path);
/// Makes a new image from the clipboard, in its own window. kNone if the clipboard holds no picture.
Id image_from_clipboard();
/// Replaces the selection of the layer's image by the layer's opacity, or by the whole layer if it has no alpha.
void select_opaque(Id layer);
void select_nothing(Id image);

// ---- remembering ----------------------------------------------------------------------------------------------------

/// Notes are texts. A layer's note is saved with it, a user's note is kept between sessions, and a session's note ends
/// with GIMP. Empty if there is none.
std::string layer_note(Id layer, const char* key);
void set_layer_note(Id layer, const char* key, const std::string& text);
std::string user_note(const char* key);
void set_user_note(const char* key, const std::string& text);
std::string session_note(const char* key);
void set_session_note(const char* key, const std::string& text);

// ---- progress -------------------------------------------------------------------------------------------------------

/// `fraction` in [0,1]. If the user cancels, the host ends this process. So at any call nothing may be left that needs
/// cleaning up.
void progress(double fraction, const std::string& text);
void progress_end();

}  // namespace geometry_transfer::host
