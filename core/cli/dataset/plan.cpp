// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

/// Each use of the seed has its own number, so that the draws are independent.
enum Use : std::uint64_t { shuffling = 1, rounds = 2 };

constexpr int kMostDefects = 250;  // an instance mask has 8 bits

std::vector<double> parse_shares(const std::string& text) {
  std::vector<double> shares;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ',');) shares.push_back(parse_range(part, "--split").first);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  const bool positive = std::all_of(shares.begin(), shares.end(), [](double s) { return s > 0; });
  if (shares.empty() || shares.size() > 3 || !positive || std::abs(sum - 1) > 1e-6)
    throw error(Error::Kind::input,
                _("--split is \"{0}\": give one to three shares above 0 with the sum 1, for train, val and test."), text);
  return shares;
}

/// Divides a list by shares. Each part has at least one entry. Returns nothing if there are too few entries.
template <class T>
std::vector<std::vector<T>> divided(const std::vector<T>& list, const std::vector<double>& shares) {
  std::vector<std::vector<T>> parts(shares.size());
  if (list.size() < shares.size()) return {};
  std::size_t first = 0;
  double sum = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    sum += shares[i];
    const std::size_t later = shares.size() - 1 - i;
    std::size_t end =
        i + 1 == shares.size() ? list.size() : static_cast<std::size_t>(std::llround(sum * static_cast<double>(list.size())));
    end = std::clamp(end, first + 1, list.size() - later);
    parts[i].assign(list.begin() + static_cast<std::ptrdiff_t>(first), list.begin() + static_cast<std::ptrdiff_t>(end));
    first = end;
  }
  return parts;
}

Error too_few(const std::string& what, std::size_t there, std::size_t splits) {
  return error(Error::Kind::input,
               _("{0} splits need at least as many {1}, but there are {2}: give more pictures, or fewer shares to --split."),
               splits, what, there);
}

}  // namespace

Plan::Plan(const DatasetOptions& options)
    : options_(options), format_(parse_dataset_format(options.format)), spreads_(options.settings) {
  const auto [low, high] = parse_range(options.defects, "--defects");
  if (low < 1 || high > kMostDefects || low != std::floor(low) || high != std::floor(high))
    throw error(Error::Kind::input, _("--defects is \"{0}\", but must be whole numbers from 1 to {1}."), options.defects,
                kMostDefects);
  defects_ = {static_cast<int>(low), static_cast<int>(high)};
  for (const std::string& condition : options.keep) Condition checked(condition);
  sources_ = find_sources(options.source, options.mask, options.weights, options.kind);
  targets_ = find_targets(options.target, options.place, options.avoid);
}

Plan::Plan(const DatasetOptions& options, std::vector<std::string> kinds)
    : options_(options), format_(parse_dataset_format(options.format)), kinds_(std::move(kinds)) {}

std::size_t Plan::goods() const {
  if (options_.good >= 0) return static_cast<std::size_t>(options_.good);
  return format_ == DatasetFormat::mvtec ? bare_.size() : 0;
}

std::size_t Plan::count() const { return static_cast<std::size_t>(options_.variants) + goods(); }

void Plan::divide(const std::vector<LeftOut>& left_out) {
  remove(left_out);
  Random random(options_.seed, {shuffling});
  divide_targets(random);
  divide_sources(random);
  divide_variants();
  bare_.clear();
  for (const Split& split : splits_)
    for (const TargetFiles& target : split.targets) bare_.emplace_back(&target, split.name);
}

void Plan::remove(const std::vector<LeftOut>& left_out) {
  std::set<std::string> out;
  for (const LeftOut& one : left_out) out.insert(one.file);
  const auto unusable = [&](const auto& files) { return out.count(files.colour) > 0; };
  sources_.erase(std::remove_if(sources_.begin(), sources_.end(), unusable), sources_.end());
  targets_.erase(std::remove_if(targets_.begin(), targets_.end(), unusable), targets_.end());
  if (sources_.empty() || targets_.empty())
    throw error(Error::Kind::input, _("No {0} can be used: {1}: {2}"), sources_.empty() ? _("source") : _("target"),
                left_out.at(0).file, left_out.at(0).why);
  std::set<std::string> kinds;
  for (const SourceFiles& source : sources_) kinds.insert(source.kind);
  kinds_.assign(kinds.begin(), kinds.end());
}

