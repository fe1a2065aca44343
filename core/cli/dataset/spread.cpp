// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/dataset/spread.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

bool read_number(const std::string& text, double& value) {
  const auto number = parse_number(text);
  if (number) value = *number;
  return number.has_value();
}

/// Throws the table's Error for a value that the table does not allow.
void check(const std::string& name, const std::string& text) {
  Request scratch;
  set_parameter_text(scratch, name, text);
}

std::vector<std::string> parts(const std::string& text) {
  std::vector<std::string> list;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, '|');) list.push_back(part);
  return list;
}

/// Four digits: enough for a degree or a share, and the text is the value itself.
std::string written(double value, bool whole) {
  if (whole) return fmt::format("{}", static_cast<long long>(value));
  return number_text(std::round(value * 1e4) / 1e4);
}

}  // namespace

std::pair<double, double> parse_range(const std::string& text, const char* option) {
  const std::size_t dots = text.find("..");
  double low, high;
  const bool read = dots == std::string::npos
                        ? read_number(text, low) && read_number(text, high)
                        : read_number(text.substr(0, dots), low) && read_number(text.substr(dots + 2), high);
  if (!read || low > high)
    throw error(Error::Kind::input, _("{0} is \"{1}\", but must be a number or a range LOW..HIGH."), option, text);
  return {low, high};
}

Spreads::Spreads(const Settings& typed) {
  for (const auto& [name, text] : typed) {
    const Parameter& parameter = *find_parameter(name);
    Spread spread;
    spread.name = name;
    spread.whole = parameter.kind == Parameter::Kind::integer;
    if ((spread.whole || parameter.kind == Parameter::Kind::real) && text.find("..") != std::string::npos) {
      spread.number = true;
      std::tie(spread.low, spread.high) = parse_range(text, ("--" + name).c_str());
      check(name, written(spread.low, spread.whole));
      check(name, written(spread.high, spread.whole));
    } else if (text == "random" && parameter.kind == Parameter::Kind::boolean) {
      spread.values = {"false", "true"};
    } else if (text == "random" && parameter.kind == Parameter::Kind::choice) {
      for (const Choice& choice : parameter.choices) spread.values.push_back(choice.id);
    } else {
      const bool several = parameter.kind == Parameter::Kind::boolean || parameter.kind == Parameter::Kind::choice;
      spread.values = several ? parts(text) : std::vector<std::string>{text};
      if (spread.values.empty()) spread.values = {text};
      for (const std::string& value : spread.values) check(name, value);
    }
    spreads_.push_back(std::move(spread));
  }
}

Settings Spreads::draw(Random& random) const {
  Settings drawn;
  for (const Spread& s : spreads_) {
    if (!s.number) {
      drawn.emplace_back(s.name, s.values.size() == 1 ? s.values[0] : s.values[random.below(s.values.size())]);
      continue;
    }
    const double value = s.whole ? std::floor(random.between(std::ceil(s.low), std::floor(s.high) + 1 - 1e-9))
                                 : std::clamp(random.between(s.low, s.high), s.low, s.high);
    drawn.emplace_back(s.name, written(value, s.whole));
  }
  return drawn;
}

std::pair<double, double> Spreads::range(const std::string& name, double otherwise) const {
  for (const Spread& s : spreads_) {
    if (s.name != name) continue;
    if (s.number) return {s.low, s.high};
    double value;
    if (read_number(s.values[0], value)) return {value, value};
  }
  return {otherwise, otherwise};
}

}  // namespace geometry_transfer::cli
