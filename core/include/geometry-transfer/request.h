// SPDX-License-Identifier: GPL-3.0-or-later
/// A request holds everything that decides the result, and nothing else. The table below describes all parameters.
/// Dialogs, procedure arguments, the command line and the checks read it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace geometry_transfer {

/// How the geometry takes the target's colour.
enum class Colour {
  mean,      ///< the paper: per channel, shift by the difference of the means under the mask
  surround,  ///< the same with the means of a ring around the mask
  shading,   ///< relief of the source onto the target's own pixels
};

/// The picture whose loss in the VAE is added to the result.
enum class GiveBack { nothing, target, edit, half };

/// Timesteps of the steps between clean latents and `noise`.
enum class Spacing {
  leading,   ///< from t = 1 to one step below `noise`: the usual grid, whose first step does almost nothing
  trailing,  ///< up to `noise`: as many useful steps with one step fewer
};

/// Which part of the model's correction is used.
enum class Correct {
  shadows,  ///< what deepens the edit's own shadows, in luma
  all,      ///< everything, as in the paper
};

/// The device that runs the model.
enum class Device { automatic, cpu, cuda };

enum class Precision { automatic, fp32, bf16, fp16 };

/// The quantity that the model predicts. Needed for one-file checkpoints trained on velocity whose files do not say so.
enum class Prediction { automatic, epsilon, v };

/// Streams of the diffusion. Each is one row of a batch with its own latents. The values are the bits of StreamSet.
enum class Stream { source = 1, target = 2, geometry = 4, output = 8 };

/// The streams whose keys and values a stream reads.
struct StreamSet {
  unsigned bits = 0;
  bool has(Stream s) const { return bits & static_cast<unsigned>(s); }
  bool operator==(const StreamSet& o) const { return bits == o.bits; }
};
inline StreamSet operator|(Stream a, Stream b) { return {static_cast<unsigned>(a) | static_cast<unsigned>(b)}; }
inline StreamSet operator|(StreamSet a, Stream b) { return {a.bits | static_cast<unsigned>(b)}; }

/// A similarity that moves a reference onto the target, about the centroid of the reference's mask. `stretch` adds an
/// aspect ratio.
struct Placement {
  double shift_x = 0, shift_y = 0;  ///< canvas pixels, right and down
  double scale = 1;                 ///< > 1 enlarges
  double rotation = 0;              ///< degrees, counter-clockwise as seen
  bool flip = false;                ///< mirror left-right, before the rotation
  double stretch = 1;               ///< factor of its width only, before the rotation
};

/// The value of a number that the edit decides itself ("auto" as text).
constexpr double kAutomatic = -1;

struct Request {
  std::string preset = "instant";  ///< the preset that gave the method's fields, or "custom"

  Placement placement;
  double grow = 0;     ///< canvas pixels by which the selection grows; negative shrinks it
  double feather = 3;  ///< canvas pixels over which the result fades into the target

  Colour colour = Colour::shading;
  double colour_strength = 1;    ///< 0 keeps the reference's own colours, 1 takes the target's
  double grain = 1;              ///< share of the reference's grain that is taken out of its relief; shading only
  double strength = kAutomatic;  ///< of the whole geometry, 0 to 2; shading only
  double own_material =
      kAutomatic;  ///< share of the reference's own material that is kept (rust, plaster under paint); shading only
  double show_through = kAutomatic;  ///< share of a brightening that is left out, so that the target shows through; shading only
  double turn_light = 0;  ///< degrees, counter-clockwise as seen: the target's light against the reference's; shading only

  Correct correct = Correct::all;
  double correction = 0;  ///< strength of the model's correction on top of the edit, [0, 1]; 0 needs no model
  double noise = 250;     ///< timestep that inversion reaches, (0, 1000]
  Spacing spacing = Spacing::trailing;
  int steps = 2;         ///< of inversion, and of generation
  int iterations = 1;    ///< of the fixed point in each inversion step
  double tolerance = 0;  ///< stop the fixed point below this residual; 0 runs all iterations
  StreamSet geometry_reads = Stream::geometry | Stream::target;  ///< Texture-aligning Attention; {geometry}: off
  StreamSet output_reads = Stream::geometry | Stream::target;    ///< Geometry-preserving Attention; {output}: off
  double attention_from_layer = 0;                               ///< depth in the network at which both attentions begin, [0, 1]
  double attention_to_layer = 1;                                 ///< and end
  int attention_from_noise = 0;                                  ///< timestep at which they begin, inclusive
  int attention_to_noise = 1000;  ///< and end, inclusive; at other times each stream reads only itself
  double restore = 1;             ///< share of the target's trajectory restored outside the mask at every step
  GiveBack give_back = GiveBack::edit;
  bool reuse_keys = true;  ///< true: generation reads the keys and values kept from inversion; false: all streams share one batch
                           ///< and are computed again
  bool window = true;      ///< true: passes over pictures that equal the target outside the selection run in a window around it
  double context = 0.35;   ///< side of the mask / side of the working rectangle
  double working_size = 1;  ///< side of the picture that the model sees / side that the model is made for

