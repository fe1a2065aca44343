// SPDX-License-Identifier: GPL-3.0-or-later
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "geometry-transfer/models.h"
#include "geometry-transfer/parts.h"
#include "request/text.h"
#include "weights/extra_model_paths.h"
#include "weights/model_files.h"

namespace fs = std::filesystem;

namespace geometry_transfer {
namespace {

// Limits of a search, because a dialog waits for it.

/// Folder levels that are searched: the folder itself and those inside it. Models deeper down are not found.
constexpr int kMaxDepth = 4;
/// Entries of folders that one search reads. The rest is not searched.
constexpr int kMaxEntries = 20000;
/// Models in the list. Further ones are left out.
constexpr std::size_t kMaxModels = 300;
/// Characters of a commit's name in the Hugging Face cache: SHA-256 has 64 digits. A longer name counts as damaged.
constexpr std::size_t kMaxCommit = 64;
constexpr char kExtraPaths[] = "extra_model_paths.yaml";

/// An environment variable that holds an absolute path; empty otherwise (as the XDG specification asks).
fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value && value[0] == '/' ? fs::path(value) : fs::path();
}

fs::path home() {
  if (const fs::path set = variable("HOME"); !set.empty()) return set;
  const passwd* user = getpwuid(getuid());
  return user && user->pw_dir ? fs::path(user->pw_dir) : fs::path("/nonexistent");
}

fs::path or_in_home(const char* name, const char* otherwise) {
  const fs::path set = variable(name);
  return set.empty() ? home() / otherwise : set;
}

/// The user's own folder of models, or a list of such folders (extra_model_paths.yaml); empty if none is set. The value
/// comes from a person, often by hand: `~` is the home, and a relative path starts at the current folder.
fs::path own_models() {
  const char* value = std::getenv("GEOMETRY_TRANSFER_MODELS");
  if (!value || !*value) return {};
  const fs::path place = with_home(value, home());
  std::error_code failed;
  const fs::path whole = fs::absolute(place, failed);
  return failed ? place : whole;
}

bool is_there(const fs::path& path) {
  std::error_code failed;
  return fs::exists(path, failed) && !failed;
}
bool is_folder(const fs::path& path) {
  std::error_code failed;
  return fs::is_directory(path, failed) && !failed;
}
bool is_list(const fs::path& path) { return is_yaml_name(path) && is_there(path) && !is_folder(path); }
bool is_model_folder(const fs::path& path) {
  return is_there(path / "unet" / "config.json") || is_there(path / "model_index.json");
}

bool has_extension(const fs::path& path, std::initializer_list<const char*> extensions) {
  std::string mine = path.extension();
  for (char& c : mine) c = c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;  // whatever the locale
  return std::find(extensions.begin(), extensions.end(), mine) != extensions.end();
}

/// Bytes of all files below, as far as the limits reach.
std::uint64_t size_of(const fs::path& path) {
  std::error_code failed;
  if (!is_folder(path)) {
    const auto size = fs::file_size(path, failed);
    return failed ? 0 : size;
  }
  std::uint64_t total = 0;
  int entries = 0;
  for (fs::recursive_directory_iterator it(path, failed), end; !failed && it != end && ++entries < kMaxEntries;
       it.increment(failed)) {
    if (it.depth() > kMaxDepth) it.disable_recursion_pending();
    std::error_code skip;
    const auto size = it->is_regular_file(skip) ? it->file_size(skip) : 0;
    if (!skip) total += size;
  }
  return total;
}

/// Models found so far; each place on disk once, however many ways lead there.
class Finds {
 public:
  void add(const fs::path& path, const std::string& name = "", bool only_usable = false) {
    std::error_code failed;
    fs::path real = fs::canonical(path, failed);
    if (failed) real = path;
    if (models_.size() >= kMaxModels || !seen_.insert(real).second) return;
    ModelInfo info = inspect_model(path);
    if (!name.empty()) info.name = name;
    if (info.problem.empty() || !only_usable) models_.push_back(std::move(info));
  }
  /// Lists a folder that cannot be looked into, with the reason.
  void add_problem(const fs::path& path, const std::error_code& why) {
    add_problem(path, sentence(_("{0} cannot be read: {1}."), path.string(), why.message()));
  }
  /// Lists what was named as a folder and is none.
  void add_no_folder(const fs::path& path) {
    add_problem(path, std::make_error_code(is_there(path) ? std::errc::not_a_directory : std::errc::no_such_file_or_directory));
  }
  void add_problem(const fs::path& path, const std::string& problem) {
    if (models_.size() >= kMaxModels || !seen_.insert(path).second) return;
    ModelInfo info;
    info.name = (path.has_filename() ? path : path.parent_path()).filename();
    info.path = path;
    info.problem = problem;
    models_.push_back(std::move(info));
  }
  std::vector<ModelInfo>& models() { return models_; }

