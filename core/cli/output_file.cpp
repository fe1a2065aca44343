// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <utility>

#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// 0, or why not all of it was written.
int write_all(int file, const std::vector<unsigned char>& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t now = write(file, bytes.data() + done, bytes.size() - done);
    if (now < 0 && errno != EINTR) return errno;
    if (now == 0) return ENOSPC;
    if (now > 0) done += static_cast<std::size_t>(now);
  }
  return 0;
}

/// Where the bytes go: a link stays, what it names is replaced.
std::string end_of_links(const std::string& path) {
  std::error_code none;
  return fs::is_symlink(path, none) ? fs::weakly_canonical(path, none).string() : path;
}

std::string temporary_name(const std::string& end) { return end + ".XXXXXX"; }

/// A pipe or a device takes the bytes, it is not replaced.
bool takes_bytes(const struct stat& there) { return !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode); }

Error cannot_write(const std::string& path, int reason) {
  return error(Error::Kind::system, _("\"{0}\" cannot be written: {1}."), path, std::strerror(reason));
}

/// A whole file beside its place; gone again when it is not put there.
class StagedFile {
 public:
  explicit StagedFile(const NewFile& made) : made_(made), end_(end_of_links(made.path)) {
    struct stat old {};
    const bool exists = stat(made.path.c_str(), &old) == 0;
    if (exists && takes_bytes(old)) return;
    std::string name = temporary_name(end_);
    const int file = mkstemp(name.data());
    if (file < 0) throw cannot_write(made.path, errno);
    int reason = write_all(file, made.bytes);
    const mode_t others = umask(0);
    umask(others);
    const mode_t mode = exists ? old.st_mode & 0777 : 0666 & ~others;  // what was closed to others stays closed
    if (reason == 0 && (fchmod(file, mode) != 0 || fsync(file) != 0)) reason = errno;
    close(file);
    if (reason != 0) unlink(name.c_str());
    if (reason != 0) throw cannot_write(made.path, reason);
    temporary_ = std::move(name);  // nothing that could fail while the file is there
  }
  ~StagedFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }
  StagedFile(const StagedFile&) = delete;

  void put() {
    if (temporary_.empty()) {
      const int file = open(made_.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
      const int reason = file < 0 ? errno : write_all(file, made_.bytes);
      if (file >= 0) close(file);
      if (reason != 0) throw cannot_write(made_.path, reason);
      return;
    }
    if (rename(temporary_.c_str(), end_.c_str()) != 0) throw cannot_write(made_.path, errno);
    temporary_.clear();
  }

 private:
  const NewFile& made_;
  std::string end_, temporary_;  // empty: the bytes go into what is there
};

}  // namespace

void check_place(const std::string& path) {
  struct stat there {};
  if (stat(path.c_str(), &there) == 0 && takes_bytes(there)) return;
  if (S_ISDIR(there.st_mode)) throw cannot_write(path, EISDIR);
  const std::string end = end_of_links(path);
  const fs::path parent = fs::path(end).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::error_code none;
  if (!fs::is_directory(folder, none)) throw error(Error::Kind::input, _("There is no folder \"{0}\" to write to."), folder);
  if (access(folder.c_str(), W_OK) != 0)
    throw error(Error::Kind::system, _("The folder \"{0}\" cannot be written to: {1}."), folder, std::strerror(errno));
  if (lstat(temporary_name(end).c_str(), &there) != 0 && errno == ENAMETOOLONG) throw cannot_write(path, errno);
}

void write_file(const std::string& path, const std::vector<unsigned char>& bytes) { write_files({{path, bytes}}); }

void write_files(const std::vector<NewFile>& files) {
  std::deque<StagedFile> staged;
  for (const NewFile& file : files) staged.emplace_back(file);
  for (StagedFile& file : staged) file.put();
}

}  // namespace geometry_transfer::cli
