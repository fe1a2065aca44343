// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "geometry-transfer/progress.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

Error cannot_open(const std::string& path) {
  return error(Error::Kind::input, _("\"{0}\" cannot be opened: {1}."), path, std::strerror(errno));
}

}  // namespace

InputFile::InputFile(const std::string& path)
    : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  // O_NONBLOCK: opening a named pipe that nobody writes would wait for ever.
  struct stat info {};
  if (descriptor_ < 0) throw cannot_open(path);
  const bool known = fstat(descriptor_, &info) == 0;
  if (known && S_ISREG(info.st_mode)) {
    size_ = static_cast<std::uint64_t>(info.st_size);
    return;
  }
  const Error why = !known                  ? cannot_open(path)
                    : S_ISDIR(info.st_mode) ? error(Error::Kind::input, _("\"{0}\" is a folder, not a file."), path)
                                            : error(Error::Kind::input, _("{0} is not a file."), path);
  close(descriptor_);
  throw why;
}

InputFile::~InputFile() { close(descriptor_); }

Bytes InputFile::read(std::uint64_t size, const StopRequested& stop) const {
  constexpr std::size_t kMostAtOnce = 4 << 20;
  Bytes bytes(std::min(size, size_));
  std::size_t done = 0;
  while (done < bytes.size()) {
    if (stop && stop()) throw Cancelled();
    const ssize_t now = pread(descriptor_, &bytes[done], std::min(bytes.size() - done, kMostAtOnce), static_cast<off_t>(done));
    if (now < 0 && errno != EINTR) throw cannot_open(path_);
    if (now == 0) break;
    if (now > 0) done += static_cast<std::size_t>(now);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace geometry_transfer::cli