 private:
  std::set<fs::path> seen_;
  std::vector<ModelInfo> models_;
};

/// Every model in `folder` and below: diffusers folders and checkpoint files.
void search(const fs::path& folder, Finds& finds, std::set<fs::path>& visited, int& entries, int depth = 0) {
  std::error_code failed;
  const fs::path real = fs::canonical(folder, failed);
  if (failed || !visited.insert(real).second) return;  // a loop of links, or a second way here
  std::vector<fs::path> inside;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end && ++entries < kMaxEntries; it.increment(failed))
    inside.push_back(it->path());
  if (failed) finds.add_problem(folder, failed);
  std::sort(inside.begin(), inside.end());
  for (const fs::path& path : inside) {
    if (is_folder(path)) {
      if (is_model_folder(path))
        finds.add(path);
      else if (depth + 1 < kMaxDepth)
        search(path, finds, visited, entries, depth + 1);
    } else if (has_extension(path, {".safetensors", ".ckpt", ".gguf"})) {
      finds.add(path);
    }
  }
}

void search(const fs::path& folder, Finds& finds) {
  std::set<fs::path> visited;
  int entries = 0;
  if (is_folder(folder)) is_model_folder(folder) ? finds.add(folder) : search(folder, finds, visited, entries);
}

/// Returns the current snapshot folder of a repository in the Hugging Face cache.
fs::path current_snapshot(const fs::path& repository) {
  std::string commit;
  std::error_code none;
  if (const fs::path main = repository / "refs" / "main"; fs::is_regular_file(main, none)) std::ifstream(main) >> commit;
  const bool is_name =
      !commit.empty() && commit.size() <= kMaxCommit && commit.find('/') == std::string::npos && commit[0] != '.';
  if (is_name && is_folder(repository / "snapshots" / commit)) return repository / "snapshots" / commit;
  std::error_code failed;
  fs::path newest;
  fs::file_time_type time{};
  for (fs::directory_iterator it(repository / "snapshots", failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code skip;
    const auto written = fs::last_write_time(it->path(), skip);
    if (!skip && (newest.empty() || written > time)) newest = it->path(), time = written;
  }
  return newest;
}

/// https://huggingface.co/docs/huggingface_hub/guides/manage-cache: hub/models--OWNER--NAME/snapshots/COMMIT.
void search_hugging_face(const fs::path& hub, Finds& finds) {
  std::error_code failed;
  int entries = 0;
  for (fs::directory_iterator it(hub, failed), end; !failed && it != end && ++entries < kMaxEntries; it.increment(failed)) {
    std::string name = it->path().filename();
    const std::string prefix = "models--";
    if (name.compare(0, prefix.size(), prefix) != 0) continue;
    name.erase(0, prefix.size());
    if (const auto dashes = name.find("--"); dashes != std::string::npos) name.replace(dashes, 2, "/");
    const fs::path snapshot = current_snapshot(it->path());
    if (snapshot.empty()) continue;
    if (is_model_folder(snapshot)) finds.add(snapshot, name, !is_there(snapshot / "unet"));
    // The cache also holds other models, so files that cannot be used are not listed.
    std::error_code skip;
    for (fs::directory_iterator file(snapshot, skip), last; !skip && file != last; file.increment(skip))
      if (has_extension(file->path(), {".safetensors"})) finds.add(file->path(), "", true);
  }
}

std::vector<fs::path> comfy_roots() {
  const fs::path data = or_in_home("XDG_DATA_HOME", ".local/share");
  return {home() / "ComfyUI",
          home() / "comfyui",
          home() / "Documents" / "ComfyUI",
          "/opt/ComfyUI",
          data / "krita" / "ai_diffusion" / "server" / "ComfyUI",
          data / "krita" / "ai_diffusion" / "server",
          home() / ".var/app/org.kde.krita/data/krita/ai_diffusion/server/ComfyUI",
          home() / ".var/app/org.kde.krita/data/krita/ai_diffusion/server"};
}

/// The lists of further folders: the one that the user names, and those beside a ComfyUI.
std::vector<fs::path> lists_of_folders() {
  std::vector<fs::path> lists;
  if (const fs::path own = own_models(); !own.empty()) lists.push_back(is_list(own) ? own : own / kExtraPaths);
  for (const fs::path& root : comfy_roots()) lists.push_back(root / kExtraPaths);
  return lists;
}

/// Searches the folders of one list, together within the limits of one search.
void search_list(const fs::path& list, Finds& finds) try {
  std::set<fs::path> visited;
  int entries = 0;
  for (const fs::path& folder : read_extra_model_paths(list, home())) {
    if (!is_folder(folder))
      finds.add_no_folder(folder);
    else if (is_model_folder(folder))
      finds.add(folder);
    else
      search(folder, finds, visited, entries);
  }
} catch (const Error& e) {
  finds.add_problem(list, e.what());
}

std::vector<fs::path> checkpoint_folders() {
  std::vector<fs::path> folders;
  const fs::path data = or_in_home("XDG_DATA_HOME", ".local/share");
  if (const fs::path own = own_models(); !own.empty()) folders.push_back(own);
  folders.push_back(data / "geometry-transfer" / "models");
  for (const fs::path& root : comfy_roots())
    for (const char* kind : {"checkpoints", "diffusers"}) folders.push_back(root / "models" / kind);
  for (const char* root : {"stable-diffusion-webui", "stable-diffusion-webui-forge", "stable-diffusion-webui-reForge", "sd-webui",
                           "forge", "automatic"})
    folders.push_back(home() / root / "models" / "Stable-diffusion");
  folders.push_back(home() / "StabilityMatrix" / "Models" / "StableDiffusion");
  folders.push_back(data / "StabilityMatrix" / "Models" / "StableDiffusion");
  return folders;
}

/// Returns the folders in which the shipped model may lie, best first.
std::vector<fs::path> shipped_places() {
  std::vector<fs::path> places;
  if (const fs::path own = own_models(); !own.empty()) places.push_back(own);
  places.push_back(or_in_home("XDG_DATA_HOME", ".local/share") / "geometry-transfer" / "models");
  std::error_code failed;
  const fs::path program = fs::read_symlink("/proc/self/exe", failed);
  if (!failed) {
    places.push_back(program.parent_path() / "models");
    places.push_back(program.parent_path().parent_path() / "share" / "geometry-transfer" / "models");
  }
  places.push_back(GT_INSTALLED_MODELS);
  // A program that was not installed finds the model in the source tree it was built from.
  const std::string build = std::string(GT_BUILD_FOLDER) + "/";
  if (program.string().compare(0, build.size(), build) == 0) places.push_back(GT_SOURCE_MODELS);
  return places;
}

}  // namespace

