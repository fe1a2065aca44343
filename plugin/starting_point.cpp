// SPDX-License-Identifier: GPL-3.0-or-later
#include "starting_point.h"

#include <algorithm>

#include "bring_in.h"
#include "kept_selection.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using host::Id;
using host::kNone;

constexpr char kImageKey[] = "geometry-transfer-image";            // session: the image of the last run
constexpr char kUnfinishedKey[] = "geometry-transfer-unfinished";  // session: its settings, if it did not end well

/// The remembered further references that still exist, each layer once. A note may name one layer many times.
std::vector<FurtherReference> existing_references(const Call& call, std::vector<FurtherReference> remembered) {
  std::vector<FurtherReference> existing;
  for (FurtherReference& r : remembered) {
    r.layer = host::item_of_tattoo(call.image, static_cast<unsigned>(r.layer));
    const bool repeated =
        std::any_of(existing.begin(), existing.end(), [&](const auto& other) { return other.layer == r.layer; });
    if (host::is_layer(static_cast<Id>(r.layer)) && r.layer != call.target && r.layer != call.source && !repeated)
      existing.push_back(r);
  }
  return existing;
}

/// True if one of the layers is a group that the other one lies in.
bool one_holds_the_other(Id a, Id b) {
  const auto inside = [](Id inner, Id outer) {
    for (Id group = host::parent(inner); group != kNone; group = host::parent(group))
      if (group == outer) return true;
    return false;
  };
  return inside(a, b) || inside(b, a);
}

/// The layer nearest to the target, first below, then above it. Results are left out.
Id nearest_layer(const Call& call) {
  Id above = kNone;
  bool passed = false;
  for (const Id layer : host::layers(call.image)) {
    if (layer == call.target)
      passed = true;
    else if (is_result(layer) || one_holds_the_other(layer, call.target))
      continue;
    else if (passed)
      return above == kNone ? layer : above;
    else
      above = layer;
  }
  return above;
}

/// The first layer of another open image, preferably of one where something is selected.
Id layer_of_another_image(Id image) {
  Id any = kNone;
  for (const Id other : host::images()) {
    if (other == image) continue;
    for (const Id layer : host::layers(other)) {
      if (is_result(layer)) continue;
      if (!host::selection_bounds(other).empty()) return layer;
      if (any == kNone) any = layer;
      break;
    }
  }
  return any;
}

Id likely_source(const Call& call, unsigned tattoo) {
  const Id remembered = host::item_of_tattoo(call.image, tattoo);
  if (host::is_layer(remembered) && remembered != call.target && !is_result(remembered)) return remembered;
  const Id nearest = nearest_layer(call);
  return nearest != kNone ? nearest : layer_of_another_image(call.image);
}

Rect intersection(const Rect& a, const Rect& b) {
  const int x = std::max(a.x, b.x), y = std::max(a.y, b.y);
  return {x, y, std::min(a.right(), b.right()) - x, std::min(a.bottom(), b.bottom()) - y};
}

/// The next visible layer below `above` in its group that lies under `area`, results left out; kNone if there is none.
Id visible_layer_below(Id image, Id above, const Rect& area) {
  bool passed = false;
  for (const Id layer : host::layers(image)) {
    if (layer == above)
      passed = true;
    else if (passed && host::parent(layer) == host::parent(above) && host::is_visible(layer) && !is_result(layer) &&
             !intersection(host::extent(layer), area).empty())
      return layer;
  }
  return kNone;
}

/// True if at least half of the selection lies on the layer.
bool holds(Id layer, const Rect& selected) {
  const Rect held = intersection(host::extent(layer), selected);
  return !held.empty() && 2. * held.width * held.height >= 1. * selected.width * selected.height;
}

/// After File > Open as Layers and selecting, the active layer is the reference, because the user sees and selects the
/// geometry on it. So if the active layer is visible, holds the selection and covers a visible layer, it is
/// taken as reference and that layer as target.
void guess_sides(Call& call) {
  const Rect selected = host::selection_bounds(call.image);
  if (selected.empty() || !host::is_visible(call.target) || !holds(call.target, selected)) return;
  const Id below = visible_layer_below(call.image, call.target, selected);
  if (below == kNone) return;
  call.source = call.target;
  call.target = below;
  call.hint =
      sentence(_("The active layer \"{0}\" holds the selection, so it is taken as the reference. Swap exchanges the two."),
               host::item_name(call.source));
}

