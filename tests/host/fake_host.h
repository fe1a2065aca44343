// SPDX-License-Identifier: GPL-3.0-or-later
/// A host on buffers in memory. It keeps the promises of host.h and records the calls.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/host.h"

namespace geometry_transfer::host::fake {

struct Item {
  Id image = kNone;
  std::string name;
  Rect area;
  bool layer = true, channel = false;
  GeglBuffer* buffer = nullptr;  ///< owned
  std::map<std::string, std::string> notes;
  Id mask = kNone;  ///< of a layer
  Id group = kNone;
  BlendLayer::Mode blending = BlendLayer::Mode::normal;
  bool visible = true;
};

struct World {
  std::map<Id, Item> items;
  std::map<Id, std::vector<Id>> stacks;    ///< of each image, from top to bottom
  std::map<Id, std::vector<Id>> channels;  ///< of each image
  std::map<Id, Rect> selected;
  std::map<Id, Id> selections;
  std::map<std::string, std::string> user, session;
  std::vector<std::string> log;  ///< "undo begin", "add", ... in order
  bool indexed = false, floating = false, quick_mask = false, no_masks = false;
  Id active = kNone;
  int room = 1000;                     ///< number of layers that it takes before it refuses one
  std::function<void(double)> during;  ///< called at each progress, to change the host meanwhile
  Id next = 1;
};
World& world();
void reset();
/// Adds a layer of one colour at the bottom of the image.
Id layer(Id image, const std::string& name, const Rect& area, const float rgba[4]);
/// Sets the image's selection to 1 in a rectangle.
void select(Id image, const Rect& area);
/// Gives the layer a mask that is 1 in a rectangle, in the layer's own pixels.
void mask(Id layer, const Rect& area);

}  // namespace geometry_transfer::host::fake
