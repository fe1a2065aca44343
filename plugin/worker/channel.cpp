// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace geometry_transfer::worker {
namespace {

struct Head {
  MessageType type;
  std::uint32_t mark;
  std::uint64_t fields, pixels;  // bytes, floats
};
constexpr std::uint32_t kMark = 0x47543031;
constexpr std::uint64_t kMostFields = 1 << 20;  // bytes; no message has more

/// Waits until the socket can be read or written; throws Silent after `limit`. The limit starts again with each
/// piece of data, so a large message does not time out. `between` (may be empty) is called every 100 ms.
void wait_for(int fd, short event, Milliseconds limit, const std::function<void()>& between) {
  constexpr Milliseconds slice(100);
  pollfd polled = {fd, event, 0};
  for (Milliseconds waited(0);; waited += slice) {
    const Milliseconds now = limit.count() < 0 ? slice : std::min(slice, limit - waited);
    const int ready = poll(&polled, 1, static_cast<int>(now.count()));
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw Disconnected("poll failed");
    if (limit.count() >= 0 && waited + slice >= limit) throw Silent("silent");
    if (between) between();
  }
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

void Channel::send(MessageType type, const std::string& fields, const float* pixels, std::size_t count, Milliseconds limit) {
  const std::lock_guard<std::mutex> whole(sending_);
  const Head head = {type, kMark, fields.size(), count};
  send_all(&head, sizeof head, limit);
  send_all(fields.data(), fields.size(), limit);
  send_all(pixels, count * sizeof(float), limit);
}

Message Channel::receive(Milliseconds limit, std::uint64_t most_pixels) {
  Head head;
  receive_all(&head, sizeof head, limit);
  if (head.mark != kMark || head.fields > kMostFields || head.pixels > most_pixels) throw Disconnected("invalid message head");
  Message message;
  message.type = head.type;
  message.fields.resize(head.fields);
  receive_all(&message.fields[0], head.fields, limit);
  message.pixels.resize(head.pixels);
  receive_all(message.pixels.data(), head.pixels * sizeof(float), limit);
  return message;
}

void Channel::send_all(const void* data, std::size_t count, Milliseconds limit) {
  const char* from = static_cast<const char*>(data);
  while (count > 0) {
    const ssize_t sent = ::send(socket_.get(), from, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      from += sent;
      count -= sent;
    } else if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_for(socket_.get(), POLLOUT, limit, {});
    } else if (sent >= 0 || errno != EINTR) {
      throw Disconnected("gone");
    }
  }
}

void Channel::receive_all(void* data, std::size_t count, Milliseconds limit) {
  char* to = static_cast<char*>(data);
  while (count > 0) {
    const ssize_t got = recv(socket_.get(), to, count, MSG_DONTWAIT);
    if (got > 0) {
      to += got;
      count -= got;
    } else if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      wait_for(socket_.get(), POLLIN, limit, while_waiting_);
    } else if (got == 0 || errno != EINTR) {
      throw Disconnected("gone");
    }
  }
}

}  // namespace geometry_transfer::worker
