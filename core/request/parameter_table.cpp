// SPDX-License-Identifier: GPL-3.0-or-later
/// The table of all parameters. To add one, add a field to Request and a row here.
#include "geometry-transfer/request.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using Group = Parameter::Group;
using Kind = Parameter::Kind;

/// Builds one row of the table. Each function sets what its name says.
struct Row : Parameter {
  Row(const char* name, const char* label, const char* blurb, Group group, Kind kind)
      : Parameter{name, label, blurb, group, kind, 0, 0, 0, 0, {}, {}, {}} {}
  /// Sets the lowest and the highest allowed value.
  Row& range(double lowest, double highest) {
    low = lowest;
    high = highest;
    return *this;
  }
  /// Sets the change by one click or notch of the wheel.
  Row& step(double change) {
    Parameter::step = change;
    return *this;
  }
  /// Sets the digits after the decimal point of a real number; default 0.
  Row& digits(int count) {
    Parameter::digits = count;
    return *this;
  }
  /// Sets the functions that read and write the field, as a Value of its own type.
  template <class Field>
  Row& on(Field field) {
    using T = std::decay_t<decltype(field(std::declval<Request&>()))>;
    get = [field](const Request& r) { return Value(field(const_cast<Request&>(r))); };
    set = [field](Request& r, const Value& v) { field(r) = std::get<T>(v); };
    return *this;
  }
};

template <class Field>
Row number(const char* name, const char* label, const char* blurb, Group group, Field field) {
  using T = std::decay_t<decltype(field(std::declval<Request&>()))>;
  return Row(name, label, blurb, group, std::is_same_v<T, int> ? Kind::integer : Kind::real).on(field);
}

template <class Field>
Row toggle(const char* name, const char* label, const char* blurb, Group group, Field field) {
  return Row(name, label, blurb, group, Kind::boolean).on(field).range(0, 1).step(1);
}

template <class Field>
Row text(const char* name, const char* label, const char* blurb, Group group, Field field) {
  return Row(name, label, blurb, group, Kind::text).on(field);
}

/// One allowed value of a choice: a word for scripts, and the field's value.
template <class T>
struct Option {
  Choice choice;
  T value;
};

template <class T, class Field>
Row choice(const char* name, const char* label, const char* blurb, Group group, std::vector<Option<T>> options, Field field) {
  Row row(name, label, blurb, group, Kind::choice);
  for (const auto& o : options) row.choices.push_back(o.choice);
  row.get = [field, options](const Request& r) {
    for (const auto& o : options)
      if (o.value == field(const_cast<Request&>(r))) return Value(std::string(o.choice.id));
    return Value(std::string(options.front().choice.id));
  };
  row.set = [field, options](Request& r, const Value& v) {
    for (const auto& o : options)
      if (o.choice.id == std::get<std::string>(v)) field(r) = o.value;
  };
  return row;
}

/// A function that returns a field of a Request by reference.
#define FIELD(expression)     \
  +[](Request & r) -> auto& { \
    return r.expression;      \
  }

constexpr Stream source = Stream::source, target = Stream::target, geometry = Stream::geometry, output = Stream::output;
StreamSet only(Stream s) { return {static_cast<unsigned>(s)}; }

std::vector<Parameter> preset_parameters() {
  std::vector<Option<std::string>> options;
  for (const Preset& p : presets()) options.push_back({{p.id, p.label}, p.id});
  options.push_back({{"custom", N_("Custom")}, "custom"});
  return {choice<std::string>(
      "preset", N_("_Quality"),
      N_("How much time to spend. It decides the colour and method arguments that are left at their defaults"), Group::preset,
      options, FIELD(preset))};
}

