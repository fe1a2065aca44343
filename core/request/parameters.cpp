// SPDX-License-Identifier: GPL-3.0-or-later
/// Sets parameters from untrusted input, and checks them.
#include <algorithm>
#include <cmath>
#include <limits>

#include "geometry-transfer/request.h"
#include "request/number_text.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

using Kind = Parameter::Kind;

std::string allowed(const Parameter& p) {
  switch (p.kind) {
    case Kind::boolean:
      return "true, false";
    case Kind::integer:
    case Kind::real:
      if (p.may_be_automatic()) return "auto, 0 .. " + number_text(p.high, 6);
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

/// Converts `value` to this parameter's type, or refuses it. A number may come as int or double, a boolean as int.
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
      if (!(v >= p.low && v <= p.high)) refuse(p, value_text(value));  // also refuses NaN
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
  if (p.may_be_automatic() && text == "auto") return p.set(request, kAutomatic);
  const std::optional<double> value = parse_number(text);
  if (!value) refuse(p, text);
  p.set(request, accepted(p, *value));
}

std::string parameter_text(const Request& request, const Parameter& parameter) {
  const Value value = parameter.get(request);
  if (parameter.may_be_automatic() && std::get<double>(value) < 0) return "auto";
  return value_text(value);
}

void validate(const Request& request) {
  for (const Parameter& p : parameters()) accepted(p, p.get(request));
}

std::string translate(const char* text) { return text && *text ? dgettext(GT_TEXT_DOMAIN, text) : ""; }

}  // namespace geometry_transfer
