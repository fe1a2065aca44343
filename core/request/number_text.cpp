// SPDX-License-Identifier: GPL-3.0-or-later
#include "request/number_text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <locale>
#include <sstream>

namespace geometry_transfer {

std::optional<double> parse_number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  // from_chars does not take a plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string number_text(double value, int digits) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(std::max(digits, 15));
  out << value;
  return out.str();
}

}  // namespace geometry_transfer
