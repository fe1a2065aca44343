// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

std::pair<int, int> parse_shard(const std::string& text) {
  if (text.empty()) return {1, 1};
  const std::size_t slash = text.find('/');
  const auto part = parse_number(text.substr(0, slash));
  const auto parts = slash == std::string::npos ? std::nullopt : parse_number(text.substr(slash + 1));
  constexpr double most = 1e6;
  const bool right = part && parts && *part >= 1 && *part <= *parts && *parts <= most && *part == static_cast<int>(*part) &&
                     *parts == static_cast<int>(*parts);
  if (!right) throw error(Error::Kind::input, _("--shard is \"{0}\", but must be I/N, the part and the number of parts."), text);
  return {static_cast<int>(*part), static_cast<int>(*parts)};
}

}  // namespace

void add_dataset_options(CLI::App& app, TypedDataset& typed) {
  DatasetOptions& o = typed.options;
  const char* group = _("Data set (docs/guide/datasets.md)");
  const auto add = [&](const char* name, auto& value, const char* help, const char* type) {
    return app.add_option(name, value, help)->type_name(type)->group(group);
  };
  add("--variants", o.variants,
      _("Make so many pictures in the folder --output. --target, --source and --mask may then be folders, and values may be "
        "ranges: --scale 0.7..1.3 --flip random"),
      "N")
      ->check(CLI::Range(1, 10000000));
  add("--seed", o.seed, _("Seed of the random draws: the same seed makes the same pictures"), "NUMBER");
  add("--format", o.format, _("Folders and labels: plain (default), mvtec, coco or yolo"), "NAME");
  add("--split", o.split, _("Shares of train, val and test; each source and target is in one of them only"),
      "SHARE,SHARE[,SHARE]");
  add("--good", o.good, _("Number of additional pictures without a defect"), "N")->check(CLI::Range(0, 10000000));
  add("--kind", o.kind, _("Class of the defects whose sources are not in folders of their kinds"), "NAME");
  add("--weights", o.weights, _("Draw sources by weight: a file of lines NAME, tab, WEIGHT. Without it each comes in turn"),
      "FILE");
  add("--defects", o.defects, _("Number of defects in each picture"), "N|LOW..HIGH");
  add("--place", o.place,
      _("Mask of allowed places (white): one picture for all targets, or a folder with a picture of each target's name"), "PATH");
  add("--avoid", o.avoid, _("Mask of forbidden places (white), given in the same way"), "PATH");
  add("--border", o.border,
      _("Pixels along the target's border that stay free; below 0: so many pixels of a defect may be cut off"), "PIXELS")
      ->check(CLI::Range(-100000, 100000));
  add("--apart", o.apart, _("Least number of pixels between two defects (default 8)"), "PIXELS")->check(CLI::Range(0, 100000));
  app.add_option("--keep", o.keep,
                 _("Condition on contrast, share, leak or border. A picture that fails it is drawn again; repeatable"))
      ->type_name("CONDITION")
      ->expected(1)
      ->take_all()
      ->group(group);
  add("--tries", o.tries, _("Most attempts for each picture (default 20)"), "N")->check(CLI::Range(1, 10000));
  add("--manifest", o.manifest, _("Make the pictures of this manifest again, instead of drawing"), "FILE");
  add("--shard", typed.shard, _("Make part I of N alone; each part may run on another machine"), "I/N");
}

DatasetOptions dataset_options(const TypedDataset& typed, const Job& job, const Settings& settings) {
  DatasetOptions o = typed.options;
  o.shard = parse_shard(typed.shard);
  o.target = job.target, o.source = job.source, o.mask = job.mask, o.output = job.output;
  if (o.output.empty()) throw error(Error::Kind::input, _("A data set needs --output FOLDER."));
  if (o.variants > 0 && !o.manifest.empty())
    throw error(Error::Kind::input, _("--variants draws and --manifest repeats: give one of them."));
  if (o.variants > 0 && (o.target.empty() || o.source.empty()))
    throw error(Error::Kind::input, _("A data set needs --target and --source, pictures or folders."));
  if (!job.layer.empty() || job.at || !job.references.empty() || !job.textures.empty())
    throw error(Error::Kind::input, _("--layer, --at, --reference and --texture are for single transfers, not for data sets."));
  bool has_preset = false;
  for (const auto& [name, text] : settings) {
    if (name == "shift-x" || name == "shift-y")
      throw error(Error::Kind::input, _("--{0} cannot be used for a data set: use --place, --avoid and --border."), name);
    has_preset = has_preset || name == "preset";
    if (name != "threads" && name != "memory") o.settings.emplace_back(name, text);
  }
  // Thousands of pictures: the preset that needs no model, unless another is asked for.
  if (!has_preset) o.settings.emplace_back("preset", "instant");
  Spreads checked(o.settings);
  return o;
}

}  // namespace geometry_transfer::cli
