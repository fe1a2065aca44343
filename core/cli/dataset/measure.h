// SPDX-License-Identifier: GPL-3.0-or-later
/// How visible a defect came out, as numbers for the manifest and for --keep.
#pragma once

#include <string>
#include <vector>

#include "cli/dataset/label.h"

namespace geometry_transfer::cli {

struct Measures {
  double contrast = 0;  ///< mean |L* - m| inside the label less that in the surround, / 100; m: the surround's mean
  double share = 0;     ///< label's pixels / the picture's, [0,1]
  double leak = 0;      ///< share of the whole change of L* that lies outside the label, [0,1]
  double border = 0;    ///< 1 where the label touches the picture's border, else 0
};

/// `size`: of the whole picture.
Measures measure_change(const Change& change, cv::Size size);

/// A condition on one measure, "contrast>0.1".
class Condition {
 public:
  /// NAME>NUMBER, NAME<NUMBER, also >= and <=. Throws Error (input) that lists the names.
  explicit Condition(const std::string& text);
  bool holds(const Measures& measures) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  double Measures::*measure_ = nullptr;
  bool above_ = true, equal_ = false;
  double bound_ = 0;
};

}  // namespace geometry_transfer::cli
