// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/output_check.h"

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "cli/layer_files.h"
#include "cli/output_file.h"
#include "geometry-transfer/progress.h"
#include "request/text.h"

namespace geometry_transfer::cli {
namespace {

namespace fs = std::filesystem;

/// Device and inode of a file. For a file that does not exist yet: those of its folder, and its name.
using Identity = std::tuple<dev_t, ino_t, std::string>;

bool exists(const Identity& identity) { return std::get<2>(identity).empty(); }

/// Returns nothing for a pipe or device, which many may share, and for a missing folder, which is an Error later.
std::optional<Identity> identity_of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0)
    return S_ISREG(info.st_mode) ? std::optional(Identity(info.st_dev, info.st_ino, "")) : std::nullopt;
  const fs::path end = resolve_links(path);
  const fs::path folder = end.parent_path().empty() ? fs::path(".") : end.parent_path();
  if (stat(folder.c_str(), &info) != 0) return std::nullopt;
  return Identity(info.st_dev, info.st_ino, end.filename().string());
}

class OutputCheck {
 public:
  /// `owner`: the number of the job that reads it.
  void add_input(const std::string& path, std::size_t owner, bool is_target) {
    struct stat info {};
    if (path.empty() || stat(path.c_str(), &info) != 0) return;  // its job says so
    if (const auto identity = identity_of(path)) inputs_.insert({*identity, {path, owner, is_target}});
  }
  void add_output(const std::string& path, std::size_t owner, bool may_be_target) {
    if (path.empty()) return;
    const auto identity = identity_of(path);
    if (!identity) return;
    const auto [other, added] = outputs_.insert({*identity, path});
    if (!added)
      throw error(Error::Kind::input,
                  _("\"{0}\" and \"{1}\" are one file, but each is to be written: give them different names."), other->second,
                  path);
    if (!exists(*identity)) return;
    const auto [first, last] = inputs_.equal_range(*identity);
    for (auto it = first; it != last; ++it) {
      const Input& input = it->second;
      if (may_be_target && input.is_target && input.owner == owner) continue;
      throw error(Error::Kind::input, _("\"{0}\" is to be written, but it is also read as \"{1}\": give it another name."), path,
                  input.path);
    }
  }

 private:
  struct Input {
    std::string path;
    std::size_t owner;
    bool is_target;
  };
  std::multimap<Identity, Input> inputs_;
  std::map<Identity, std::string> outputs_;
};

}  // namespace

void check_outputs(const std::vector<Job>& jobs, const std::string& report, const std::string& batch_list,
                   const StopRequested& stop) {
  OutputCheck check;
  const std::size_t nobody = jobs.size();
  check.add_input(batch_list, nobody, false);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (stop && stop()) throw Cancelled();
    const Job& job = jobs[i];
    check.add_input(job.target, i, true);
    check.add_input(job.source, i, false);
    check.add_input(job.mask, i, false);
    for (const ReferenceFiles& files : job.references)
      check.add_input(files.colour, i, false), check.add_input(files.mask, i, false);
    for (const std::string& texture : job.textures) check.add_input(texture, i, false);
  }
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (stop && stop()) throw Cancelled();
    check.add_output(jobs[i].output, i, true);
    check.add_output(jobs[i].layer, i, false);
    check.add_output(jobs[i].label, i, false);
    if (!jobs[i].layers.empty())
      for (const std::string& path : layer_file_paths(jobs[i].layers)) check.add_output(path, i, false);
  }
  if (report != "json") check.add_output(report, nobody, false);
}

}  // namespace geometry_transfer::cli
