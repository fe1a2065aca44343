// SPDX-License-Identifier: GPL-3.0-or-later
/// Names and texts that all hosts register.
#pragma once

#include <string>

#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {

constexpr char kBinary[] = "geometry-transfer";
constexpr char kProcedure[] = "plug-in-geometry-transfer";
constexpr char kMenuPath[] = "<Image>/Filters/Map";
// Untranslated, because hosts translate menu entries and descriptions with the registered domain.
constexpr char kMenuLabel[] = N_("_Geometry Transfer...");
constexpr char kBlurb[] = N_("Carry a crack, a dent, a droplet from a reference layer over to this layer's material");
constexpr char kHelp[] =
    N_("Takes the surface geometry under the selection from the reference layer and puts it onto the target in a new layer: the "
       "geometry stays, the material becomes the target's. After \"Harmonizing Attention: Training-free Texture-aware Geometry "
       "Transfer\" (arXiv 2408.10846).");
constexpr char kTargetHelp[] = N_("The target: the layer whose material the geometry takes");
constexpr char kSourceHelp[] = N_("The reference layer: shows the geometry under the selection");
constexpr char kReferences[] = "references";
constexpr char kReferencesHelp[] =
    N_("Further references, a semicolon between two: the layer's number; geometry (more of it, where its layer mask or else the "
       "selection says) or texture (more of the target's material); and a weight from 0.01 to 100. As in \"12 geometry 0.5; 15 "
       "texture 1\"");
constexpr char kSeparateLayers[] = "separate-layers";
constexpr char kSeparateLayersHelp[] =
    N_("Make a group of layers in place of one: shade, own material and light. They follow when the target below is painted on");
/// The preset that the procedure takes by default: the one that suits the model. Dialogs and files know only its
/// result.
constexpr char kSuitingPreset[] = "auto";
constexpr char kResultHelp[] = N_("The new layer, above the target");
constexpr char kAuthors[] = "Geometry Transfer's authors";
constexpr char kYear[] = "2026";

/// Returns the description of a parameter for the procedure browser: its effect, allowed values, and default.
std::string argument_help(const Parameter& parameter);
/// As set_parameter, and takes kSuitingPreset.
void set_argument(Request& request, const Parameter& parameter, const Value& value);
std::string references_help();
std::string separate_layers_help();

/// Sets the locale and the gettext domain.
void start_texts();
/// Returns the file of the menu's icon (SVG); empty if it is missing.
std::string icon_file();

}  // namespace geometry_transfer
