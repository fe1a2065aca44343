// SPDX-License-Identifier: GPL-3.0-or-later
/// The whole host: everything that the plug-in asks of a GIMP. host_gimp2.cpp and host_gimp3.cpp implement it; tests have one on
/// buffers in memory. No function here throws unless it says so.
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

// ---- looking ----------------------------------------------------------------------------------------------------------------

std::vector<Id> images();
std::string image_name(Id image);
/// True for pixels that a result layer can join: RGB or grey, not indexed.
bool takes_colour(Id image);
/// A floating selection is in the way of a new layer.
bool has_floating_selection(Id image);
/// While the quick mask is on the selection is a channel to paint on, and nothing is selected.
bool has_quick_mask(Id image);
/// All layers of the image, groups included, from top to bottom.
std::vector<Id> layers(Id image);

Id image_of(Id item);
/// False for channels, layer masks, the selection, vectors, and what is gone.
bool is_layer(Id item);
std::string item_name(Id item);
/// The mask that is attached to a layer; kNone when there is none.
Id layer_mask(Id layer);
/// The layer that a layer mask belongs to; kNone for any other item.
Id layer_of_mask(Id item);
/// A number that stays with the item in saved files, never 0.
unsigned tattoo(Id item);
Id item_of_tattoo(Id image, unsigned tattoo);

/// The group that the item lies in; kNone at the top level.
Id parent(Id item);
/// The eye beside the layer is on. A layer in a hidden group counts as visible.
bool is_visible(Id layer);
/// True for a layer with mode Normal (a group: or Pass through), opacity 100 and no layer mask.
bool is_plain(Id layer);

/// The image's channels, the selection not among them.
std::vector<Id> channels(Id image);
bool is_channel(Id item);
Id channel_of_tattoo(Id image, unsigned tattoo);

/// The selection's channel, and where it is not 0; empty when nothing is selected.
Id selection(Id image);
Rect selection_bounds(Id image);

/// On the canvas.
Rect extent(Id drawable);
struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Buffer = std::unique_ptr<GeglBuffer, Unref>;
/// The drawable's pixels, 0,0 at its own top left, tagged with the colour space that the image's profile says. Changes are handed
/// over when the buffer is let go.
Buffer pixels(Id drawable);

// ---- changing ---------------------------------------------------------------------------------------------------------------

void undo_group_begin(Id image);
void undo_group_end(Id image);
/// A transparent layer for the image, not in it yet: nobody sees it while its pixels are written. kNone when the host refuses.
Id make_layer(Id image, const std::string& name, const Rect& area);
/// Puts it directly above another, or below it, in the same group, and selects it, in one undo step; false, and the layer is no
/// more, when the host refuses.
bool insert_layer(Id image, Id layer, Id beside, bool below = false);
/// Deletes a layer that is not in the image yet; takes out one that is.
void delete_layer(Id layer);
void remove_layer(Id image, Id layer);
/// A mask for a layer that has none, black all over: its drawable, of the layer's size. kNone when the host refuses.
Id add_mask(Id layer);
void hide(Id layer);
/// Puts the layer into a new group at its place and moves its opacity, mode and layer mask to the group, so that the picture
/// stays as it is. Several changes: to be called between undo_group_begin and undo_group_end. False when the host refuses.
bool wrap_in_group(Id image, Id layer, const std::string& name);
/// Makes the layer the active one: the only selected one in GIMP 3.
void activate(Id image, Id layer);
/// An invisible channel of the canvas's size for the image, black all over, not in it yet. kNone when the host refuses.
Id make_channel(Id image, const std::string& name);
void insert_channel(Id image, Id channel);
/// To be called after pixels(layer) was written and let go.
void layer_changed(Id layer);
void show_changes();

// ---- opening ----------------------------------------------------------------------------------------------------------------

/// Opens a picture file as a new image in a window of its own. kNone if it cannot be read: GIMP tells the user why.
Id open_image(const std::string& path);
/// Makes a new image of the clipboard, in a window of its own; kNone if the clipboard holds no picture.
Id image_from_clipboard();
/// Replaces the selection of the layer's image by the layer's opacity, or by the whole layer if it has no alpha.
void select_opaque(Id layer);
void select_nothing(Id image);

// ---- remembering ------------------------------------------------------------------------------------------------------------

/// Text that is saved with a layer, text that is kept from one session of this user to the next, and text that this session of
/// GIMP keeps; empty when there is none.
std::string layer_note(Id layer, const char* key);
void set_layer_note(Id layer, const char* key, const std::string& text);
std::string user_note(const char* key);
void set_user_note(const char* key, const std::string& text);
std::string session_note(const char* key);
void set_session_note(const char* key, const std::string& text);

// ---- progress ---------------------------------------------------------------------------------------------------------------

/// `fraction` in [0,1]. A host whose user cancels ends this process: nothing may be left behind at any call.
void progress(double fraction, const std::string& text);
void progress_end();

}  // namespace geometry_transfer::host
