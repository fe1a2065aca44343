// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/endpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>

namespace geometry_transfer::worker {
namespace {

constexpr char kSelf[] = "/proc/self/exe";
constexpr char kProtocol[] = "geometry-transfer 1";  // counts changes of the messages

sockaddr_un address_of(const std::string& name, socklen_t& size) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;  // sun_path[0] stays 0: abstract
  const std::size_t length = std::min(name.size(), sizeof address.sun_path - 1);
  name.copy(address.sun_path + 1, length);
  size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  return address;
}

Fd new_socket() { return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

bool has_this_users_id(int fd, ucred& peer) {
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == getuid();
}

std::string link_of(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length < 0 ? "" : std::string(target, length);
}

/// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char** line, const int* descriptors, int count) {
  const int null = open("/dev/null", O_RDWR);
  int above[8];
  for (int i = 0; i < count; ++i) above[i] = fcntl(descriptors[i], F_DUPFD, 64);  // out of the way of what is put at 3, 4...
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  for (int i = 0; i < count; ++i) dup2(above[i], 3 + i);
  // GIMP's pipes among them: held open, GIMP would not see that the plug-in ended.
  if (syscall(SYS_close_range, 3u + count, ~0u, 0u) != 0)
    for (int fd = 3 + count; fd < 65536; ++fd) close(fd);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGCHLD, SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  execv(line[0], line);
  _exit(127);
}

}  // namespace

std::string this_build() {
  struct stat file = {};
  if (stat(kSelf, &file) != 0) return kProtocol;
  return std::string(kProtocol) + " " + std::to_string(file.st_dev) + " " + std::to_string(file.st_ino) + " " +
         std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
}

std::string socket_name(int gimp_pid) {
  return "geometry-transfer/" + std::to_string(getuid()) + "/" + std::to_string(gimp_pid) + "/" +
         std::to_string(std::hash<std::string>{}(this_build()));
}

Fd listen_at(const std::string& name) {
  Fd made = new_socket();
  socklen_t size;
  const sockaddr_un address = address_of(name, size);
  if (!made || bind(made.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 || listen(made.get(), 16) != 0)
    return Fd();
  return made;
}

Fd connect_to(const std::string& name) {
  Fd made = new_socket();
  socklen_t size;
  const sockaddr_un address = address_of(name, size);
  ucred peer = {};
  if (!made || connect(made.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      !has_this_users_id(made.get(), peer))
    return Fd();
  return made;
}

Fd accept_from(int listener) {
  Fd made(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  ucred peer = {};
  if (!made || !has_this_users_id(made.get(), peer)) return Fd();
  return made;
}

Fd watch(int pid) {
#ifdef SYS_pidfd_open
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
#else
  (void)pid;
  return Fd();
#endif
}

bool gone(int watched) {
  pollfd one = {watched, POLLIN, 0};
  return poll(&one, 1, 0) > 0;
}

bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors) {
  std::vector<std::string> words = {link_of(kSelf)};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> line;
  for (std::string& word : words) line.push_back(&word[0]);
  line.push_back(nullptr);

  const pid_t between = fork();
  if (between < 0) return false;
  if (between == 0) {
    setsid();
    const pid_t worker = fork();
    if (worker == 0) become(line.data(), descriptors.data(), static_cast<int>(descriptors.size()));
    _exit(worker < 0 ? 1 : 0);
  }
  int status = 0;
  while (waitpid(between, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void end_listener(int connection) {
  ucred peer = {};
  if (!has_this_users_id(connection, peer) || peer.pid <= 1 || peer.pid == getpid()) return;
  if (link_of("/proc/" + std::to_string(peer.pid) + "/exe") == link_of(kSelf)) kill(peer.pid, SIGKILL);
}

}  // namespace geometry_transfer::worker