ModelInfo inspect_model(const std::string& path) {
  ModelInfo info;
  info.path = path;
  try {
    fs::path place(path);
    if (place.filename().empty()) place = place.parent_path();
    info.name = is_folder(place) ? place.filename() : place.stem();
    info.bytes = size_of(place);
    info.family = open_model(path).family;
  } catch (const std::bad_alloc&) {
    info.problem = _("There is not enough memory to read this model: close other programs.");
  } catch (const std::exception& e) {
    info.problem = e.what();
  }
  return info;
}

std::string model_family(const std::string& path) { return path.empty() ? "surface" : inspect_model(path).family; }

ModelInfo shipped_model() {
  for (const fs::path& place : shipped_places())
    if (is_model_folder(place / "surface")) return inspect_model(place / "surface");
  ModelInfo none;
  none.name = "surface";
  none.problem =
      sentence(_("The model that comes with this program is not installed: install the package {0}."), kDiffusionPackage);
  return none;
}

std::vector<ModelInfo> list_models() {
  Finds finds;
  const ModelInfo shipped = shipped_model();
  if (!shipped.path.empty()) finds.add(shipped.path);
  const std::size_t first = finds.models().size();
  try {
    // The other folders are places to try; this one was asked for.
    if (const fs::path own = own_models(); !own.empty() && !is_folder(own) && !is_list(own)) finds.add_no_folder(own);
    for (const fs::path& folder : checkpoint_folders()) search(folder, finds);
    for (const fs::path& list : lists_of_folders())
      if (is_there(list)) search_list(list, finds);
    std::set<fs::path> hubs = {variable("HF_HUB_CACHE"), variable("HUGGINGFACE_HUB_CACHE"),
                               or_in_home("HF_HOME", ".cache/huggingface") / "hub",
                               or_in_home("XDG_CACHE_HOME", ".cache") / "huggingface" / "hub"};
    for (const fs::path& hub : hubs)
      if (!hub.empty() && is_folder(hub)) search_hugging_face(hub, finds);
  } catch (const std::exception&) {
    // Names that no path can hold, or no memory for more: what was found until then is the answer.
  }
  auto& models = finds.models();
  std::sort(models.begin() + static_cast<std::ptrdiff_t>(first), models.end(),
            [](const ModelInfo& a, const ModelInfo& b) { return std::tie(a.name, a.path) < std::tie(b.name, b.path); });
  return models;
}

}  // namespace geometry_transfer
