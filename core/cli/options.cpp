// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <map>
#include <sstream>

#include "cli/batch.h"
#include "cli/dataset/options.h"
#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

const char* group_label(Parameter::Group group) {
  switch (group) {
    case Parameter::Group::preset:
      return N_("Quality");
    case Parameter::Group::placement:
      return N_("Placement");
    case Parameter::Group::selection:
      return N_("Selection");
    case Parameter::Group::colour:
      return N_("Colour");
    case Parameter::Group::method:
      return N_("Method");
    case Parameter::Group::machine:
      return N_("Machine");
  }
  return "";
}

/// Returns a parameter's values as --help shows them: "0 .. 1, default 0.5".
std::string value_range(const Parameter& p) {
  std::string allowed;
  for (const Choice& c : p.choices) allowed += (allowed.empty() ? "" : "|") + std::string(c.id);
  if (p.kind == Parameter::Kind::boolean) allowed = "true|false";
  if (p.kind == Parameter::Kind::integer || p.kind == Parameter::Kind::real)
    allowed = fmt::format("{:.15g} .. {:.15g}", p.low, p.high);
  const std::string usual = parameter_text(Request{}, p);
  return allowed + (usual.empty() ? "" : (allowed.empty() ? "" : ", ") + sentence(_("default {0}"), usual));
}

/// Options that come once for each further reference, as they were typed.
struct TypedReferences {
  std::vector<std::string> pictures, masks, weights, placements;
};

/// Throws Error unless `option` was given once for each of `references` pictures. An optional one may also be absent.
void check_count(std::size_t references, std::size_t given, const char* option, bool optional) {
  if (given == references || (optional && given == 0)) return;
  throw error(Error::Kind::input, _("There are {0} --reference but {1} {2}: give one {2} for each --reference."), references,
              given, option);
}

double number(const std::string& text, const char* option) {
  if (const auto value = parse_number(text)) return *value;
  throw error(Error::Kind::input, _("{0} is \"{1}\", but must be a number."), option, text);
}

/// Parses "DX,DY[,SCALE[,ROTATION]]". Each number must be in its parameter's range.
Placement parse_placement(const std::string& text) {
  static constexpr const char* names[] = {"shift-x", "shift-y", "scale", "rotation"};
  std::vector<std::string> values;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) values.push_back(part);
  if (values.size() < 2 || values.size() > std::size(names))
    throw error(Error::Kind::input, _("\"{0}\" is not a placement: give DX,DY[,SCALE[,ROTATION]]."), text);
  Request checked;
  for (std::size_t i = 0; i < values.size(); ++i) set_parameter(checked, names[i], number(values[i], "--reference-placement"));
  return checked.placement;
}

/// Pairs each further picture with its mask, weight and placement.
std::vector<ReferenceFiles> paired(const TypedReferences& typed) {
  const std::size_t count = typed.pictures.size();
  check_count(count, typed.weights.size(), "--weight", true);
  check_count(count, typed.placements.size(), "--reference-placement", true);
  check_count(count, typed.masks.size(), "--reference-mask", false);
  std::vector<ReferenceFiles> references(count);
  for (std::size_t i = 0; i < count; ++i) {
    ReferenceFiles& files = references[i];
    files.colour = typed.pictures[i];
    files.mask = typed.masks[i];
    if (!typed.weights.empty()) files.weight = number(typed.weights[i], "--weight");
    if (!(files.weight > 0))
      throw error(Error::Kind::input, _("{0} is \"{1}\", but must be a number above 0."), "--weight", typed.weights[i]);
    if (!typed.placements.empty()) files.placement = parse_placement(typed.placements[i]);
  }
  return references;
}

CLI::Option* add_repeatable(CLI::App& app, const char* name, std::vector<std::string>& values, const char* help) {
  return app.add_option(name, values, help)->expected(1)->take_all();
}