/// Place of the geometry on the target.
std::vector<Parameter> placement_parameters() {
  return {
      number("shift-x", N_("Shift _X"), N_("Move the geometry to the right, in pixels"), Group::placement,
             FIELD(placement.shift_x))
          .range(-100000, 100000)
          .step(1)
          .digits(1),
      number("shift-y", N_("Shift _Y"), N_("Move the geometry down, in pixels"), Group::placement, FIELD(placement.shift_y))
          .range(-100000, 100000)
          .step(1)
          .digits(1),
      number("scale", N_("Sca_le"), N_("Size of the geometry against its size in the reference"), Group::placement,
             FIELD(placement.scale))
          .range(0.02, 50)
          .step(0.05)
          .digits(3),
      number("rotation", N_("Ro_tation"), N_("Turn the geometry counter-clockwise, in degrees"), Group::placement,
             FIELD(placement.rotation))
          .range(-360, 360)
          .step(1)
          .digits(1),
      toggle("flip", N_("_Mirror"), N_("Mirror the geometry left to right before it is turned"), Group::placement,
             FIELD(placement.flip)),
      number("stretch", N_("Stretch"), N_("Width of the geometry alone, before it is turned: 2 makes it twice as wide"),
             Group::placement, FIELD(placement.stretch))
          .range(0.1, 10)
          .step(0.05)
          .digits(3),
  };
}

/// Selection, colour and grain.
std::vector<Parameter> edit_parameters() {
  return {
      number("grow", N_("_Grow selection"), N_("Pixels added round the selection, or taken from it when negative"),
             Group::selection, FIELD(grow))
          .range(-500, 500)
          .step(1)
          .digits(1),
      number("feather", N_("_Feather"), N_("Pixels over which the result fades into the target"), Group::selection,
             FIELD(feather))
          .range(0, 500)
          .step(1)
          .digits(1),

      choice<Colour>("colour", N_("Colour ad_justment"), N_("How the geometry takes the target's colour"), Group::colour,
                     {{{"shading", N_("Carry the shading over")}, Colour::shading},
                      {{"surround", N_("Match the surroundings' mean")}, Colour::surround},
                      {{"mean", N_("Match the mean (the paper)")}, Colour::mean}},
                     FIELD(colour)),
      number("colour-strength", N_("Colo_ur strength"), N_("0 keeps the reference's own colours, 1 takes the target's"),
             Group::colour, FIELD(colour_strength))
          .range(0, 1)
          .step(0.05)
          .digits(2),
      number("grain", N_("Remove grain"),
             N_("How much of the reference's grain is taken out before its relief is carried over: less keeps the finest cracks"),
             Group::colour, FIELD(grain))
          .range(0, 3)
          .step(0.1)
          .digits(2),
  };
}

/// The layers of the geometry.
std::vector<Parameter> layers_parameters() {
  return {
      number("strength", N_("Strength"),
             N_("How strong the geometry is: 0 is nothing, 1 as in the reference; -1 decides so that it is seen"),
             Group::selection, FIELD(strength))
          .range(kAutomatic, 2)
          .step(0.05)
          .digits(2),
      number("own-material", N_("_Keep own material"),
             N_("How much another material that the geometry lays bare keeps its own colours (rust, "
                "plaster under paint); -1 decides by itself"),
             Group::selection, FIELD(own_material))
          .range(kAutomatic, 1)
          .step(0.05)
          .digits(2),
      number("show-through", N_("Show through"),
             N_("How much of what the geometry brightens on the whole is left out, so that the target shows through it: water, "
                "varnish. Edges and glints stay. -1 decides by itself"),
             Group::selection, FIELD(show_through))
          .range(kAutomatic, 1)
          .step(0.05)
          .digits(2),
      number(
          "turn-light", N_("Turn light"),
          N_("Degrees counter-clockwise by which the light on the target is turned against the light on the reference. At 0 both "
             "are lit from the same side, and a turned geometry is shaded anew"),
          Group::selection, FIELD(turn_light))
          .range(-180, 180)
          .step(5)
          .digits(0),
  };
}

