// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/endpoint.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

namespace geometry_transfer::worker {
namespace {

constexpr std::size_t kMostDescriptors = 8;
constexpr char kSelf[] = "/proc/self/exe";
constexpr char kProtocol[] = "geometry-transfer 1";  // the number rises when the messages change

/// Fills `address`. Returns false if the path is empty or too long for a socket.
bool set_address(sockaddr_un& address, const std::string& path) {
  address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return false;
  path.copy(address.sun_path, path.size());
  return true;
}

Fd new_socket() { return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

/// Returns true for a folder (not a link) of this user that nobody else can enter.
bool is_private(const std::string& folder) {
  struct stat info = {};
  return lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == getuid() && (info.st_mode & 077) == 0;
}

std::string folder_of(const std::string& path) { return path.substr(0, std::min(path.size(), path.rfind('/'))); }

/// Returns the path of a listening socket, or "".
std::string path_of(int listener) {
  sockaddr_un address = {};
  socklen_t size = sizeof address;
  const bool known = getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return known && address.sun_path[0] == '/' ? address.sun_path : "";
}

/// Tries once; returns 0 or errno.
int try_to_connect(int fd, const std::string& path) {
  sockaddr_un address;
  if (!set_address(address, path)) return ENAMETOOLONG;
  return connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
}

/// Returns true if this errno of connect() means that nobody listens.
bool means_nobody(int reason) { return reason == ECONNREFUSED || reason == ENOENT; }

/// Removes the sockets of workers that were killed.
void remove_dead_sockets(const std::string& folder) {
  DIR* list = opendir(folder.c_str());
  if (!list) return;
  while (const dirent* entry = readdir(list)) {
    const std::string path = folder + "/" + entry->d_name;
    struct stat info = {};
    if (lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) continue;
    const Fd probe = new_socket();
    if (probe && try_to_connect(probe.get(), path) == ECONNREFUSED) unlink(path.c_str());
  }
  closedir(list);
}

/// Returns true if the process at the other end belongs to this user. `peer` receives its ids.
bool has_this_users_id(int fd, ucred& peer) {
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == getuid();
}

std::string link_of(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t length = readlink(path.c_str(), target, sizeof target);
  return length < 0 ? "" : std::string(target, length);
}

/// Replaces this process by the worker. Runs between fork and exec, so it makes only async-signal-safe calls.
[[noreturn]] void exec_worker(char** arguments, const int* descriptors, int count) {
  const int null = open("/dev/null", O_RDWR);
  int above[kMostDescriptors];
  for (int i = 0; i < count; ++i) above[i] = fcntl(descriptors[i], F_DUPFD, 64);  // 64 and up, so 3, 4, ... stay free
  for (int fd = 0; fd < 3; ++fd) dup2(null, fd);
  for (int i = 0; i < count; ++i) dup2(above[i], 3 + i);
  // Closes GIMP's pipes, too. If they stayed open, GIMP would not see that the plug-in ended.
  if (syscall(SYS_close_range, 3u + count, ~0u, 0u) != 0)
    for (int fd = 3 + count; fd < 65536; ++fd) close(fd);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGCHLD, SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_DFL);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

std::string this_build() {
  struct stat file = {};
  if (stat(kSelf, &file) != 0) return kProtocol;
  return std::string(kProtocol) + " " + std::to_string(file.st_dev) + " " + std::to_string(file.st_ino) + " " +
         std::to_string(file.st_mtim.tv_sec) + "." + std::to_string(file.st_mtim.tv_nsec);
}

std::string socket_path(int gimp_pid) {
  std::string folder = "/tmp/geometry-transfer-" + std::to_string(getuid());
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR"); runtime && runtime[0] == '/' && is_private(runtime))
    folder = std::string(runtime) + "/geometry-transfer";
  mkdir(folder.c_str(), 0700);
  if (!is_private(folder)) return "";
  return folder + "/" + std::to_string(gimp_pid) + "-" + std::to_string(std::hash<std::string>{}(this_build()));
}

Fd listen_at(const std::string& path) {
  const std::string folder = folder_of(path);
  if (!is_private(folder)) return Fd();
  // If two plug-ins start at the same time, the second must not remove the new socket of the first.
  const Fd lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || flock(lock.get(), LOCK_EX | LOCK_NB) != 0) return Fd();
  remove_dead_sockets(folder);
  Fd listener = new_socket();
  sockaddr_un address;
  if (!listener || !set_address(address, path) ||
      bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(listener.get(), 16) != 0)
    return Fd();
  return listener;
}

Fd connect_to(const std::string& path, Milliseconds limit, const std::function<void()>& while_waiting, bool* nobody) {
  constexpr Milliseconds pause(50);
  const auto end = std::chrono::steady_clock::now() + limit;
  if (nobody) *nobody = false;
  for (;;) {
    Fd connection = new_socket();
    if (!connection || !is_private(folder_of(path))) return Fd();
    const int reason = try_to_connect(connection.get(), path);
    ucred peer = {};
    if (reason == 0) return has_this_users_id(connection.get(), peer) ? std::move(connection) : Fd();
    if (nobody) *nobody = means_nobody(reason);
    if (reason != EAGAIN || std::chrono::steady_clock::now() >= end) return Fd();  // EAGAIN: its queue is full
    if (while_waiting) while_waiting();
    std::this_thread::sleep_for(pause);
  }
}

std::string socket_folder(int listener) { return folder_of(path_of(listener)); }

void remove_socket(int listener) {
  if (const std::string path = path_of(listener); !path.empty()) unlink(path.c_str());
}

Fd accept_from(int listener) {
  Fd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  ucred peer = {};
  if (!connection || !has_this_users_id(connection.get(), peer)) return Fd();
  return connection;
}

Fd watch(int pid) {
#ifdef SYS_pidfd_open
  return Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
#else
  (void)pid;
  return Fd();
#endif
}

bool start_detached(const std::vector<std::string>& arguments, const std::vector<int>& descriptors) {
  if (descriptors.size() > kMostDescriptors) return false;
  std::vector<std::string> all = {link_of(kSelf)};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : all) argv.push_back(&argument[0]);
  argv.push_back(nullptr);

  const pid_t between = fork();
  if (between < 0) return false;
  if (between == 0) {
    setsid();
    const pid_t worker = fork();
    if (worker == 0) exec_worker(argv.data(), descriptors.data(), static_cast<int>(descriptors.size()));
    _exit(worker < 0 ? 1 : 0);
  }
  int status = 0;
  while (waitpid(between, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void end_listener(int connection, bool only_if_stopped) {
  ucred peer = {};
  if (!has_this_users_id(connection, peer) || peer.pid <= 1 || peer.pid == getpid()) return;
  const std::string process = "/proc/" + std::to_string(peer.pid);
  if (link_of(process + "/exe") != link_of(kSelf)) return;
  std::ifstream in(process + "/stat");
  const std::string line((std::istreambuf_iterator<char>(in)), {});
  const std::size_t name_end = line.rfind(") ");  // the name before it may hold any character
  const char state = name_end == std::string::npos || name_end + 2 >= line.size() ? '?' : line[name_end + 2];
  if (!only_if_stopped || state == 'T' || state == 't') kill(peer.pid, SIGKILL);
}

}  // namespace geometry_transfer::worker
