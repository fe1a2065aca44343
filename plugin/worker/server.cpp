// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "worker/endpoint.h"
#include "worker/serialization.h"

namespace geometry_transfer::worker {
namespace {

constexpr Milliseconds kHeartbeat(1000), kNoLimit(-1);

void say_hello(Channel& channel, bool is_free) {
  FieldWriter hello;
  hello.put(this_build());
  hello.put(is_free);
  channel.send(MessageType::hello, hello.bytes());
}

/// A raster of the plug-in, read over the connection.
class RemoteRaster : public Raster {
 public:
  RemoteRaster(Channel& channel, int index, const RasterShape& shape) : channel_(channel), index_(index), shape_(shape) {}
  int channels() const override { return shape_.channels; }
  Rect extent() const override { return shape_.extent; }
  void read(const Rect& area, Size size, float* out) const override {
    const std::size_t count = static_cast<std::size_t>(size.width) * size.height * shape_.channels;
    try {
      FieldWriter wanted;
      wanted.put(index_);
      wanted.put(area);
      wanted.put(size);
      channel_.send(MessageType::read, wanted.bytes());
      const Message got = channel_.receive(kNoLimit, count);
      if (got.type == MessageType::read_failed) {
        FieldReader fields(got.fields);
        throw get_error(fields);
      }
      if (got.type != MessageType::pixels || got.pixels.size() != count) throw Disconnected("not what was asked for");
      std::copy(got.pixels.begin(), got.pixels.end(), out);
    } catch (const Disconnected&) {
      throw Cancelled();  // the plug-in has left
    }
  }

 private:
  Channel& channel_;
  int index_;
  RasterShape shape_;
};

/// A thread that runs during a transfer. It tells the plug-in that the worker lives, tells other callers that it is
/// busy, and ends the process when GIMP ends.
class Heartbeat {
 public:
  Heartbeat(Channel& channel, int listener, int watched)
      : channel_(channel), listener_(listener), watched_(watched), thread_([this] { beat(); }) {}
  ~Heartbeat() {
    stopping_ = true;
    const char word = 0;
    (void)!write(wake_[1], &word, 1);
    thread_.join();
    close(wake_[0]);
    close(wake_[1]);
  }
  Heartbeat(const Heartbeat&) = delete;

 private:
  void beat() {
    while (!stopping_) {
      pollfd polled[] = {{wake_[0], POLLIN, 0}, {watched_, POLLIN, 0}, {plugin_gone_ ? -1 : listener_, POLLIN, 0}};
      poll(polled, 3, static_cast<int>(kHeartbeat.count()));
      if (stopping_) return;
      if (polled[1].revents) _exit(0);  // ends the process at once; nobody waits for the result
      try {
        channel_.send(MessageType::alive);
      } catch (const Disconnected&) {
        plugin_gone_ = true;  // the transfer stops at its next step; new callers are served after it
      }
      if (!plugin_gone_ && polled[2].revents) tell_busy();
    }
  }

  void tell_busy() {
    try {
      Channel other(accept_from(listener_));
      if (other.fd() >= 0) say_hello(other, false);
    } catch (const Disconnected&) {  // that plug-in has left already
    }
  }

  Channel& channel_;
  int listener_, watched_, wake_[2] = {-1, -1};
  bool plugin_gone_ = false;  // the plug-in has closed the connection
  std::atomic<bool> stopping_{pipe(wake_) != 0};
  std::thread thread_;
};

/// Serves one connection: hello, one transfer, its result. Passes on NotServed and unexpected exceptions of `run`.
void serve_one(Channel& channel, int listener, int watched, const Runner& run, const Admission& admit) {
  say_hello(channel, true);
  const Message asked = channel.receive(kSilenceLimit);
  if (asked.type != MessageType::run) throw Disconnected("not a request");
  FieldReader fields(asked.fields);
  const Request request = get_request(fields);
  if (admit) admit(request);
  std::deque<RemoteRaster> rasters;
  const Scene scene = get_scene(fields, [&](int index, const RasterShape& shape) {
    rasters.emplace_back(channel, index, shape);
    return &rasters.back();
  });

  const auto progress = [&](const Progress& p) {
    try {
      FieldWriter to;
      to.put(p);
      channel.send(MessageType::progress, to.bytes());
      return true;
    } catch (const Disconnected&) {
      return false;  // the plug-in cancels by closing the connection
    }
  };
  FieldWriter to;
  try {
    Report report;
    const Layer layer = [&] {
      // The heartbeat ends before the result is sent. A caller that comes meanwhile waits, and is not told "busy".
      const Heartbeat pulse(channel, listener, watched);
      return run(scene, request, progress, report);
    }();
    put_report(to, report);
    to.put(layer.area);
    channel.send(MessageType::layer, to.bytes(), layer.rgba.data(), layer.rgba.size());
  } catch (const Error& e) {
    put_error(to, e);
    channel.send(MessageType::error, to.bytes());
  } catch (const Cancelled&) {
    channel.send(MessageType::cancelled);
  } catch (const Disconnected&) {
    throw;
  } catch (const std::exception& e) {
    to.put(std::string(e.what()));
    channel.send(MessageType::bug, to.bytes());
    throw;
  }
}

/// Returns the kB of a line "Name:   123 kB" in a file of /proc; 0 if it is missing.
unsigned long long kilobytes(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.compare(0, name.size(), name) == 0) return std::stoull("0" + line.substr(line.find_first_of("0123456789")));
  return 0;
}

}  // namespace

bool too_large_to_keep(const std::string& proc) {
  const auto spare = kilobytes(proc + "/meminfo", "MemAvailable:");
  return spare > 0 && kilobytes(proc + "/self/status", "RssAnon:") > spare;
}

void prefer_for_oom_kill() {
  constexpr char kScore[] = "/proc/self/oom_score_adj";
  constexpr int kFirst = 500;  // of 1000: above any normal program (0), below processes that ask to be killed first
  int now = kFirst;
  std::ifstream(kScore) >> now;  // the value that GIMP gave; it may be higher already
  if (now < kFirst) std::ofstream(kScore) << kFirst;
}

int serve(Fd listener, Fd watched, Milliseconds idle, const Runner& run, const Admission& admit) {
  struct RemoveSocket {
    int listener;
    ~RemoveSocket() {
      if (listener >= 0) remove_socket(listener);
    }
  } remove{listener.get()};
  // The plug-in called listen() before. The second call makes the kernel name this process to peers (SO_PEERCRED).
  listen(listener.get(), 16);
  for (;;) {
    pollfd polled[] = {{listener.get(), POLLIN, 0}, {watched.get(), POLLIN, 0}};
    const int ready = poll(polled, 2, static_cast<int>(idle.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0 || polled[1].revents) return 0;
    try {
      Channel channel(accept_from(listener.get()));
      if (channel.fd() >= 0) try {
          serve_one(channel, listener.get(), watched.get(), run, admit);
        } catch (const NotServed&) {
          // The path is free before the plug-in hears of it. Afterwards it may belong to the next worker.
          remove_socket(std::exchange(remove.listener, -1));
          listener = Fd();
          channel.send(MessageType::not_served);
          return 0;
        }
    } catch (const Disconnected&) {  // the plug-in cancelled, was killed, or sent no valid request; wait for the next
    } catch (const std::exception&) {
      return 1;  // after a bug, the next transfer gets a new process
    }
    if (too_large_to_keep()) return 0;
  }
}

}  // namespace geometry_transfer::worker