/// The model's correction, and the steps of its sampling.
std::vector<Parameter> sampling_parameters() {
  return {
      number("correction", N_("Correction"), N_("Strength of the model's correction on top of the edit; 0 is the edit alone"),
             Group::method, FIELD(correction))
          .range(0, 1)
          .step(0.05)
          .digits(2),
      choice<Correct>(
          "correct", N_("Correct"), N_("Which part of the model's correction is used"), Group::method,
          {{{"shadows", N_("Deepen the shadows")}, Correct::shadows}, {{"all", N_("Everything (the paper)")}, Correct::all}},
          FIELD(correct)),
      number("noise", N_("Noise reached"), N_("Timestep that the inversion reaches: more changes more, 1000 is the paper's"),
             Group::method, FIELD(noise))
          .range(1, 1000)
          .step(10),
      choice<Spacing>("spacing", N_("Spacing"), N_("Distribution of the steps between clean and the noise reached"),
                      Group::method,
                      {{{"trailing", N_("Up to the noise reached")}, Spacing::trailing},
                       {{"leading", N_("From the first timestep (the paper)")}, Spacing::leading}},
                      FIELD(spacing)),
      number("steps", N_("_Steps"), N_("Steps of the inversion, and again of the generation"), Group::method, FIELD(steps))
          .range(1, 200)
          .step(1),
      number("iterations", N_("Iterations"), N_("Fixed-point iterations in each step of the inversion"), Group::method,
             FIELD(iterations))
          .range(1, 20)
          .step(1),
      number("tolerance", N_("Tolerance"), N_("Stop iterating a step when its residual falls below this; 0 runs all iterations"),
             Group::method, FIELD(tolerance))
          .range(0, 0.1)
          .step(0.001)
          .digits(4),
  };
}

/// The two attentions of the method.
std::vector<Parameter> attention_parameters() {
  return {
      choice<StreamSet>("geometry-reads", N_("Geometry reads"),
                        N_("Texture-aligning Attention: whose keys and values the geometry reads while it is inverted"),
                        Group::method,
                        {{{"geometry+target", N_("Geometry and target")}, geometry | target},
                         {{"target", N_("Target")}, only(target)},
                         {{"geometry", N_("Geometry (off)")}, only(geometry)}},
                        FIELD(geometry_reads)),
      choice<StreamSet>("output-reads", N_("Output reads"),
                        N_("Geometry-preserving Attention: whose keys and values the result reads while it is generated"),
                        Group::method,
                        {{{"geometry+target", N_("Geometry and target")}, geometry | target},
                         {{"geometry+target+output", N_("Geometry, target and itself")}, geometry | target | output},
                         {{"geometry", N_("Geometry")}, only(geometry)},
                         {{"geometry+output", N_("Geometry and itself")}, geometry | output},
                         {{"source", N_("Source")}, only(source)},
                         {{"source+target", N_("Source and target (the paper)")}, source | target},
                         {{"source+geometry+target", N_("Source, geometry and target")}, source | geometry | target},
                         {{"source+target+output", N_("Source, target and itself")}, source | target | output},
                         {{"target", N_("Target")}, only(target)},
                         {{"target+output", N_("Target and itself")}, target | output},
                         {{"output", N_("Itself (off)")}, only(output)}},
                        FIELD(output_reads)),
      number("attention-from-layer", N_("Attentions from layer"),
             N_("Depth in the network at which both attentions begin: 0 its first layer, 0.5 about the coarsest, 1 its last"),
             Group::method, FIELD(attention_from_layer))
          .range(0, 1)
          .step(0.1)
          .digits(2),
      number("attention-to-layer", N_("Attentions to layer"),
             N_("Depth in the network at which they end; in the layers outside, each picture reads only itself"), Group::method,
             FIELD(attention_to_layer))
          .range(0, 1)
          .step(0.1)
          .digits(2),
      number("attention-from-noise", N_("Attentions from noise"),
             N_("Timestep at which both attentions begin: in steps with less noise, each picture reads only itself"),
             Group::method, FIELD(attention_from_noise))
          .range(0, 1000)
          .step(10),
      number("attention-to-noise", N_("Attentions to noise"),
             N_("Timestep at which they end: in steps with more noise, each picture reads only itself"), Group::method,
             FIELD(attention_to_noise))
          .range(0, 1000)
          .step(10),
  };
}

