// SPDX-License-Identifier: GPL-3.0-or-later
#include "geometry-transfer/progress.h"

#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {
struct Name {
  const char *id, *label;
};
constexpr Name names[] = {
    {"read", N_("Reading the layers")},
    {"load", N_("Loading the model")},
    {"edit", N_("Editing")},
    {"encode", N_("Encoding")},
    {"invert", N_("Inverting")},
    {"generate", N_("Generating")},
    {"decode", N_("Decoding")},
    {"composite", N_("Writing the result")},
};
}  // namespace

const char* stage_id(Stage stage) { return names[static_cast<int>(stage)].id; }
std::string stage_label(Stage stage) { return translate(names[static_cast<int>(stage)].label); }

}  // namespace geometry_transfer
