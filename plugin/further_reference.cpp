// SPDX-License-Identifier: GPL-3.0-or-later
#include "further_reference.h"

#include <cctype>
#include <locale>
#include <sstream>

#include "request/text.h"

namespace geometry_transfer {
namespace {

constexpr char kGeometry[] = "geometry", kTexture[] = "texture";

bool parse(const std::string& text, FurtherReference& reference) {
  std::istringstream in(text);
  in.imbue(std::locale::classic());
  if (!(in >> reference.layer) || reference.layer <= 0) return false;
  if (!in.eof() && !std::isspace(in.peek())) return false;
  std::string role, more;
  if (!(in >> role)) return true;
  if (role != kGeometry && role != kTexture) return false;
  reference.role = role == kGeometry ? Reference::Role::geometry : Reference::Role::texture;
  if (in >> std::ws; in.eof()) return true;
  return in >> reference.weight && reference.weight >= reference.kLeastWeight && reference.weight <= reference.kMostWeight &&
         !(in >> more);
}

}  // namespace

std::vector<FurtherReference> parse_references(const std::string& text) {
  std::vector<FurtherReference> list;
  std::size_t count = 0;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, ';');) {
    if (part.find_first_not_of(" \t\n") == std::string::npos) continue;
    FurtherReference reference;
    if (!parse(part, reference))
      throw error(Error::Kind::input,
                  _("\"{0}\" is not a further reference: give the layer's number, geometry or texture, and a weight from {1} to "
                    "{2}, and a semicolon between two of them."),
                  part, reference.kLeastWeight, reference.kMostWeight);
    if (++count <= kMostReferences) list.push_back(reference);
  }
  if (count > kMostReferences)
    throw error(Error::Kind::input, _("{0} further references are too many: name {1} at most."), count, kMostReferences);
  return list;
}

std::string references_text(const std::vector<FurtherReference>& references) {
  std::ostringstream out;
  out.imbue(std::locale::classic());
  out.precision(15);
  for (const FurtherReference& r : references)
    out << (&r == &references.front() ? "" : "; ") << r.layer << ' '
        << (r.role == Reference::Role::geometry ? kGeometry : kTexture) << ' ' << r.weight;
  return out.str();
}

}  // namespace geometry_transfer