/// Takes the settings of the result that the call was made on; false if it was made on another layer.
bool start_from_result(Call& call) {
  Remembered settings;
  if (!layer_settings(call.target, settings)) return false;
  call.request = settings.request;
  call.kind = settings.kind;
  call.separate = settings.separate;
  const Id target = host::item_of_tattoo(call.image, settings.target), result = call.target;
  const bool target_exists = host::is_layer(target);
  if (target_exists) call.target = target;
  if (call.source == kNone || call.source == call.target || call.source == result)
    call.source = likely_source(call, settings.source);
  call.further = existing_references(call, settings.further);

  const std::string now = reference_selection_state(call);
  const bool other_selection = !settings.selection_state.empty() && !now.empty() && now != settings.selection_state;
  if (other_selection)
    call.request.placement = {};
  else if (target_exists)
    call.previous = result;
  if (!other_selection && now.empty()) call.selection = host::channel_of_tattoo(call.image, settings.selection);
  return true;
}

void start_from_last_run(Call& call) {
  const bool same_image = host::session_note(kImageKey) == std::to_string(call.image);
  const std::string unfinished = same_image ? host::session_note(kUnfinishedKey) : "";
  Remembered settings = unfinished.empty() ? last_settings() : parse_settings(unfinished);
  // Tattoos count from 1 in every image: those of another image would lead to layers that nobody chose.
  if (!same_image) {
    settings.source = settings.target = 0;
    settings.further.clear();
  }
  const bool chosen = call.source != kNone && call.source != call.target;
  const bool same_target = same_image && settings.target == host::tattoo(call.target);
  if (!chosen && !same_target && call.mode == Call::Mode::interactive) guess_sides(call);
  if (call.source == kNone || call.source == call.target) call.source = likely_source(call, settings.source);
  call.further = existing_references(call, settings.further);
  call.request = settings.request;
  call.kind = settings.kind;
  call.separate = settings.separate;
  if (!same_image || settings.selection_state != reference_selection_state(call)) call.request.placement = {};
}

}  // namespace

std::string reference_selection_state(const Call& call) {
  if (!host::is_layer(call.source) || was_brought_in(call.source)) return {};
  const Id other = host::image_of(call.source);
  return selection_state(other != call.image && !host::selection_bounds(other).empty() ? other : call.image);
}

void take_selected(Call& call) {
  const size_t count = call.selected.size();
  if (count < 2) return;
  if (call.mode == Call::Mode::noninteractive)
    throw error(Error::Kind::input, _("Choose one layer to work on; {0} are chosen."), count);
  const std::vector<Id> stack = host::layers(call.image);
  const auto place = [&](Id layer) { return std::find(stack.begin(), stack.end(), layer); };
  Id upper = call.selected[0], lower = call.selected[1];
  if (place(lower) < place(upper)) std::swap(upper, lower);
  if (count > 2 || !host::is_layer(upper) || !host::is_layer(lower) || one_holds_the_other(upper, lower))
    throw error(Error::Kind::input,
                _("Select the target layer alone, or two layers: the upper one is then the reference. {0} are selected."), count);
  const Rect selected = host::selection_bounds(call.image);
  const bool swapped = is_result(upper) || (!selected.empty() && !holds(upper, selected) && holds(lower, selected));
  call.source = swapped && !is_result(lower) ? lower : upper;
  call.target = call.source == upper ? lower : upper;
  if (is_result(call.target)) return;  // its own settings say where its target is
  call.hint = sentence(_("Two layers are selected: \"{0}\" is taken as the reference. Swap exchanges the two."),
                       host::item_name(call.source));
}

void set_starting_point(Call& call) {
  call.target = whole_result(call.target);
  if (!start_from_result(call)) start_from_last_run(call);
}

Remembered settings_of(const Call& call) {
  Remembered settings;
  settings.request = call.request;
  settings.kind = call.kind;
  settings.separate = call.separate;
  settings.target = host::tattoo(call.target);
  if (host::image_of(call.source) == call.image) settings.source = host::tattoo(call.source);
  for (FurtherReference r : call.further) {
    const Id layer = static_cast<Id>(r.layer);
    if (host::image_of(layer) != call.image) continue;
    r.layer = host::tattoo(layer);
    settings.further.push_back(r);
  }
  const bool saved = host::is_channel(call.selection);
  settings.selection_state = saved ? state_of_kept_selection(call.selection) : reference_selection_state(call);
  return settings;
}

void remember_started(const Call& call, const Remembered& settings) {
  host::set_session_note(kImageKey, std::to_string(call.image));
  host::set_session_note(kUnfinishedKey, settings_text(settings));
}

void remember_finished(const Call& call, const Remembered& settings) {
  set_last_settings(settings);
  host::set_session_note(kImageKey, std::to_string(call.image));
  host::set_session_note(kUnfinishedKey, "");
}

}  // namespace geometry_transfer
