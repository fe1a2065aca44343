// SPDX-License-Identifier: GPL-3.0-or-later
#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// The colour and method fields of a request, as one row.
struct Row {
  const char *id, *label, *blurb;
  Colour colour;
  double grain;
  bool close_border;
  double correction, noise;
  int steps, iterations;
  StreamSet output_reads;
  double restore;
  GiveBack give_back;
  bool reuse_keys;
  Spacing spacing;
  Correct correct;
};

constexpr auto geometry_target = [] { return Stream::geometry | Stream::target; };
constexpr auto source_target = [] { return Stream::source | Stream::target; };

const std::vector<Row>& rows() {
  // Figures behind each row: docs/quality.md.
  static const std::vector<Row> table = {
      // id         label           blurb                                                          colour           grain close
      // corr noise steps it
      {"instant", N_("Instant"), N_("The edit alone: no model, well under a second"), Colour::shading, 1, true, 0, 250, 5, 2,
       geometry_target(), 1, GiveBack::edit, true, Spacing::trailing, Correct::shadows},
      {"draft", N_("Draft"), N_("A quick look with the model"), Colour::shading, 1, true, 0.4, 150, 2, 1, geometry_target(), 1,
       GiveBack::edit, true, Spacing::trailing, Correct::shadows},
      {"balanced", N_("Balanced"), N_("The default"), Colour::shading, 1, true, 0.4, 250, 4, 1, geometry_target(), 1,
       GiveBack::edit, true, Spacing::trailing, Correct::shadows},
      {"best", N_("Best"), N_("More steps, for the final picture"), Colour::shading, 1, true, 0.4, 250, 8, 2, geometry_target(),
       1, GiveBack::edit, true, Spacing::trailing, Correct::shadows},
      {"paper", N_("Paper"), N_("Harmonizing Attention as published: mean colour, full noise, nothing of ours"), Colour::mean, 0,
       false, 1, 1000, 20, 5, source_target(), 0, GiveBack::nothing, false, Spacing::leading, Correct::all},
  };
  return table;
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = [] {
    std::vector<Preset> made;
    for (const Row& row : rows())
      made.push_back({row.id, row.label, row.blurb, [&row](Request& r) {
                        const Request defaults;
                        r.preset = row.id;
                        r.colour = row.colour;
                        r.colour_strength = defaults.colour_strength;
                        r.grain = row.grain;
                        r.chroma = defaults.chroma;
                        r.close_border = row.close_border;
                        r.correction = row.correction;
                        r.noise = row.noise;
                        r.steps = row.steps;
                        r.correct = row.correct;
                        r.spacing = row.spacing;
                        r.iterations = row.iterations;
                        r.tolerance = defaults.tolerance;
                        r.geometry_reads = geometry_target();
                        r.output_reads = row.output_reads;
                        r.restore = row.restore;
                        r.give_back = row.give_back;
                        r.reuse_keys = row.reuse_keys;
                        r.context = defaults.context;
                      }});
    return made;
  }();
  return list;
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