void Plan::divide_targets(Random& random) {
  std::vector<TargetFiles> targets = targets_;
  random.shuffle(targets);
  const std::vector<double> shares = parse_shares(!options_.split.empty()            ? options_.split
                                                  : is_mvtec() && targets.size() > 1 ? "0.7,0.3"
                                                                                     : "1");
  const auto target_parts = divided(targets, shares);
  if (target_parts.empty()) throw too_few(_("targets"), targets.size(), shares.size());
  const std::size_t last = shares.size() - 1;
  static constexpr const char* names[] = {"train", "val", "test"};
  splits_.clear();
  for (std::size_t i = 0; i < shares.size(); ++i) {
    Split split;
    split.name = is_mvtec() ? (i == last ? "test" : "train") : names[i];
    if (!is_mvtec() && shares.size() == 2 && i == 1) split.name = "val";
    split.share = shares[i];
    split.targets = target_parts[i];
    splits_.push_back(std::move(split));
  }
}

void Plan::divide_sources(Random& random) {
  std::vector<double> shares;
  for (const Split& split : splits_) shares.push_back(split.share);
  for (const std::string& kind : kinds_) {
    std::vector<SourceFiles> of_kind;
    for (const SourceFiles& s : sources_)
      if (s.kind == kind) of_kind.push_back(s);
    random.shuffle(of_kind);
    if (is_mvtec()) {  // it trains on pictures without defects
      std::vector<SourceFiles>& test = splits_.back().sources;
      test.insert(test.end(), of_kind.begin(), of_kind.end());
      continue;
    }
    const auto parts = divided(of_kind, shares);
    if (parts.empty()) throw too_few(sentence(_("sources of the kind {0}"), kind), of_kind.size(), shares.size());
    for (std::size_t i = 0; i < parts.size(); ++i)
      splits_[i].sources.insert(splits_[i].sources.end(), parts[i].begin(), parts[i].end());
  }
}

void Plan::divide_variants() {
  const auto variants = static_cast<std::size_t>(options_.variants);
  double sum = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < splits_.size(); ++i) {
    sum += splits_[i].share;
    splits_[i].first = first;
    if (i + 1 == splits_.size())
      first = variants;
    else
      first = is_mvtec() ? 0 : static_cast<std::size_t>(std::llround(sum * static_cast<double>(variants)));
    splits_[i].end = first;
  }
}

const Plan::Split& Plan::of(std::size_t index) const {
  for (const Split& split : splits_)
    if (index >= split.first && index < split.end) return split;
  return splits_.back();
}

std::string Plan::split_of(std::size_t index) const {
  if (is_good(index)) return bare_[(index - static_cast<std::size_t>(options_.variants)) % bare_.size()].second;
  return of(index).name;
}

const TargetFiles& Plan::target_of(std::size_t index) const {
  if (is_good(index)) return *bare_[(index - static_cast<std::size_t>(options_.variants)) % bare_.size()].first;
  const Split& split = of(index);
  return split.targets[(index - split.first) % split.targets.size()];
}

const SourceFiles& Plan::source_of(std::size_t index, std::size_t slot, Random& random) const {
  const Split& split = of(index);
  const std::vector<SourceFiles>& sources = split.sources;
  if (!options_.weights.empty()) {
    std::vector<double> weights;
    for (const SourceFiles& s : sources) weights.push_back(s.weight);
    return sources[random.pick(weights)];
  }
  const std::size_t turn = (index - split.first) * static_cast<std::size_t>(defects_.second) + slot;
  std::vector<std::size_t> order(sources.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random(options_.seed, {rounds, split.first, turn / sources.size()}).shuffle(order);
  return sources[order[turn % sources.size()]];
}

}  // namespace geometry_transfer::cli
