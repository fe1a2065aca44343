// SPDX-License-Identifier: GPL-3.0-or-later
/// Parameters whose value is drawn anew for each defect: "--scale 0.7..1.3", "--flip random", "--colour mean|shading".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/dataset/random.h"
#include "cli/job.h"

namespace geometry_transfer::cli {

/// Values of the table's parameters, each a value or a range.
class Spreads {
 public:
  Spreads() = default;
  /// `typed`: names of the table with
  ///   LOW..HIGH   numbers: drawn evenly; whole ones for whole-numbered parameters
  ///   random      booleans and choices: any of them, equally often
  ///   A|B|C       booleans and choices: any of these
  ///   a value     as everywhere
  /// Throws Error (input) that names the parameter and the value that is not allowed.
  explicit Spreads(const Settings& typed);

  /// Draws one value for each parameter, as text for set_parameter_text(). The manifest stores the same text.
  Settings draw(Random& random) const;
  /// The least and the most of a number; `otherwise` twice where it is not given.
  std::pair<double, double> range(const std::string& name, double otherwise) const;

 private:
  struct Spread {
    std::string name;
    bool number = false, whole = false;
    double low = 0, high = 0;
    std::vector<std::string> values;  ///< where it is no range of numbers
  };
  std::vector<Spread> spreads_;
};

/// "LOW..HIGH" or one number, in the C locale. Throws Error (input) that names `option`.
std::pair<double, double> parse_range(const std::string& text, const char* option);

}  // namespace geometry_transfer::cli
