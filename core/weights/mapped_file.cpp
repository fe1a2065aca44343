// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <limits>

#include "request/text.h"

namespace geometry_transfer {
namespace {
Error cannot_read(const std::string& path) {
  return error(Error::Kind::model, _("{0} cannot be read: {1}."), path, std::strerror(errno));
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
}

MappedFile::~MappedFile() {
  munmap(const_cast<std::byte*>(data_), size_);
  close(file_);
}

void MappedFile::check() const {
  struct stat info {};
  if (fstat(file_, &info) == 0 && static_cast<std::uint64_t>(info.st_size) == size_ && info.st_mtim.tv_sec == modified_s_ &&
      info.st_mtim.tv_nsec == modified_ns_)
    return;
  throw error(Error::Kind::model, _("{0} was changed while it was in use: run again when it is complete."), path_);
}

}  // namespace geometry_transfer
