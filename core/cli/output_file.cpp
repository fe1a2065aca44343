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

/// Writes all bytes. Returns 0 or the errno of the failure.
int write_all(int file, const std::vector<unsigned char>& bytes) {
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t now = write(file, bytes.data() + done, bytes.size() - done);
    if (now < 0 && errno != EINTR) return errno;
    if (now == 0) return ENOSPC;
    if (now > 0) done += static_cast<std::size_t>(now);
  }
  return 0;
}

std::string temporary_name(const std::string& end) { return end + ".XXXXXX"; }

/// True for a pipe or a device: the bytes are written into it, and it is not replaced.
bool is_stream(const struct stat& there) { return !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode); }

Error cannot_write(const std::string& path, int reason) {
  return error(Error::Kind::system, _("\"{0}\" cannot be written: {1}."), path, std::strerror(reason));
}

/// A whole temporary file beside its final name. The destructor deletes it unless commit() has renamed it.
class StagedFile {
 public:
  explicit StagedFile(const NewFile& file) : file_(file), path_(resolve_links(file.path)) {
    struct stat old {};
    const bool exists = stat(file.path.c_str(), &old) == 0;
    if (exists && is_stream(old)) return;
    std::string name = temporary_name(path_);
    const int descriptor = mkstemp(name.data());
    if (descriptor < 0) throw cannot_write(file.path, errno);
    int reason = write_all(descriptor, file.bytes);
    const mode_t others = umask(0);
    umask(others);
    const mode_t mode = exists ? old.st_mode & 0777 : 0666 & ~others;  // an existing file keeps its mode
    if (reason == 0 && (fchmod(descriptor, mode) != 0 || fsync(descriptor) != 0)) reason = errno;
    close(descriptor);
    if (reason != 0) unlink(name.c_str());
    if (reason != 0) throw cannot_write(file.path, reason);
    temporary_ = std::move(name);  // from here on the destructor deletes it
  }
  ~StagedFile() {
    if (!temporary_.empty()) unlink(temporary_.c_str());
  }
  StagedFile(const StagedFile&) = delete;

  /// Gives the file its name. The old file is kept aside until finish().
  void commit() {
    if (temporary_.empty()) {
      const int descriptor = open(file_.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
      const int reason = descriptor < 0 ? errno : write_all(descriptor, file_.bytes);
      if (descriptor >= 0) close(descriptor);
      if (reason != 0) throw cannot_write(file_.path, reason);
      return;
    }
    struct stat old {};
    if (lstat(path_.c_str(), &old) == 0 && S_ISREG(old.st_mode)) {
      const std::string aside = temporary_ + ".old";
      // A hard link keeps the old file in place at every moment. On file systems without links, rename it.
      if (link(path_.c_str(), aside.c_str()) == 0 || rename(path_.c_str(), aside.c_str()) == 0) aside_ = aside;
    }
    if (rename(temporary_.c_str(), path_.c_str()) != 0) {
      const int reason = errno;
      take_back();
      throw cannot_write(file_.path, reason);
    }
    temporary_.clear();
    committed_ = true;
  }

  /// Puts back what was there before commit(), or nothing.
  void take_back() noexcept {
    if (!aside_.empty())
      rename(aside_.c_str(), path_.c_str());
    else if (committed_)
      unlink(path_.c_str());
    aside_.clear();
    committed_ = false;
  }

  void finish() noexcept {
    if (!aside_.empty()) unlink(aside_.c_str());
    aside_.clear();
  }

 private:
  const NewFile& file_;
  std::string path_;       // where links lead to
  std::string temporary_;  // "" once it has its name, or if the bytes are written into a pipe or a device
  std::string aside_;      // the old file until finish(); "" if there is none
  bool committed_ = false;
};

}  // namespace

std::string resolve_links(const std::string& path) {
  fs::path end = path;
  std::error_code none;
  constexpr int kMostLinks = 40;  // as the kernel follows
  for (int i = 0; i < kMostLinks; ++i) {
    if (!fs::is_symlink(fs::symlink_status(end, none))) return end.string();
    const fs::path next = fs::read_symlink(end, none);
    end = next.is_absolute() ? next : end.parent_path() / next;
  }
  throw cannot_write(path, ELOOP);
}

void check_place(const std::string& path) {
  struct stat there {};
  if (stat(path.c_str(), &there) == 0 && is_stream(there)) return;
  if (S_ISDIR(there.st_mode)) throw cannot_write(path, EISDIR);
  const std::string end = resolve_links(path);
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
  std::size_t committed = 0;
  try {
    for (StagedFile& file : staged) file.commit(), ++committed;
  } catch (...) {
    while (committed > 0) staged[--committed].take_back();
    throw;
  }
  for (StagedFile& file : staged) file.finish();
}

}  // namespace geometry_transfer::cli
