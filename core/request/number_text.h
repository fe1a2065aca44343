// SPDX-License-Identifier: GPL-3.0-or-later
/// Numbers as text, in the same form in every locale: a decimal point, no grouping.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace geometry_transfer {

/// Parses a whole text as one finite number: "12", "-0.5", "1e3". Leading spaces are skipped. Returns nothing for any
/// other text.
std::optional<double> parse_number(std::string_view text);

/// Formats `value` with up to `digits` significant digits (at least 15), without trailing zeros.
std::string number_text(double value, int digits = 15);

}  // namespace geometry_transfer
