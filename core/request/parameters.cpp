// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cmath>
#include <limits>

#include "geometry-transfer/request.h"
#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using Group = Parameter::Group;
using Kind = Parameter::Kind;

// How a field and a Value turn into each other. Choices are text outside and an enum inside, by their place in the list.
template <class Field>
Parameter number(const char* name, const char* label, const char* blurb, Group group, double low, double high, double step,
                 int digits, Field field) {
  using T = std::decay_t<decltype(field(std::declval<Request&>()))>;
  const Kind kind = std::is_same_v<T, int> ? Kind::integer : Kind::real;
  return {name,
          label,
          blurb,
          group,
          kind,
          low,
          high,
          step,
          digits,
          {},
          [field](const Request& r) { return Value(field(const_cast<Request&>(r))); },
          [field](Request& r, const Value& v) { field(r) = std::get<T>(v); }};
}

template <class Field>
Parameter toggle(const char* name, const char* label, const char* blurb, Group group, Field field) {
  return {name,
          label,
          blurb,
          group,
          Kind::boolean,
          0,
          1,
          1,
          0,
          {},
          [field](const Request& r) { return Value(field(const_cast<Request&>(r))); },
          [field](Request& r, const Value& v) { field(r) = std::get<bool>(v); }};
}

template <class Field>
Parameter text(const char* name, const char* label, const char* blurb, Group group, Field field) {
  return {name,
          label,
          blurb,
          group,
          Kind::text,
          0,
          0,
          0,
          0,
          {},
          [field](const Request& r) { return Value(field(const_cast<Request&>(r))); },
          [field](Request& r, const Value& v) { field(r) = std::get<std::string>(v); }};
}

template <class T>
struct Option {
  Choice choice;
  T value;
};

template <class T, class Field>
Parameter choice(const char* name, const char* label, const char* blurb, Group group, std::vector<Option<T>> options,
                 Field field) {
  std::vector<Choice> choices;
  for (const auto& o : options) choices.push_back(o.choice);
  return {name,
          label,
          blurb,
          group,
          Kind::choice,
          0,
          0,
          0,
          0,
          choices,
          [field, options](const Request& r) {
            for (const auto& o : options)
              if (o.value == field(const_cast<Request&>(r))) return Value(std::string(o.choice.id));
            return Value(std::string(options.front().choice.id));
          },
          [field, options](Request& r, const Value& v) {
            for (const auto& o : options)
              if (o.choice.id == std::get<std::string>(v)) field(r) = o.value;
          }};
}

#define FIELD(expression) \
  [](Request & r) -> auto& { return r.expression; }

constexpr Stream source = Stream::source, target = Stream::target, geometry = Stream::geometry, output = Stream::output;
StreamSet only(Stream s) { return {static_cast<unsigned>(s)}; }