  std::string model;  ///< folder or file; empty: the model that ships
  Prediction prediction = Prediction::automatic;
  Device device = Device::automatic;
  Precision precision = Precision::automatic;
  int threads = 0;    ///< 0: one a core
  int memory_mb = 0;  ///< limit of the memory that is kept between steps, MiB; 0: a quarter of the free memory
};

// ---- the table ------------------------------------------------------------------------------------------------------

using Value = std::variant<bool, int, double, std::string>;

/// One allowed value of a choice: the word for scripts, and the label for people (untranslated; see translate()).
struct Choice {
  const char* id;
  const char* label;
};

struct Parameter {
  enum class Kind { boolean, integer, real, choice, text };
  enum class Group { preset, placement, selection, colour, method, machine };
  const char* name;   ///< "shift-x": GIMP argument, command line option (--shift-x) and report key
  const char* label;  ///< "Shift _X": untranslated, with its mnemonic; see translate()
  const char* blurb;  ///< one sentence with unit and effect, untranslated
  Group group;
  Kind kind;
  double low, high;             ///< integer and real, inclusive
  double step;                  ///< what one click or wheel notch changes
  int digits;                   ///< after the decimal point, real only
  std::vector<Choice> choices;  ///< choice only
  std::function<Value(const Request&)> get;
  std::function<void(Request&, const Value&)> set;  ///< the value has this kind's type and is in range
  /// True if the edit decides the value by default: below 0 means automatic, "auto" as text.
  bool may_be_automatic() const { return kind == Kind::real && low == kAutomatic; }
  /// True for the groups that a preset sets.
  bool of_preset() const { return group == Group::colour || group == Group::method; }
};

/// Returns all parameters, in the order of the procedure's arguments. Their defaults are those of Request{}.
const std::vector<Parameter>& parameters();
/// Returns nullptr if there is no parameter of that name.
const Parameter* find_parameter(const std::string& name);
/// Sets one parameter from untrusted input. Throws Error (input) with the parameter, the value and the allowed values.
void set_parameter(Request& request, const std::string& name, const Value& value);
/// Sets one parameter from text in the C locale ("0.5", "true", "shading").
void set_parameter_text(Request& request, const std::string& name, const std::string& text);
std::string parameter_text(const Request& request, const Parameter& parameter);

struct Preset {
  const char* id;     ///< "balanced"
  const char* label;  ///< untranslated
  const char* blurb;  ///< one sentence, untranslated
};
const std::vector<Preset>& presets();

/// The effect of a preset with models of one family.
struct PresetOffer {
  bool offered;  ///< false: it changes the picture by less than a level of 255 on average, or makes it no better; dialogs leave
                 ///< it out
  std::string effect;  ///< one to three sentences in the user's language: what it does with these models
};
// In all of these, `family` is ModelInfo::family ("surface", "SD 1.x", "SD 2.x", "SDXL"); any other text counts as
// "surface".
// An unknown preset throws Error (input) with the known ones.

PresetOffer preset_offer(const std::string& id, const std::string& family);
/// Returns the preset to start from: "instant" with the shipped model, "balanced" with a model that improves the edit.
const char* default_preset(const std::string& family);
/// Returns the preset after the model has changed from family `before` to `after`. `chosen` stays if it is offered for
/// `after` and was not just the default of `before`. Otherwise it is the default of `after`. "custom" stays.
std::string preset_for_model(const std::string& chosen, const std::string& before, const std::string& after);
/// Sets the preset's name and all fields of the groups colour and method. "custom" sets the name only.
void apply_preset(Request& request, const std::string& id, const std::string& family);
/// Does the same for the family of request.model. It reads that model's files, so set request.model first.
void apply_preset(Request& request, const std::string& id);

/// Throws Error (input) at the first field that is out of range, and if fields contradict each other.
void validate(const Request& request);

/// Returns `text` in the user's language (gettext domain "geometry-transfer").
std::string translate(const char* text);

}  // namespace geometry_transfer
