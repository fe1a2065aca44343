// SPDX-License-Identifier: GPL-3.0-or-later
/// A request: everything that decides the result, and nothing else. The table below is the one place where a parameter is
/// described; dialogs, procedure arguments, the command line and the checks all read it.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace geometry_transfer {

/// How the geometry takes the target's colour (DESIGN: editing stage).
enum class Colour {
  mean,      ///< the paper: per channel, shift by the difference of the means under the mask
  surround,  ///< the same with the means of a ring round the mask
  shading,   ///< relief of the source onto the target's own pixels
};

/// Whose loss in the autoencoder is given back to the result.
enum class GiveBack { nothing, target, edit, half };

/// Where the steps lie between clean and `noise`.
enum class Spacing {
  leading,   ///< from t = 1, a step short of `noise`: the field's usual grid, whose first step is next to nothing
  trailing,  ///< the last one at `noise`: as many useful steps with one fewer
};

/// Which part of the model's correction is used.
enum class Correct {
  shadows,  ///< what deepens the edit's own shadows, in luma
  all,      ///< everything, as in the paper
};

/// Where the model runs.
enum class Device { automatic, cpu, cuda };

enum class Precision { automatic, fp32, bf16, fp16 };

/// What the model predicts, where its files do not say: fine-tunes of one-file checkpoints that were trained on velocity.
enum class Prediction { automatic, epsilon, v };

/// Streams of the diffusion: rows of one batch, each with its own latents. Also the bits of StreamSet.
enum class Stream { source = 1, target = 2, geometry = 4, output = 8 };

/// Which streams' keys and values a stream reads.
struct StreamSet {
  unsigned bits = 0;
  bool has(Stream s) const { return bits & static_cast<unsigned>(s); }
  bool operator==(const StreamSet& o) const { return bits == o.bits; }
};
inline StreamSet operator|(Stream a, Stream b) { return {static_cast<unsigned>(a) | static_cast<unsigned>(b)}; }
inline StreamSet operator|(StreamSet a, Stream b) { return {a.bits | static_cast<unsigned>(b)}; }

/// Similarity that carries a reference onto the target, about the centroid of the reference's mask.
struct Placement {
  double shift_x = 0, shift_y = 0;  ///< canvas pixels, right and down
  double scale = 1;                 ///< > 1 enlarges
  double rotation = 0;              ///< degrees, counter-clockwise as seen
  bool flip = false;                ///< mirror left-right, before the rotation
  double stretch = 1;               ///< its width alone times this, before the rotation
};

/// A number that the edit decides by itself ("auto" as text).
constexpr double kAutomatic = -1;

struct Request {
  std::string preset = "instant";  ///< the preset that the method's fields were taken from, or "custom"

  Placement placement;
  double grow = 0;     ///< canvas pixels added round the selection; negative shrinks
  double feather = 3;  ///< canvas pixels over which the result fades into the target

  Colour colour = Colour::shading;
  double colour_strength = 1;        ///< 0 keeps the reference's own colours, 1 takes the target's
  double grain = 1;                  ///< how much of the reference's grain is taken out of its relief; shading only
  double strength = kAutomatic;      ///< of the geometry as a whole, 0 to 2; shading only
  double own_material = kAutomatic;  ///< share kept of another material laid bare (rust, plaster under paint); shading only
  double show_through = kAutomatic;  ///< share of a brightening left out so that the target shows through; shading only

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
  int attention_to_noise = 1000;                                 ///< and end, inclusive; outside each stream reads only itself
  double restore = 1;  ///< share of the target's trajectory restored outside the mask at every step
  GiveBack give_back = GiveBack::edit;
  bool reuse_keys =
      true;            ///< keys and values of the inversion serve the generation; false: all streams in one batch, computed again
  bool window = true;  ///< passes of what differs from the target run in a window round the selection alone
  double context = 0.35;    ///< side of the mask / side of the working rectangle
  double working_size = 1;  ///< side of the picture that the model sees / the side it was made for

  std::string model;  ///< folder or file; empty: the model that ships
  Prediction prediction = Prediction::automatic;
  Device device = Device::automatic;
  Precision precision = Precision::automatic;
  int threads = 0;    ///< 0: one a core
  int memory_mb = 0;  ///< ceiling for what is kept between steps, MiB; 0: a quarter of the free memory
};

// ---- the table ------------------------------------------------------------------------------------------------------

using Value = std::variant<bool, int, double, std::string>;

/// One allowed value of a choice: the word for scripts and its label for people (untranslated; see translate()).
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
  /// True if the edit decides it unless it is given: below 0 is automatic, "auto" as text.
  bool may_be_automatic() const { return kind == Kind::real && low == kAutomatic; }
  /// True for the groups that a preset decides.
  bool of_preset() const { return group == Group::colour || group == Group::method; }
};

/// All parameters, in the order of the procedure's arguments. Their defaults are Request{}'s.
const std::vector<Parameter>& parameters();
/// nullptr when there is none of that name.
const Parameter* find_parameter(const std::string& name);
/// Sets one parameter from untrusted input; throws Error (input) that names the parameter, the value and what is allowed.
void set_parameter(Request& request, const std::string& name, const Value& value);
/// The same from text in the C locale ("0.5", "true", "shading").
void set_parameter_text(Request& request, const std::string& name, const std::string& text);
std::string parameter_text(const Request& request, const Parameter& parameter);

struct Preset {
  const char* id;     ///< "balanced"
  const char* label;  ///< untranslated
  const char* blurb;  ///< one sentence, untranslated
};
const std::vector<Preset>& presets();

/// What a preset does with the models of one family.
struct PresetOffer {
  bool offered;  ///< false: on average it changes the picture by less than a level, or not for the better; dialogs leave it out
  std::string effect;  ///< one to three sentences in the user's language: what it does with these models
};
// In all of these, `family` is a ModelInfo's ("surface", "SD 1.x", "SD 2.x", "SDXL"); any other counts as "surface".
// Unknown presets are an Error (input) that lists the known ones.

PresetOffer preset_offer(const std::string& id, const std::string& family);
/// The preset to start from: "instant" with the shipped model, "balanced" with a model that improves the edit.
const char* default_preset(const std::string& family);
/// Sets the preset's name and all fields of the groups colour and method. "custom" changes the name alone.
void apply_preset(Request& request, const std::string& id, const std::string& family);
/// The same for the family of request.model, which is looked at: set the model first.
void apply_preset(Request& request, const std::string& id);

/// Throws Error (input) at the first field out of range, and where fields contradict each other.
void validate(const Request& request);

/// `text` in the user's language (gettext domain "geometry-transfer").
std::string translate(const char* text);

}  // namespace geometry_transfer
