// SPDX-License-Identifier: GPL-3.0-or-later
#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// A preset of this project: Request's defaults, and these four fields.
Request own_preset(double correction, double noise, int steps, int iterations) {
  Request r;
  r.correction = correction;
  r.noise = noise;
  r.steps = steps;
  r.iterations = iterations;
  return r;
}

/// Works at three quarters of the model's side: half the work for nearly the same correction.
Request draft() {
  Request r = own_preset(0.4, 150, 1, 1);
  r.working_size = 0.75;
  return r;
}

Request paper() {
  Request r = own_preset(1, 1000, 20, 5);
  r.colour = Colour::mean;
  r.grain = 0;
  r.correct = Correct::all;
  r.spacing = Spacing::leading;
  r.output_reads = Stream::source | Stream::target;
  r.restore = 0;
  r.give_back = GiveBack::nothing;
  r.reuse_keys = false;
  r.window = false;
  return r;
}

/// A preset owns the groups colour and method, all of them: what a row does not name goes back to its default.
Preset preset(const char* id, const char* label, const char* blurb, Request row) {
  row.preset = id;
  return {id, label, blurb, [row = std::move(row)](Request& request) {
            request.preset = row.preset;
            for (const Parameter& p : parameters())
              if (p.of_preset()) p.set(request, p.get(row));
          }};
}

}  // namespace

const std::vector<Preset>& presets() {
  // Figures behind each row: docs/quality.md. Correction, noise, steps, iterations.
  static const std::vector<Preset> table = {
      preset("instant", N_("Instant"), N_("The edit alone: no model, well under a second"), own_preset(0, 250, 2, 1)),
      preset("draft", N_("Draft"), N_("A quick look with the model"), draft()),
      preset("balanced", N_("Balanced"), N_("The default"), own_preset(0.4, 250, 2, 1)),
      preset("best", N_("Best"), N_("More steps, for the final picture"), own_preset(0.4, 250, 8, 2)),
      preset("paper", N_("Paper"), N_("Harmonizing Attention as published: mean colour, full noise, nothing of ours"), paper()),
  };
  return table;
}

void apply_preset(Request& request, const std::string& id) {
  if (id == "custom") {
    request.preset = id;
    return;
  }
  std::string names;
  for (const Preset& p : presets()) {
    if (id == p.id) return p.apply(request);
    names += std::string(p.id) + ", ";
  }
  throw error(Error::Kind::input, _("There is no preset \"{0}\". Choose one of: {1}."), id, names + "custom");
}

}  // namespace geometry_transfer
