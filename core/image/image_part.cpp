// SPDX-License-Identifier: GPL-3.0-or-later
/// The image part as hosts see it.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <opencv2/core/utility.hpp>

#include "image/edit.h"
#include "image/image_pipeline.h"
#include "image/kept_reference.h"
#include "image/preview.h"
#include "request/text.h"

namespace geometry_transfer {
namespace {

/// Reports each stage to the callback, and records its time in seconds.
class Clock {
 public:
  Clock(const ProgressCallback& progress, Report& report) : progress_(progress), report_(report) {}
  void enter(Stage stage, double fraction) {
    if (progress_ && !progress_({stage, 0, 0, fraction, -1})) throw Cancelled();
    started_ = std::chrono::steady_clock::now();
    stage_ = stage;
  }
  void leave() {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    report_.stages.push_back({stage_, seconds});
    report_.seconds += seconds;
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) report_.peak_memory = std::uint64_t(usage.ru_maxrss) * 1024;
  }

 private:
  const ProgressCallback& progress_;
  Report& report_;
  Stage stage_ = Stage::read;
  std::chrono::steady_clock::time_point started_;
};

/// Runs `work`. Turns out-of-memory exceptions of OpenCV and of the allocator into an Error for the user.
template <class Work>
decltype(auto) with_memory(const Report& report, Work work) {
  try {
    return work();
  } catch (const cv::Exception& e) {
    if (e.code != cv::Error::StsNoMem) throw;
  } catch (const std::bad_alloc&) {
  }
  if (report.rectangle.empty())
    throw error(Error::Kind::system, _("Out of memory: choose a smaller picture, or close other programs."));
  throw error(
      Error::Kind::system,
      _("There is not enough memory to edit an area of {0} x {1} pixels: choose a smaller selection, or scale the image down."),
      report.rectangle.width, report.rectangle.height);
}

/// A preview whose render() reports lack of memory in the same way.
class GuardedPreview : public Preview {
 public:
  explicit GuardedPreview(std::unique_ptr<Preview> inner) : inner_(std::move(inner)) {}
  const View& target() override { return inner_->target(); }
  const View& render(const Request& request) override {
    return with_memory({}, [&]() -> const View& { return inner_->render(request); });
  }
  const GeometryDecisions& decided() const override { return inner_->decided(); }

 private:
  std::unique_ptr<Preview> inner_;
};

}  // namespace

void use_threads(int threads) {
  if (threads <= 0) return cv::setNumThreads(-1);
  // Setting the number restarts OpenCV's threads. Several edits may run at once with one thread each, so the same
  // number is not set again.
  const int wanted = std::min(threads, cv::getNumberOfCPUs());
  if (cv::getNumThreads() != wanted) cv::setNumThreads(wanted);
}

namespace {

class Part : public ImagePart {
 public:
  Layer edit(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) const override {
    validate(request);
    return with_memory(report, [&] {
      Clock clock(progress, report);
      use_threads(request.threads);
      report.threads = cv::getNumThreads();
      clock.enter(Stage::read, 0);
      WorkingImages images = read_working_images(scene, request, 0, 1);
      report.rectangle = images.area.rect;
      report.mask_share = images.area.mask_share;
      clock.leave();
      clock.enter(Stage::edit, 0.4);
      edit_onto(images, request, images.target, &report.decided);  // in place: a large rectangle fits only once
      clock.leave();
      clock.enter(Stage::composite, 0.9);
      Layer layer = composite(images, images.target, request);
      clock.leave();
      if (progress) progress({Stage::composite, 0, 0, 1, 0});
      return layer;
    });
  }

  std::vector<BlendLayer> separate(const Scene& scene, const Request& request, const Layer& result) const override {
    validate(request);
    return with_memory({}, [&] {
      use_threads(request.threads);
      // The layers do not depend on what a model reads, and a model's working rectangle may differ.
      Request edit_alone = request;
      edit_alone.correction = 0;
      return geometry_transfer::separate(read_working_images(scene, edit_alone, 0, 1), request, result);
    });
  }

  std::unique_ptr<Preview> preview(const Scene& scene, Size bounds, const Placement& placement) const override {
    return with_memory({}, [&]() -> std::unique_ptr<Preview> {
      return std::make_unique<GuardedPreview>(make_preview(scene, bounds, placement));
    });
  }

  std::unique_ptr<KeptReference> keep_reference(std::uint64_t limit, bool fixed) const override {
    return std::make_unique<ReferenceCache>(limit, fixed);
  }
};

}  // namespace
}  // namespace geometry_transfer

extern "C" GT_EXPORT const geometry_transfer::ImagePart* geometry_transfer_image_part(int abi) {
  static const geometry_transfer::Part part;
  return abi == geometry_transfer::kAbi ? &part : nullptr;
}