void add_file_options(CLI::App& app, Options& options, TypedReferences& references, std::string& at) {
  Job& job = options.job;
  app.add_option("--target", job.target, _("Picture to change (PNG, JPEG or TIFF, 8 or 16 bit)"))->type_name("FILE");
  app.add_option("--source", job.source, _("Picture with the geometry"))->type_name("FILE");
  app.add_option("--mask", job.mask, _("Mask of the geometry in the source: white selects"))->type_name("FILE");
  app.add_option("--output", job.output, _("Result, with the target's depth, channels and profile"))->type_name("FILE");
  app.add_option("--layer", job.layer, _("The new layer alone, with transparency"))->type_name("FILE");
  app.add_option("--layers", job.layers, _("Folder for the result as separate layers: shade, own material, light"))
      ->type_name("DIR");
  app.add_option("--label", job.label, _("Label of the same size: white where the transfer changed something visibly"))
      ->type_name("FILE");
  app.add_option("--at", at, _("Target pixel for the centre of the mask (without it: where it is in the source)"))
      ->type_name("X,Y");
  add_repeatable(app, "--reference", references.pictures, _("A further picture with geometry; repeatable"))->type_name("FILE");
  add_repeatable(app, "--reference-mask", references.masks, _("Mask of the --reference; white selects"))->type_name("FILE");
  add_repeatable(app, "--weight", references.weights, _("Weight of the --reference against the source's 1"))->type_name("NUMBER");
  add_repeatable(app, "--reference-placement", references.placements, _("Placement of the --reference"))
      ->type_name("DX,DY[,SCALE[,ROTATION]]")
      ->delimiter('\0');
  add_repeatable(app, "--texture", job.textures, _("A further example of the target's material; repeatable"))->type_name("FILE");
}

void add_run_options(CLI::App& app, Options& options) {
  app.add_option("--batch", options.batch,
                 _("Many transfers in one run: a .tsv or .json list, or a folder whose subfolders hold target, source and mask"))
      ->type_name("PATH");
  app.add_option("--report", options.report, _("Write settings and times as JSON: \"json\" for the standard output, or a file"))
      ->type_name("json|FILE");
  app.add_flag("--list-models", options.list_models, _("The models found on this machine"));
  app.add_flag("--quiet", options.quiet, _("Show no progress"));
}

/// One option for each row of the parameter table.
class ParameterOptions {
 public:
  explicit ParameterOptions(CLI::App& app) {
    for (const Parameter& p : parameters()) {
      CLI::Option* option = app.add_option(std::string("--") + p.name, texts_[p.name], translate(p.blurb));
      option->type_name(value_range(p))->group(translate(group_label(p.group)));
      if (p.kind == Parameter::Kind::boolean) option->expected(0, 1);  // --flip alone is --flip true
      options_[p.name] = option;
    }
  }
  ParameterOptions(const ParameterOptions&) = delete;

  /// Those that were given, after the app has parsed.
  Settings given() const {
    Settings settings;
    for (const auto& [name, option] : options_) {
      if (option->count() == 0) continue;
      const std::string& text = texts_.at(name);
      const bool flag = find_parameter(name)->kind == Parameter::Kind::boolean && text.empty();
      settings.emplace_back(name, flag ? "true" : text);
    }
    return settings;
  }

 private:
  std::map<std::string, std::string> texts_;
  std::map<std::string, CLI::Option*> options_;
};

[[noreturn]] void exit_with_usage_error(const std::string& text) {
  std::fprintf(stderr, "geometry-transfer: %s\n", text.c_str());
  throw Exit{2};
}

/// Parses into the variables that the options were bound to. Throws Exit after --help, --version and usage errors.
void parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    app.exit(done);
    throw Exit{0};
  } catch (const CLI::ParseError& wrong) {
    exit_with_usage_error(sentence(_("{0} (see --help)"), wrong.what()));
  }
}

bool names_all_files(const Job& job) {
  return !job.target.empty() && !job.source.empty() && !job.mask.empty() &&
         !(job.output.empty() && job.layer.empty() && job.layers.empty());
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::string at;
  TypedReferences references;
  CLI::App app(_("Carries surface geometry from one picture to the material of another."), "geometry-transfer");
  app.set_version_flag("--version", "geometry-transfer " GT_VERSION);
  app.get_formatter()->column_width(34);
  add_file_options(app, options, references, at);
  add_run_options(app, options);
  TypedDataset dataset;
  add_dataset_options(app, dataset);
  const ParameterOptions parameter_options(app);
  parse(app, argc, argv);

  const Settings given = parameter_options.given();
  if (!at.empty()) options.job.at = parse_at(at);
  options.job.references = paired(references);
  if (dataset.options.is_asked()) {
    options.dataset = dataset_options(dataset, options.job, given);
    Settings machine;
    for (const auto& [name, text] : given)
      if (name == "threads" || name == "memory") machine.emplace_back(name, text);
    options.request = with_settings(Request{}, machine);
    return options;
  }
  Request start;  // a model that improves the edit is used without asking for a preset
  for (const auto& [name, text] : given)
    if (name == "model") start.preset = default_preset(model_family(text));
  options.request = with_settings(start, given);
  if (!options.list_models && options.batch.empty() && !names_all_files(options.job))
    exit_with_usage_error(_("--target, --source, --mask and --output (or --layer) are needed (see --help)"));
  return options;
}

}  // namespace geometry_transfer::cli
