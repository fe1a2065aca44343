// SPDX-License-Identifier: GPL-3.0-or-later
/// Opens the image part and the diffusion part at first use. The loader searches their sonames along this executable's
/// run path: its own folder, then the installed library folder.
#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <new>
#include <string>
#include <vector>

#include "geometry-transfer/parts.h"
#include "geometry-transfer/transfer.h"
#include "request/library.h"
#include "request/text.h"
#include "weights/model_memory.h"

namespace geometry_transfer {
namespace {

template <class Part>
const Part& open_part(const char* file, const char* symbol, const char* advice) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) throw error(Error::Kind::system, "{0} ({1})", advice, dlerror());
  const auto entry = reinterpret_cast<const Part* (*)(int)>(dlsym(library, symbol));
  const Part* part = entry ? entry(kAbi) : nullptr;
  if (!part)
    throw error(Error::Kind::system, _("{0} is of another version than this program: install both from the same package."), file);
  return *part;
}

}  // namespace

std::vector<std::string> library_folders() {
  void* const self = dlopen(nullptr, RTLD_LAZY);
  Dl_serinfo needed{};
  if (!self || dlinfo(self, RTLD_DI_SERINFOSIZE, &needed) != 0) return {};
  // The list ends with the folders' texts, so it is larger than its type.
  std::vector<std::max_align_t> room(needed.dls_size / sizeof(std::max_align_t) + 1);
  auto* const list = reinterpret_cast<Dl_serinfo*>(room.data());
  if (dlinfo(self, RTLD_DI_SERINFOSIZE, list) != 0 || dlinfo(self, RTLD_DI_SERINFO, list) != 0) return {};
  std::vector<std::string> folders;
  for (unsigned i = 0; i < list->dls_cnt; ++i) folders.emplace_back(list->dls_serpath[i].dls_name);
  return folders;
}

std::string missing_diffusion_part() {
  for (const std::string& folder : library_folders())
    if (access((folder + "/" + kDiffusionLibrary).c_str(), F_OK) == 0) return {};
  return sentence(
      _("All presets but Instant run a diffusion model, and the part for it is not installed: install the package {0}, or "
        "choose the preset Instant."),
      kDiffusionPackage);
}

const ImagePart& image_part() {
  static const ImagePart& part = open_part<ImagePart>(
      kImageLibrary, kImageEntry, _("The image library cannot be opened: install OpenCV (libopencv-imgproc, libopencv-photo)."));
  return part;
}

const DiffusionPart& diffusion_part() {
  static const DiffusionPart& part = open_part<DiffusionPart>(
      kDiffusionLibrary, kDiffusionEntry,
      _("The diffusion library cannot be opened: install libtorch, or choose the preset Instant, which needs no model."));
  return part;
}

Layer Session::run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) try {
  validate(request);
  if (request.correction == 0) return image_part().edit(scene, request, progress, report);
  if (!warm(request)) {
    transfer_.reset();  // free the old model first: two at once would double the peak memory
    // Said first, because the model that ships is missing with its part.
    if (const std::string missing = missing_diffusion_part(); !missing.empty()) throw Error(Error::Kind::system, missing);
    require_model_memory(request);
    transfer_ = diffusion_part().load(request, progress, report);
  }
  return transfer_->run(scene, request, progress, report);
} catch (const std::bad_alloc&) {
  transfer_.reset();
  throw error(Error::Kind::system, _("Out of memory: choose a smaller picture, or close other programs."));
}

}  // namespace geometry_transfer
