// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/client.h"

#include <algorithm>

#include "worker/endpoint.h"
#include "worker/serialization.h"

namespace geometry_transfer::worker {
namespace {

/// Connects, and starts a worker if nobody listens. `started` becomes true if a worker was started.
Fd connected(const WorkerAddress& address, const std::function<void()>& while_waiting, bool& started) {
  started = false;
  bool nobody = false;
  Fd connection = connect_to(address.path, address.answer_timeout, while_waiting, &nobody);
  if (connection || !nobody) return connection;
  // The plug-in opens the listening socket itself, so it can connect before the worker runs. If two plug-ins try at the
  // same moment, listen_at() returns a socket to one of them.
  if (Fd listener = listen_at(address.path)) {
    started = true;
    address.start(std::move(listener));
  }
  return connect_to(address.path, address.answer_timeout, while_waiting);
}

/// Answers the worker's request for pixels.
void send_pixels(Channel& channel, const std::vector<const Raster*>& rasters, const std::string& fields) {
  FieldReader from(fields);
  const int index = from.get<int>();
  const Rect area = from.get<Rect>();
  const Size size = from.get<Size>();
  if (index < 0 || index >= static_cast<int>(rasters.size()) || !rasters[index]) throw Disconnected("no such raster");
  const Rect all = rasters[index]->extent();
  const bool inside = area.x >= all.x && area.y >= all.y && area.width > 0 && area.height > 0 && area.width <= all.width &&
                      area.height <= all.height && area.right() <= all.right() && area.bottom() <= all.bottom();
  constexpr int kMostSide = 1 << 20, kMostPixels = 1 << 28;  // a side, and in all
  if (!inside || size.width < 1 || size.height < 1 || size.width > kMostSide || size.height > kMostSide ||
      std::int64_t(size.width) * size.height > kMostPixels)
    throw Disconnected("no such pixels");
  try {
    std::vector<float> pixels(static_cast<std::size_t>(size.width) * size.height * rasters[index]->channels());
    rasters[index]->read(area, size, pixels.data());
    channel.send(MessageType::pixels, {}, pixels.data(), pixels.size());
  } catch (const Error& e) {
    FieldWriter to;
    put_error(to, e);
    channel.send(MessageType::read_failed, to.bytes());
  }
}

/// Runs the transfer in the worker. Throws Disconnected if the worker fails. Repeats the transfer's own exceptions
/// here: Error, Cancelled, or std::runtime_error for a bug. `last` receives the latest progress. `check_cancelled`
/// throws Cancelled if the user cancels.
Layer run_remotely(Channel& channel, const WorkerAddress& address, bool started, const Scene& scene, const Request& request,
                   Progress& last, const std::function<void()>& check_cancelled, Report& report) {
  Message hello;
  try {
    hello = channel.receive(started ? address.hello_timeout : address.answer_timeout);
  } catch (const Silent&) {
    end_listener(channel.fd(), true);
    throw Disconnected("no hello");
  }
  FieldReader hello_fields(hello.fields);
  if (hello.type != MessageType::hello || hello_fields.get<std::string>() != this_build()) throw Disconnected("another version");
  if (!hello_fields.get<bool>()) throw Disconnected("busy");

  FieldWriter to;
  put_request(to, request);
  put_scene(to, scene);
  channel.send(MessageType::run, to.bytes());
  const std::vector<const Raster*> rasters = rasters_of(scene);
  const Rect canvas = scene.target->extent();
  const std::uint64_t most_pixels = std::uint64_t(std::max(canvas.width, 0)) * std::uint64_t(std::max(canvas.height, 0)) * 4;
  for (;;) {
    Message message = channel.receive(address.silence_timeout, most_pixels);
    FieldReader fields(message.fields);
    switch (message.type) {
      case MessageType::alive:
        break;
      case MessageType::read:
        send_pixels(channel, rasters, message.fields);
        break;
      case MessageType::progress:
        last = fields.get<Progress>();
        check_cancelled();
        break;
      case MessageType::layer: {
        report = get_report(fields);
        Layer layer;
        layer.area = fields.get<Rect>();
        layer.rgba = std::move(message.pixels);
        const bool complete = layer.area.width >= 0 && layer.area.height >= 0 &&
                              layer.rgba.size() == std::size_t(layer.area.width) * std::size_t(layer.area.height) * 4;
        if (!complete) throw Disconnected("not that many pixels");
        return layer;
      }
      case MessageType::error:
        throw get_error(fields);
      case MessageType::bug:
        throw std::runtime_error(fields.get<std::string>());
      case MessageType::cancelled:
        throw Cancelled();
      case MessageType::not_served:
        throw NotServed();
      default:
        throw Disconnected("not an answer");
    }
  }
}

}  // namespace

Layer run_in_worker(const WorkerAddress& address, const Runner& run_locally, const Scene& scene, const Request& request,
                    const ProgressCallback& progress, Report& report) {
  Progress last;
  const auto check_cancelled = [&] {
    if (progress && !progress(last)) throw Cancelled();
  };
  constexpr int kMostWorkers = 2;  // one that is not for this request, and a new one
  for (int i = 0; i < kMostWorkers; ++i) {
    bool started = false;
    Channel channel(connected(address, check_cancelled, started));
    channel.while_waiting(check_cancelled);
    if (channel.fd() < 0) break;
    try {
      return run_remotely(channel, address, started, scene, request, last, check_cancelled, report);
    } catch (const NotServed&) {
      continue;
    } catch (const Silent&) {
      end_listener(channel.fd(), false);  // otherwise the next transfer would wait for it, too
    } catch (const Disconnected&) {
    }
    break;
  }
  return run_locally(scene, request, progress, report);
}

}  // namespace geometry_transfer::worker