/// Detail that is given back, keys that are kept, and the region that is computed.
std::vector<Parameter> region_parameters() {
  return {
      number("restore", N_("Restore target"), N_("Share of the target that is put back outside the selection at every step"),
             Group::method, FIELD(restore))
          .range(0, 1)
          .step(0.05)
          .digits(2),
      choice<GiveBack>("give-back", N_("Give back detail of"),
                       N_("Whose fine detail, lost in the model's autoencoder, is given back"), Group::method,
                       {{{"edit", N_("The edit")}, GiveBack::edit},
                        {{"half", N_("Both, by half")}, GiveBack::half},
                        {{"target", N_("The target")}, GiveBack::target},
                        {{"nothing", N_("Nothing (the paper)")}, GiveBack::nothing}},
                       FIELD(give_back)),
      toggle("reuse-keys", N_("Reuse keys"),
             N_("Let the generation read the inversion's keys and values instead of computing them again"), Group::method,
             FIELD(reuse_keys)),
      toggle(
          "window", N_("Only round the selection"),
          N_("Compute what differs from the target in a window round the selection alone: faster, and next to the same picture"),
          Group::method, FIELD(window)),
      number("context", N_("Selection's share"), N_("Side of the selection over the side of the rectangle that the model sees"),
             Group::method, FIELD(context))
          .range(0.05, 1)
          .step(0.05)
          .digits(2),
      number("working-size", N_("Working size"),
             N_("Side of the picture that the model sees, over the one it was made for: less is faster and coarser"),
             Group::method, FIELD(working_size))
          .range(0.25, 2)
          .step(0.25)
          .digits(2),
  };
}

/// The model, and how the machine runs it.
std::vector<Parameter> machine_parameters() {
  return {
      text("model", N_("Mo_del"), N_("Folder or .safetensors file of the diffusion model; empty for the one that ships"),
           Group::machine, FIELD(model)),
      choice<Prediction>("prediction", N_("Prediction"),
                         N_("Quantity that the model predicts; its files mostly tell, but not those of every fine-tuned model"),
                         Group::machine,
                         {{{"auto", N_("As the model's files say")}, Prediction::automatic},
                          {{"epsilon", N_("Noise")}, Prediction::epsilon},
                          {{"v", N_("Velocity (v)")}, Prediction::v}},
                         FIELD(prediction)),
      choice<Device>("device", N_("Device"), N_("Hardware that runs the model"), Group::machine,
                     {{{"auto", N_("A GPU where there is one")}, Device::automatic},
                      {{"cpu", N_("Processor")}, Device::cpu},
                      {{"cuda", N_("NVIDIA GPU")}, Device::cuda}},
                     FIELD(device)),
      choice<Precision>("precision", N_("Precision"), N_("Number format of the model's arithmetic"), Group::machine,
                        {{{"auto", N_("Best for this machine")}, Precision::automatic},
                         {{"fp32", N_("32-bit float")}, Precision::fp32},
                         {{"bf16", N_("bfloat16")}, Precision::bf16},
                         {{"fp16", N_("16-bit float (GPU)")}, Precision::fp16}},
                        FIELD(precision)),
      number("threads", N_("Threads"), N_("Processor threads; 0 takes one a core"), Group::machine, FIELD(threads))
          .range(0, 1024)
          .step(1),
      number("memory", N_("Memory"), N_("Most memory to keep between steps, in MiB; 0 takes a quarter of what is free"),
             Group::machine, FIELD(memory_mb))
          .range(0, 1 << 24)
          .step(64),
  };
}

/// All parameters. Dialog, procedure, command line and messages to the worker have this order.
std::vector<Parameter> make_parameters() {
  std::vector<Parameter> all;
  for (const std::vector<Parameter>& group :
       {preset_parameters(), placement_parameters(), edit_parameters(), layers_parameters(), sampling_parameters(),
        attention_parameters(), region_parameters(), machine_parameters()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> table = make_parameters();
  return table;
}

}  // namespace geometry_transfer
