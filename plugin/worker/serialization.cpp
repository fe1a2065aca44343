// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/serialization.h"

#include <stdexcept>

namespace geometry_transfer::worker {
namespace {

constexpr std::uint32_t kMostEntries = 10000;  // references, parameters, stages, residuals

std::uint32_t get_count(FieldReader& from) {
  const auto count = from.get<std::uint32_t>();
  if (count > kMostEntries) throw Disconnected("a list has too many entries");
  return count;
}

template <class T>
void put_list(FieldWriter& to, const std::vector<T>& list) {
  to.put(static_cast<std::uint32_t>(list.size()));
  for (const T& one : list) to.put(one);
}

template <class T>
std::vector<T> get_list(FieldReader& from) {
  std::vector<T> list(get_count(from));
  for (T& one : list) one = from.get<T>();
  return list;
}

Value get_value(FieldReader& from, const Value& like) {
  return std::visit([&](const auto& kind) { return Value(from.get<std::decay_t<decltype(kind)>>()); }, like);
}

void put_raster(FieldWriter& to, const Raster* raster) {
  to.put(raster ? RasterShape{raster->channels(), raster->extent()} : RasterShape{});
}

}  // namespace

std::vector<const Raster*> rasters_of(const Scene& scene) {
  std::vector<const Raster*> list = {scene.target};
  for (const Reference& reference : scene.references) {
    list.push_back(reference.colour);
    list.push_back(reference.mask);
  }
  return list;
}

void put_request(FieldWriter& to, const Request& request) {
  for (const Parameter& p : parameters()) std::visit([&](const auto& value) { to.put(value); }, p.get(request));
}

Request get_request(FieldReader& from) {
  Request request;
  for (const Parameter& p : parameters()) p.set(request, get_value(from, p.get(request)));
  return request;
}

void put_scene(FieldWriter& to, const Scene& scene) {
  put_raster(to, scene.target);
  to.put(static_cast<std::uint32_t>(scene.references.size()));
  for (const Reference& reference : scene.references) {
    // This line fails to compile if Reference gets a field; then send that field. `cache` is not sent, because it
    // points into this process.
    const auto& [colour, mask, role, placement, weight, cache] = reference;
    static_cast<void>(cache);
    put_raster(to, colour);
    put_raster(to, mask);
    to.put(role);
    to.put(placement);
    to.put(weight);
  }
}

Scene get_scene(FieldReader& from, const std::function<const Raster*(int, const RasterShape&)>& raster) {
  int index = 0;
  const auto next = [&]() -> const Raster* {
    const auto shape = from.get<RasterShape>();
    const Raster* result = shape.channels ? raster(index, shape) : nullptr;
    ++index;
    return result;
  };
  Scene scene;
  scene.target = next();
  scene.references.resize(get_count(from));
  for (Reference& reference : scene.references) {
    reference.colour = next();
    reference.mask = next();
    reference.role = from.get<Reference::Role>();
    reference.placement = from.get<Placement>();
    reference.weight = from.get<double>();
  }
  return scene;
}

void put_report(FieldWriter& to, const Report& report) {
  const auto& [stages, seconds, peak, residuals, rectangle, working, share, window, calls, streams, threads, model, device,
               precision, decided] = report;
  put_list(to, stages);
  to.put(seconds);
  to.put(peak);
  put_list(to, residuals);
  to.put(rectangle);
  to.put(working);
  to.put(share);
  to.put(window);
  to.put(calls);
  to.put(streams);
  to.put(threads);
  to.put(model);
  to.put(device);
  to.put(precision);
  to.put(decided);
}

Report get_report(FieldReader& from) {
  Report r;
  r.stages = get_list<StageTime>(from);
  r.seconds = from.get<double>();
  r.peak_memory = from.get<std::uint64_t>();
  r.residuals = get_list<double>(from);
  r.rectangle = from.get<Rect>();
  r.working = from.get<Size>();
  r.mask_share = from.get<double>();
  r.window_share = from.get<double>();
  r.unet_calls = from.get<int>();
  r.unet_streams = from.get<int>();
  r.threads = from.get<int>();
  r.model = from.get<std::string>();
  r.device = from.get<std::string>();
  r.precision = from.get<std::string>();
  r.decided = from.get<GeometryDecisions>();
  return r;
}

void put_error(FieldWriter& to, const Error& error) {
  to.put(error.kind());
  to.put(std::string(error.what()));
}

Error get_error(FieldReader& from) {
  const auto kind = from.get<Error::Kind>();
  return Error(kind, from.get<std::string>());
}

}  // namespace geometry_transfer::worker
