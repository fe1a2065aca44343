// SPDX-License-Identifier: GPL-3.0-or-later
/// Asks about the two parts (transfer.h) without opening them.
#pragma once

#include <string>

namespace geometry_transfer {

/// The package that holds the diffusion part and the shipped model. Texts name it where either is missing.
constexpr char kDiffusionPackage[] = "geometry-transfer-diffusion";

/// Says what to install if the diffusion part is missing; empty if its file lies where the loader looks. Opens nothing,
/// so a dialog may ask.
std::string missing_diffusion_part();

}  // namespace geometry_transfer
