// SPDX-License-Identifier: GPL-3.0-or-later
/// The presets, and what each does with a model of each family.
#include "geometry-transfer/models.h"
#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// True for families of models that are large enough to improve the edit.
bool improves_the_edit(const std::string& family) { return family == "SD 1.x" || family == "SD 2.x" || family == "SDXL"; }

/// Runs the method with the edit as its geometry. All other fields have Request's defaults.
Request run_of(double correction, double noise, int steps, int iterations) {
  Request r;
  r.correction = correction;
  r.noise = noise;
  r.steps = steps;
  r.iterations = iterations;
  return r;
}

/// The published method: its own colour adjustment and attention sets, without the edit, restoring or detail.
Request paper() {
  Request r = run_of(1, 1000, 20, 5);
  r.colour = Colour::mean;
  r.grain = 0;
  r.spacing = Spacing::leading;
  r.output_reads = Stream::source | Stream::target;
  r.restore = 0;
  r.give_back = GiveBack::nothing;
  r.reuse_keys = false;
  r.window = false;
  return r;
}

/// Reduces the side that the model works at to three quarters, for about half the work.
Request smaller(Request r) {
  r.working_size = 0.75;
  return r;
}

/// Lets the output read the reference too, beside the edit and the target.
Request with_source(Request r) {
  r.output_reads = Stream::source | Stream::geometry | Stream::target;
  return r;
}

/// How a preset runs with one kind of model.
struct Row {
  Request request;
  bool offered;
  const char* effect;
};

struct PresetRow {
  Preset preset;
  Row with_small;  ///< the shipped model, and models of an unknown family
  Row with_large;  ///< Stable Diffusion
};

// The measurements behind the rows are in docs/quality.md and docs/presets.md.
constexpr double kShare = 0.25;  // share of the shipped model's correction; about two levels of 255

const std::vector<PresetRow>& table() {
  const char* const edit_only = N_("Carries the geometry over by image processing. No model runs.");
  const char* const small = N_(
      "Adds a quarter of what the shipped model changes. That model is small: it redraws texture, and on average the result is "
      "further from the truth than with Instant.");
  const char* const published =
      N_("Runs the published method alone: mean colour, full noise, the decoded picture inside the selection.");
  static const std::vector<PresetRow> rows = {
      {{"instant", N_("Instant"), N_("The edit alone: no model, well under a second")},
       {Request{}, true, edit_only},
       {Request{}, true, edit_only}},
      {{"draft", N_("Draft"), N_("A quick look with the model")},
       {smaller(run_of(kShare, 150, 1, 1)), false, small},
       {run_of(1, 500, 5, 1), true,
        N_("The model adapts shading and contact from half of the noise. Coarse structure stays that of the edit.")}},
      {{"balanced", N_("Balanced"), N_("The whole method with the model")},
       {run_of(kShare, 250, 2, 1), false, small},
       {run_of(1, 1000, 10, 2), true,
        N_("The model redraws the geometry in the target's material, from full noise in 10 steps. All of its changes are "
           "used.")}},
      {{"best", N_("Best"), N_("More steps, for the final picture")},
       {run_of(kShare, 250, 8, 2), false, small},
       {with_source(run_of(1, 1000, 20, 2)), true, N_("As Balanced in 20 steps, and the model also looks at the reference.")}},
      {{"paper", N_("Paper"), N_("Harmonizing Attention as published: mean colour, full noise, nothing of ours")},
       {paper(), true, published},
       {paper(), true, published}},
  };
  return rows;
}

const Row& row_of(const PresetRow& row, const std::string& family) {
  return improves_the_edit(family) ? row.with_large : row.with_small;
}

const PresetRow& find_row(const std::string& id) {
  std::string names;
  for (const PresetRow& row : table()) {
    if (id == row.preset.id) return row;
    names += std::string(row.preset.id) + ", ";
  }
  throw error(Error::Kind::input, _("There is no preset \"{0}\". Choose one of: {1}."), id, names + "custom");
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = [] {
    std::vector<Preset> all;
    for (const PresetRow& row : table()) all.push_back(row.preset);
    return all;
  }();
  return list;
}

PresetOffer preset_offer(const std::string& id, const std::string& family) {
  const Row& row = row_of(find_row(id), family);
  return {row.offered, _(row.effect)};
}

const char* default_preset(const std::string& family) { return improves_the_edit(family) ? "balanced" : "instant"; }

std::string preset_for_model(const std::string& chosen, const std::string& before, const std::string& after) {
  if (chosen == "custom" || improves_the_edit(before) == improves_the_edit(after)) return chosen;
  return chosen == default_preset(before) || !preset_offer(chosen, after).offered ? default_preset(after) : chosen;
}

void apply_preset(Request& request, const std::string& id, const std::string& family) {
  if (id != "custom") {
    const Request& row = row_of(find_row(id), family).request;
    for (const Parameter& p : parameters())
      if (p.of_preset()) p.set(request, p.get(row));
  }
  request.preset = id;
}

void apply_preset(Request& request, const std::string& id) { apply_preset(request, id, model_family(request.model)); }

}  // namespace geometry_transfer