std::vector<Parameter> make_parameters() {
  std::vector<Option<std::string>> preset_options;
  for (const Preset& p : presets()) preset_options.push_back({{p.id, p.label}, p.id});
  preset_options.push_back({{"custom", N_("Custom")}, "custom"});
  return {
      choice<std::string>(
          "preset", N_("_Quality"),
          N_("How much time to spend. It decides the colour and method arguments that are left at their defaults"), Group::preset,
          preset_options, FIELD(preset)),

      number("shift-x", N_("Shift _X"), N_("Move the geometry to the right, in pixels"), Group::placement, -100000, 100000, 1, 1,
             FIELD(placement.shift_x)),
      number("shift-y", N_("Shift _Y"), N_("Move the geometry down, in pixels"), Group::placement, -100000, 100000, 1, 1,
             FIELD(placement.shift_y)),
      number("scale", N_("Sca_le"), N_("Size of the geometry against its size in the reference"), Group::placement, 0.02, 50,
             0.05, 3, FIELD(placement.scale)),
      number("rotation", N_("Ro_tation"), N_("Turn the geometry counter-clockwise, in degrees"), Group::placement, -360, 360, 1,
             1, FIELD(placement.rotation)),
      toggle("flip", N_("_Mirror"), N_("Mirror the geometry left to right before it is turned"), Group::placement,
             FIELD(placement.flip)),
      number("stretch", N_("Stretch"), N_("Width of the geometry alone, before it is turned: 2 makes it twice as wide"),
             Group::placement, 0.1, 10, 0.05, 3, FIELD(placement.stretch)),

      number("grow", N_("_Grow selection"), N_("Pixels added round the selection, or taken from it when negative"),
             Group::selection, -500, 500, 1, 1, FIELD(grow)),
      number("feather", N_("_Feather"), N_("Pixels over which the result fades into the target"), Group::selection, 0, 500, 1, 1,
             FIELD(feather)),

      choice<Colour>("colour", N_("Colour ad_justment"), N_("How the geometry takes the target's colour"), Group::colour,
                     {{{"shading", N_("Carry the shading over")}, Colour::shading},
                      {{"surround", N_("Match the surroundings' mean")}, Colour::surround},
                      {{"mean", N_("Match the mean (the paper)")}, Colour::mean}},
                     FIELD(colour)),
      number("colour-strength", N_("Colo_ur strength"), N_("0 keeps the reference's own colours, 1 takes the target's"),
             Group::colour, 0, 1, 0.05, 2, FIELD(colour_strength)),
      number("grain", N_("Remove grain"),
             N_("How much of the reference's grain is taken out before its relief is carried over: less keeps the finest cracks"),
             Group::colour, 0, 3, 0.1, 2, FIELD(grain)),
      number("strength", N_("_Strength"), N_("How strong the geometry is as a whole: 0 is nothing, 1 as in the reference"),
             Group::selection, 0, 2, 0.05, 2, FIELD(strength)),
      number("own-material", N_("_Keep own material"),
             N_("How much another material that the geometry lays bare keeps its own colours: rust, plaster under paint, moss"),
             Group::selection, -1, 1, 0.05, 2, FIELD(own_material)),
      number("show-through", N_("Show through"),
             N_("How much of what the geometry brightens on the whole is left out, so that the target shows through it: water, "
                "varnish. Edges and glints stay"),
             Group::selection, -1, 1, 0.05, 2, FIELD(show_through)),
      number("correction", N_("Correction"), N_("Strength of the model's correction on top of the edit; 0 is the edit alone"),
             Group::method, 0, 1, 0.05, 2, FIELD(correction)),
      choice<Correct>(
          "correct", N_("Correct"), N_("Which part of the model's correction is used"), Group::method,
          {{{"shadows", N_("Deepen the shadows")}, Correct::shadows}, {{"all", N_("Everything (the paper)")}, Correct::all}},
          FIELD(correct)),
      number("noise", N_("Noise reached"), N_("Timestep that the inversion reaches: more changes more, 1000 is the paper's"),
             Group::method, 1, 1000, 10, 0, FIELD(noise)),
      choice<Spacing>("spacing", N_("Spacing"), N_("Where the steps lie between clean and the noise reached"), Group::method,
                      {{{"trailing", N_("Up to the noise reached")}, Spacing::trailing},
                       {{"leading", N_("From the first timestep (the paper)")}, Spacing::leading}},
                      FIELD(spacing)),
      number("steps", N_("_Steps"), N_("Steps of the inversion, and again of the generation"), Group::method, 1, 200, 1, 0,
             FIELD(steps)),
      number("iterations", N_("_Iterations"), N_("Fixed-point iterations in each step of the inversion"), Group::method, 1, 20, 1,
             0, FIELD(iterations)),
      number("tolerance", N_("Tol_erance"), N_("Stop iterating a step when its residual falls below this; 0 runs all iterations"),
             Group::method, 0, 0.1, 0.001, 4, FIELD(tolerance)),
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
                         {{"source+target+output", N_("Source, target and itself")}, source | target | output},
                         {{"target", N_("Target")}, only(target)},
                         {{"target+output", N_("Target and itself")}, target | output},
                         {{"output", N_("Itself (off)")}, only(output)}},
                        FIELD(output_reads)),
      number("attention-from-layer", N_("Attentions from layer"),
             N_("Depth in the network at which both attentions begin: 0 its first layer, 0.5 about the coarsest, 1 its last"),
             Group::method, 0, 1, 0.1, 2, FIELD(attention_from_layer)),
      number("attention-to-layer", N_("Attentions to layer"),
             N_("Depth in the network at which they end; in the layers outside, each picture reads only itself"), Group::method,
             0, 1, 0.1, 2, FIELD(attention_to_layer)),
      number("attention-from-noise", N_("Attentions from noise"),
             N_("Timestep at which both attentions begin: in steps with less noise, each picture reads only itself"),
             Group::method, 0, 1000, 10, 0, FIELD(attention_from_noise)),
      number("attention-to-noise", N_("Attentions to noise"),
             N_("Timestep at which they end: in steps with more noise, each picture reads only itself"), Group::method, 0, 1000,
             10, 0, FIELD(attention_to_noise)),
      number("restore", N_("Restore target"), N_("Share of the target that is put back outside the selection at every step"),
             Group::method, 0, 1, 0.05, 2, FIELD(restore)),
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
             Group::method, 0.05, 1, 0.05, 2, FIELD(context)),
      number("working-size", N_("Working size"),
             N_("Side of the picture that the model sees, over the one it was made for: less is faster and coarser"),
             Group::method, 0.25, 2, 0.25, 2, FIELD(working_size)),

      text("model", N_("Mo_del"), N_("Folder or .safetensors file of the diffusion model; empty for the one that ships"),
           Group::machine, FIELD(model)),
      choice<Prediction>("prediction", N_("Prediction"),
                         N_("What the model predicts; its files mostly tell, but not those of every fine-tuned model"),
                         Group::machine,
                         {{{"auto", N_("As the model's files say")}, Prediction::automatic},
                          {{"epsilon", N_("Noise")}, Prediction::epsilon},
                          {{"v", N_("Velocity (v)")}, Prediction::v}},
                         FIELD(prediction)),
      choice<Device>("device", N_("Device"), N_("Where the model runs"), Group::machine,
                     {{{"auto", N_("A GPU where there is one")}, Device::automatic},
                      {{"cpu", N_("Processor")}, Device::cpu},
                      {{"cuda", N_("NVIDIA GPU")}, Device::cuda}},
                     FIELD(device)),
      choice<Precision>("precision", N_("Precision"), N_("Number format of the model's arithmetic"), Group::machine,
                        {{{"auto", N_("What this machine does best")}, Precision::automatic},
                         {{"fp32", N_("32-bit float")}, Precision::fp32},
                         {{"bf16", N_("bfloat16")}, Precision::bf16},
                         {{"fp16", N_("16-bit float (GPU)")}, Precision::fp16}},
                        FIELD(precision)),
      number("threads", N_("Threads"), N_("Processor threads; 0 takes one a core"), Group::machine, 0, 1024, 1, 0,
             FIELD(threads)),
      number("memory", N_("Memory"), N_("Most memory to keep between steps, in MiB; 0 takes a quarter of what is free"),
             Group::machine, 0, 1 << 24, 64, 0, FIELD(memory_mb)),
  };
}

