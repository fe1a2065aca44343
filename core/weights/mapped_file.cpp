// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <mutex>

#include "request/text.h"

namespace geometry_transfer {
namespace {
Error cannot_read(const std::string& path) {
  return error(Error::Kind::model, _("{0} cannot be read: {1}."), path, std::strerror(errno));
}
Error changed(const std::string& path) {
  return error(Error::Kind::model, _("{0} was changed while it was in use: run again when it is complete."), path);
}

// Data of the SIGBUS handler. It is global because signals are, and made of atomics because a signal handler may use
// nothing else.
struct Watched {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<bool> damaged{false};
  const std::string* path = nullptr;  // not for the handler
};
constexpr int kMostMappings = 4096;  // files: four parts (UNet, VAE, two text encoders) of at most 1000 each
Watched watched[kMostMappings];
struct sigaction before;  // who handled SIGBUS
std::uintptr_t page_size = 4096;

void on_bus_error(int number, siginfo_t* info, void* context) {
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  const int saved_errno = errno;
  for (Watched& w : watched) {
    const std::uintptr_t begin = w.begin.load(), end = w.end.load();
    if (at < begin || at >= end) continue;
    // Replace all pages from here to the end at once, because they are usually lost, too. The result is discarded
    // anyway.
    const std::uintptr_t page = at / page_size * page_size;
    if (mmap(reinterpret_cast<void*>(page), end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
      break;
    w.damaged.store(true);
    errno = saved_errno;
    return;
  }
  errno = saved_errno;
  if (before.sa_flags & SA_SIGINFO)
    before.sa_sigaction(number, info, context);
  else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
    before.sa_handler(number);
  else
    signal(SIGBUS, SIG_DFL);  // the fault comes again and ends the process
}

int watch(const std::byte* data, std::uint64_t size, const std::string& path) {
  static std::once_flag installed;
  std::call_once(installed, [] {
    page_size = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &before);
  });
  for (int i = 0; i < kMostMappings; ++i) {
    bool free = false;
    if (!watched[i].taken.compare_exchange_strong(free, true)) continue;
    watched[i].path = &path;
    watched[i].damaged = false;
    watched[i].begin = reinterpret_cast<std::uintptr_t>(data);
    watched[i].end = reinterpret_cast<std::uintptr_t>(data) + size;
    return i;
  }
  return -1;
}

void unwatch(int place) {
  if (place < 0) return;
  watched[place].end = 0;
  watched[place].begin = 0;
  watched[place].taken = false;
}

}  // namespace

MappedFile::MappedFile(const std::string& path) : path_(path) {
  // Not blocking: opening a named pipe that nobody writes would wait for ever.
  file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file_ < 0) throw cannot_read(path);
  struct stat info {};
  const auto refuse = [&](const Error& why) {
    close(file_);
    throw why;
  };
  if (fstat(file_, &info) != 0) refuse(cannot_read(path));
  if (!S_ISREG(info.st_mode)) refuse(error(Error::Kind::model, _("{0} is not a file."), path));
  if (info.st_size == 0) refuse(error(Error::Kind::model, _("{0} is empty: download it again."), path));
  size_ = static_cast<std::uint64_t>(info.st_size);
  if (size_ > std::numeric_limits<std::size_t>::max())
    refuse(error(Error::Kind::model, _("{0} is too large for this machine."), path));
  void* mapped = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file_, 0);
  if (mapped == MAP_FAILED) refuse(cannot_read(path));
  data_ = static_cast<const std::byte*>(mapped);
  modified_s_ = info.st_mtim.tv_sec;
  modified_ns_ = info.st_mtim.tv_nsec;
  watch_ = watch(data_, size_, path_);
  if (watch_ >= 0) return;
  munmap(mapped, size_);
  refuse(error(Error::Kind::model, _("{0}: more than {1} model files are open."), path, kMostMappings));
}

MappedFile::~MappedFile() {
  unwatch(watch_);
  munmap(const_cast<std::byte*>(data_), size_);
  close(file_);
}

void MappedFile::check() const {
  struct stat info {};
  const bool damaged = watch_ >= 0 && watched[watch_].damaged;
  if (!damaged && fstat(file_, &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size_ &&
      info.st_mtim.tv_sec == modified_s_ && info.st_mtim.tv_nsec == modified_ns_)
    return;
  throw changed(path_);
}

std::string MappedFile::identity() const {
  struct stat info {};
  timespec now{};
  if (fstat(file_, &info) != 0 || clock_gettime(CLOCK_REALTIME, &now) != 0) return {};
  constexpr std::int64_t kCoarsest = 2;
  if (std::max(info.st_mtim.tv_sec, info.st_ctim.tv_sec) + kCoarsest >= now.tv_sec) return {};
  return fmt::format("{}:{}:{}:{}.{:09}:{}.{:09}", info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec,
                     info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

void MappedFile::forget(const std::byte* data, std::uint64_t size) const {
  const auto first = (reinterpret_cast<std::uintptr_t>(data) + page_size - 1) / page_size * page_size;
  const auto last = (reinterpret_cast<std::uintptr_t>(data) + size) / page_size * page_size;
  if (last > first) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void require_intact_mappings() {
  for (const Watched& w : watched)
    if (w.taken && w.damaged) throw changed(*w.path);
}

}  // namespace geometry_transfer
