// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/client.h"

#include "worker/endpoint.h"
#include "worker/serialization.h"

namespace geometry_transfer::worker {
namespace {

Fd connected(const WorkerAddress& address) {
  Fd connection = connect_to(address.name);
  if (connection) return connection;
  // The socket listens before the worker lives, so there is nothing to wait for; a second plug-in at this moment finds the name
  // taken.
  if (Fd listener = listen_at(address.name)) address.start(std::move(listener));
  return connect_to(address.name);
}

/// Answers the worker's question for pixels.
void send_pixels(Channel& channel, const std::vector<const Raster*>& rasters, const std::string& fields) {
  FieldReader from(fields);
  const int place = from.get<int>();
  const Rect area = from.get<Rect>();
  const Size size = from.get<Size>();
  if (place < 0 || place >= static_cast<int>(rasters.size()) || !rasters[place]) throw Disconnected("no such raster");
  try {
    std::vector<float> pixels(static_cast<std::size_t>(size.width) * size.height * rasters[place]->channels());
    rasters[place]->read(area, size, pixels.data());
    channel.send(MessageType::pixels, {}, pixels.data(), pixels.size());
  } catch (const Error& e) {
    FieldWriter to;
    put_error(to, e);
    channel.send(MessageType::unread, to.bytes());
  }
}

/// Throws Disconnected wherever the worker fails.
Layer run_remotely(Channel& channel, const WorkerAddress& address, const Scene& scene, const Request& request,
                   const ProgressCallback& progress, Report& report) {
  const Message hello = channel.receive(address.hello_timeout);
  FieldReader hello_fields(hello.fields);
  if (hello.type != MessageType::hello || hello_fields.get<std::string>() != this_build()) throw Disconnected("another version");
  if (!hello_fields.get<bool>()) throw Disconnected("busy");

  FieldWriter to;
  put_request(to, request);
  put_scene(to, scene);
  channel.send(MessageType::run, to.bytes());
  const std::vector<const Raster*> rasters = rasters_of(scene);
  for (;;) {
    Message message = channel.receive(address.silence_timeout);
    FieldReader fields(message.fields);
    switch (message.type) {
      case MessageType::alive:
        break;
      case MessageType::read:
        send_pixels(channel, rasters, message.fields);
        break;
      case MessageType::progress:
        if (progress && !progress(fields.get<Progress>())) throw Cancelled();
        break;
      case MessageType::layer: {
        report = get_report(fields);
        Layer layer;
        layer.area = fields.get<Rect>();
        layer.rgba = std::move(message.pixels);
        return layer;
      }
      case MessageType::error:
        throw get_error(fields);
      case MessageType::bug:
        throw std::runtime_error(fields.get<std::string>());
      case MessageType::cancelled:
        throw Cancelled();
      default:
        throw Disconnected("not an answer");
    }
  }
}

}  // namespace

Layer run_in_worker(const WorkerAddress& address, const Runner& run_locally, const Scene& scene, const Request& request,
                    const ProgressCallback& progress, Report& report) {
  Channel channel(connected(address));
  if (channel.fd() >= 0) try {
      return run_remotely(channel, address, scene, request, progress, report);
    } catch (const Silent&) {
      end_listener(channel.fd());  // or the next transfer would wait for it as long
    } catch (const Disconnected&) {
    }
  return run_locally(scene, request, progress, report);
}

}  // namespace geometry_transfer::worker
