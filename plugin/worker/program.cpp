// SPDX-License-Identifier: GPL-3.0-or-later
#include "worker/program.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "diffusion/cache_files.h"
#include "geometry-transfer/parts.h"
#include "request/library.h"
#include "request/memory.h"
#include "request/number_text.h"
#include "request/text.h"
#include "worker/client.h"
#include "worker/confinement.h"
#include "worker/endpoint.h"
#include "worker/model_stamp.h"

namespace geometry_transfer::worker {
namespace {

constexpr char kWorkerArgument[] = "--geometry-transfer-worker";
constexpr int kListener = 3, kWatched = 4;  // the worker's descriptors; see start_detached()

/// Returns GEOMETRY_TRANSFER_KEEP; see worker_runner().
Milliseconds keep_time() {
  double seconds = 300;
  if (const char* wish = std::getenv("GEOMETRY_TRANSFER_KEEP"); wish && *wish) {
    seconds = parse_number(wish).value_or(0);
  }
  return Milliseconds(static_cast<long>(seconds > 0 ? std::min(seconds, 1e5) * 1000 : 0));
}

/// Returns what a transfer with this model opens: the model, libraries and their settings, translations, the kernel's
/// figures, the prompt cache; and the socket's folder, to remove the socket at the end.
Places places_for(const std::string& model) {
  Places places;
  places.read = {"/usr", "/lib", "/lib64", "/opt", "/etc", "/proc", "/sys", program_folder(), catalogs_folder()};
  for (auto& more : {library_folders(), places_of(model)}) places.read.insert(places.read.end(), more.begin(), more.end());
#ifdef GT_LIBTORCH
  places.read.push_back(GT_LIBTORCH);
#endif
  if (const std::string cache = make_cache_folder(); !cache.empty()) places.write.push_back(cache);
  if (const std::string folder = socket_folder(kListener); !folder.empty()) places.remove.push_back(folder);
  return places;
}

}  // namespace

bool is_worker(int argc, char** argv) { return argc == 3 && std::strcmp(argv[1], kWorkerArgument) == 0; }

int worker_main(char** argv) {
  prefer_for_oom_kill();
  keep_freed_memory();
  Session session;
  LastModel last_model;
  bool used = false;
  // This process may read one model only, so another model, or another state of its files, needs another process.
  const auto admit = [&](const Request& request) {
    const std::string model = request.model.empty() ? shipped_model().path : request.model;
    if (last_model.update(model)) return;
    if (std::exchange(used, true) || stamp_of(model).empty()) throw NotServed();
    if (may_confine()) confine(places_for(model));
    try {
      diffusion_part();
    } catch (const Error&) {
      throw NotServed();  // a library may lie where a confined process does not look; the plug-in tells if it is missing
    }
  };
  const auto run = [&](const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) {
    struct Trim {
      ~Trim() { malloc_trim(0); }
    } const trim;
    return session.run(scene, request, progress, report);
  };
  return serve(Fd(kListener), Fd(kWatched), Milliseconds(std::atol(argv[2])), run, admit);
}

Runner worker_runner() {
  const Milliseconds keep = keep_time();
  if (keep.count() == 0) return {};
  return [keep](const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) {
    const Runner run_locally = [](const Scene& s, const Request& r, const ProgressCallback& p, Report& report_out) {
      return Session().run(s, r, p, report_out);
    };
    // Instant needs no model and so no worker. A relative model path may not exist in the worker's working directory.
    if (request.correction == 0 || (!request.model.empty() && request.model[0] != '/'))
      return run_locally(scene, request, progress, report);
    const int gimp = getppid();
    WorkerAddress address;
    address.path = socket_path(gimp);
    address.start = [&](Fd listener) {
      const Fd watched = watch(gimp);
      if (watched && getppid() == gimp)  // else GIMP has ended, and `watched` may be another process with its number
        start_detached({kWorkerArgument, std::to_string(keep.count())}, {listener.get(), watched.get()});
    };
    return run_in_worker(address, run_locally, scene, request, progress, report);
  };
}

}  // namespace geometry_transfer::worker