std::string allowed(const Parameter& p) {
  switch (p.kind) {
    case Kind::boolean:
      return "true, false";
    case Kind::integer:
    case Kind::real:
      return number_text(p.low, 6) + " .. " + number_text(p.high, 6);
    case Kind::choice: {
      std::string list;
      for (const Choice& c : p.choices) list += (list.empty() ? "" : ", ") + std::string(c.id);
      return list;
    }
    case Kind::text:
      return _("text");
  }
  return {};
}

std::string value_text(const Value& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<int>(&value)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&value)) return number_text(*d, 15);
  return std::get<std::string>(value);
}

[[noreturn]] void refuse(const Parameter& p, const std::string& given) {
  throw error(Error::Kind::input, _("{0} is \"{1}\", but must be one of: {2}."), p.name, given, allowed(p));
}

/// `value` as this parameter's own type, or refused. A number may come as int or double, a boolean as int.
Value accepted(const Parameter& p, const Value& value) {
  const auto number = [&]() -> double {
    if (const auto* i = std::get_if<int>(&value)) return *i;
    if (const auto* d = std::get_if<double>(&value)) return *d;
    if (const auto* b = std::get_if<bool>(&value)) return *b;
    refuse(p, value_text(value));
  };
  switch (p.kind) {
    case Kind::boolean:
      return number() != 0;
    case Kind::integer:
    case Kind::real: {
      const double v = number();
      if (!(v >= p.low && v <= p.high)) refuse(p, value_text(value));  // NaN too
      if (p.kind == Kind::real) return v;
      if (v != std::floor(v)) refuse(p, value_text(value));
      return static_cast<int>(v);
    }
    case Kind::choice: {
      const auto* s = std::get_if<std::string>(&value);
      if (s)
        for (const Choice& c : p.choices)
          if (*s == c.id) return value;
      refuse(p, value_text(value));
    }
    case Kind::text:
      if (!std::holds_alternative<std::string>(value)) refuse(p, value_text(value));
      return value;
  }
  return value;
}

const Parameter& known(const std::string& name) {
  if (const Parameter* p = find_parameter(name)) return *p;
  throw error(Error::Kind::input, _("There is no parameter \"{0}\"."), name);
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> table = make_parameters();
  return table;
}

const Parameter* find_parameter(const std::string& name) {
  for (const Parameter& p : parameters())
    if (name == p.name) return &p;
  return nullptr;
}

void set_parameter(Request& request, const std::string& name, const Value& value) {
  const Parameter& p = known(name);
  p.set(request, accepted(p, value));
}

void set_parameter_text(Request& request, const std::string& name, const std::string& text) {
  const Parameter& p = known(name);
  if (p.kind == Kind::text || p.kind == Kind::choice) return p.set(request, accepted(p, text));
  if (p.kind == Kind::boolean) {
    if (text == "true" || text == "yes" || text == "1") return p.set(request, true);
    if (text == "false" || text == "no" || text == "0") return p.set(request, false);
    refuse(p, text);
  }
  const std::optional<double> value = parse_number(text);
  if (!value) refuse(p, text);
  p.set(request, accepted(p, *value));
}

std::string parameter_text(const Request& request, const Parameter& parameter) { return value_text(parameter.get(request)); }

void validate(const Request& request) {
  for (const Parameter& p : parameters()) accepted(p, p.get(request));
}

std::string translate(const char* text) { return text && *text ? dgettext(GT_TEXT_DOMAIN, text) : ""; }

}  // namespace geometry_transfer
