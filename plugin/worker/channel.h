// SPDX-License-Identifier: GPL-3.0-or-later
/// Messages between a plug-in and its worker. Both are processes of one user, one build and one machine, so structures
/// are sent as raw bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace geometry_transfer::worker {

using Milliseconds = std::chrono::milliseconds;
/// Longest silence of the other end inside a transfer: 20 heartbeats of the worker.
constexpr Milliseconds kSilenceLimit(20000);

/// The other end has closed, was silent for too long, or sent an invalid message. Never shown to the user.
class Disconnected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
/// The other end is connected, but did not send or receive data in time.
class Silent : public Disconnected {
 public:
  using Disconnected::Disconnected;
};

/// A file descriptor, closed with its owner.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// The type of a message, with its sender in brackets.
enum class MessageType : std::uint32_t {
  hello,        ///< (worker) build, and whether the worker is free; the first message of each connection
  run,          ///< (plug-in) request and scene, without pixels
  read,         ///< (worker) asks for pixels: raster, area, size
  pixels,       ///< (plug-in) the pixels that were asked for
  read_failed,  ///< (plug-in) an Error instead of pixels
  progress,     ///< (worker)
  alive,        ///< (worker) sent at least once a second during a transfer
  layer,        ///< (worker) the result: report, area, pixels
  error,        ///< (worker) an Error instead of a layer
  bug,          ///< (worker) the text of any other exception
  cancelled,    ///< (worker)
  not_served,   ///< (worker) it ends; a new worker can do it
};

struct Message {
  MessageType type = MessageType::alive;
  std::string fields;
  std::vector<float> pixels;
};

/// Appends values to the fields of a message.
class FieldWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T> && !std::is_pointer_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads the fields of a message in the order in which they were written. Throws Disconnected past the end.
class FieldReader {
 public:
  explicit FieldReader(const std::string& bytes) : bytes_(bytes) {}
  template <class T>
  T get() {
    if constexpr (std::is_same_v<T, std::string>) {
      const auto size = get<std::uint64_t>();
      return std::string(take(size), size);
    } else {
      static_assert(std::is_trivially_copyable_v<T>);
      T value;
      std::memcpy(&value, take(sizeof value), sizeof value);
      return value;
    }
  }

 private:
  const char* take(std::uint64_t count) {
    if (count > bytes_.size() - at_) throw Disconnected("a message ends too early");
    at_ += count;
    return bytes_.data() + at_ - count;
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

/// One end of a connection. Any thread may send; only one may receive.
class Channel {
 public:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  Channel(const Channel&) = delete;

  /// Sends one message. Throws Disconnected if the other end is gone, Silent if it receives nothing for `limit`.
  void send(MessageType type, const std::string& fields = {}, const float* pixels = nullptr, std::size_t count = 0,
            Milliseconds limit = kSilenceLimit);
  /// Receives one message. Throws Disconnected if the other end is gone, Silent if nothing comes for `limit` (negative:
  /// no limit). Refuses a message with more than `most_pixels` floats before it allocates memory.
  Message receive(Milliseconds limit, std::uint64_t most_pixels = 0);
  /// Calls `call` about every 100 ms while receive() waits. An exception from it ends the wait.
  void while_waiting(std::function<void()> call) { while_waiting_ = std::move(call); }
  int fd() const { return socket_.get(); }

 private:
  void send_all(const void* data, std::size_t count, Milliseconds limit);
  void receive_all(void* data, std::size_t count, Milliseconds limit);

  Fd socket_;
  std::mutex sending_;
  std::function<void()> while_waiting_;
};

}  // namespace geometry_transfer::worker
