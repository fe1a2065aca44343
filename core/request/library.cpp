// SPDX-License-Identifier: GPL-3.0-or-later
/// Opens the image part and the diffusion part at first use. The loader searches their sonames along this executable's
/// run path: its own folder, then the installed library folder.
#include <dlfcn.h>

#include <new>

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
    require_model_memory(request);
    transfer_ = diffusion_part().load(request, progress, report);
  }
  return transfer_->run(scene, request, progress, report);
} catch (const std::bad_alloc&) {
  transfer_.reset();
  throw error(Error::Kind::system, _("Out of memory: choose a smaller picture, or close other programs."));
}

}  // namespace geometry_transfer
