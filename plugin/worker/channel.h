// SPDX-License-Identifier: GPL-3.0-or-later
/// Messages between a plug-in and the worker that keeps its model: two processes of one user, of one build, on one machine. So
/// plain structures travel as they lie in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace geometry_transfer::worker {

using Milliseconds = std::chrono::milliseconds;

/// The other end is gone, silent for too long, or speaks another language. Never shown to the user.
class Disconnected : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
/// It is there, but says nothing.
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

/// What a message says; in brackets who says it.
enum class Word : std::uint32_t {
  hello,      ///< (worker) version, and whether it is free: the first message of each connection
  run,        ///< (plug-in) request and scene, without pixels
  read,       ///< (worker) raster, area, size: wants these pixels
  pixels,     ///< (plug-in) them
  unread,     ///< (plug-in) an Error instead
  progress,   ///< (worker)
  alive,      ///< (worker) nothing new, once a second
  layer,      ///< (worker) the result: report, area, pixels
  error,      ///< (worker) an Error instead
  bug,        ///< (worker) what another exception said
  cancelled,  ///< (worker)
};

struct Message {
  Word word = Word::alive;
  std::string fields;
  std::vector<float> pixels;
};

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

/// Throws Disconnected past the end.
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

/// One end of a connection. Any thread may send, one receives.
class Channel {
 public:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  Channel(const Channel&) = delete;

  /// Throws Disconnected when the other end is gone, Silent when it takes nothing for `limit`.
  void send(Word word, const std::string& fields = {}, const float* pixels = nullptr, std::size_t count = 0,
            Milliseconds limit = Milliseconds(20000));
  /// Throws Disconnected when the other end is gone, Silent when nothing comes for `limit` (negative: waits for good).
  Message receive(Milliseconds limit);
  int fd() const { return socket_.get(); }

 private:
  void send_all(const void* data, std::size_t count, Milliseconds limit);
  void receive_all(void* data, std::size_t count, Milliseconds limit);

  Fd socket_;
  std::mutex sending_;
};

}  // namespace geometry_transfer::worker
