// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <map>

#include "cli/batch.h"
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

/// "0 .. 1, default 0.5"
std::string range(const Parameter& p) {
  std::string allowed;
  for (const Choice& c : p.choices) allowed += (allowed.empty() ? "" : "|") + std::string(c.id);
  if (p.kind == Parameter::Kind::boolean) allowed = "true|false";
  if (p.kind == Parameter::Kind::integer || p.kind == Parameter::Kind::real)
    allowed = fmt::format("{:.15g} .. {:.15g}", p.low, p.high);
  const std::string usual = parameter_text(Request{}, p);
  return allowed + (usual.empty() ? "" : (allowed.empty() ? "" : ", ") + sentence(_("default {0}"), usual));
}

/// As many as there are references, or none; `what` names the option.
template <class T>
void need_as_many(const std::vector<T>& given, std::size_t count, const char* what) {
  if (!given.empty() && given.size() != count)
    throw error(Error::Kind::input, _("There are {0} --reference but {1} {2}: give one for each."), count, given.size(), what);
}

double number(const std::string& text, const char* option) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  double value;
  if (!(in >> value) || in.peek() != std::istringstream::traits_type::eof())
    throw error(Error::Kind::input, _("{0} is \"{1}\", but must be a number."), option, text);
  return value;
}

/// "DX,DY[,SCALE[,ROTATION]]", each in its parameter's range.
Placement placement(const std::string& text) {
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

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  std::string at;
  std::vector<std::string> references, masks, weights, placements;
  CLI::App app(_("Carries surface geometry from one picture to the material of another."), "geometry-transfer");
  app.set_version_flag("--version", "geometry-transfer " GT_VERSION);
  app.get_formatter()->column_width(34);
  app.add_option("--target", options.job.target, _("Picture to change (PNG, JPEG or TIFF, 8 or 16 bit)"))->type_name("FILE");
  app.add_option("--source", options.job.source, _("Picture with the geometry"))->type_name("FILE");
  app.add_option("--mask", options.job.mask, _("Where the geometry is in the source: white selects"))->type_name("FILE");
  app.add_option("--output", options.job.output, _("Result, with the target's depth, channels and profile"))->type_name("FILE");
  app.add_option("--layer", options.job.layer, _("The new layer alone, with transparency"))->type_name("FILE");
  app.add_option("--at", at, _("Target pixel for the centre of the mask (without it: where it is in the source)"))
      ->type_name("X,Y");
  app.add_option("--reference", references, _("A further picture with geometry; repeatable"))
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  app.add_option("--reference-mask", masks, _("Its mask"))->type_name("FILE")->expected(1)->take_all();
  app.add_option("--weight", weights, _("Its weight against the source's 1"))->type_name("NUMBER")->expected(1)->take_all();
  app.add_option("--reference-placement", placements, _("Its own placement"))
      ->type_name("DX,DY[,SCALE[,ROTATION]]")
      ->expected(1)
      ->take_all()
      ->delimiter('\0');
  app.add_option("--texture", options.job.textures, _("A further example of the target's material; repeatable"))
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  app.add_option("--batch", options.batch,
                 _("Many transfers with one model: a .tsv or .json list, or a folder of folders with target, source and mask"))
      ->type_name("PATH");
  app.add_option("--report", options.report, _("What was done and how long it took: \"json\" for the standard output, or a file"))
      ->type_name("json|FILE");
  app.add_flag("--list-models", options.list_models, _("The models found on this machine"));
  app.add_flag("--quiet", options.quiet, _("No progress"));

  std::map<std::string, std::string> given;
  std::map<std::string, CLI::Option*> typed;
  for (const Parameter& p : parameters()) {
    CLI::Option* option = app.add_option(std::string("--") + p.name, given[p.name], translate(p.blurb));
    option->type_name(range(p))->group(translate(group_label(p.group)));
    if (p.kind == Parameter::Kind::boolean) option->expected(0, 1);  // --flip alone is --flip true
    typed[p.name] = option;
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    app.exit(done);
    throw Exit{0};
  } catch (const CLI::ParseError& wrong) {
    std::fprintf(stderr, "geometry-transfer: %s\n", sentence(_("{0} (see --help)"), wrong.what()).c_str());
    throw Exit{2};
  }

  Settings settings;
  for (const auto& [name, option] : typed)
    if (option->count() > 0) {
      const bool bare = find_parameter(name)->kind == Parameter::Kind::boolean && given[name].empty();
      settings.emplace_back(name, bare ? "true" : given[name]);
    }
  options.request = with_settings(Request{}, settings);
  if (!at.empty()) options.job.at = parse_at(at);

  need_as_many(masks, references.size(), "--reference-mask");
  need_as_many(weights, references.size(), "--weight");
  need_as_many(placements, references.size(), "--reference-placement");
  if (masks.size() != references.size())
    throw error(Error::Kind::input, _("There are {0} --reference but {1} {2}: give one for each."), references.size(),
                masks.size(), "--reference-mask");
  for (std::size_t i = 0; i < references.size(); ++i) {
    ReferenceFiles files;
    files.colour = references[i];
    files.mask = masks[i];
    if (!weights.empty()) files.weight = number(weights[i], "--weight");
    if (!(files.weight > 0))
      throw error(Error::Kind::input, _("{0} is \"{1}\", but must be a number above 0."), "--weight", weights[i]);
    if (!placements.empty()) files.placement = placement(placements[i]);
    options.job.references.push_back(files);
  }
  const Job& job = options.job;
  const bool whole =
      !job.target.empty() && !job.source.empty() && !job.mask.empty() && !(job.output.empty() && job.layer.empty());
  if (!options.list_models && options.batch.empty() && !whole) {
    std::fprintf(stderr, "geometry-transfer: %s\n",
                 _("--target, --source, --mask and --output (or --layer) are needed (see --help)"));
    throw Exit{2};
  }
  return options;
}

}  // namespace geometry_transfer::cli
