// SPDX-License-Identifier: GPL-3.0-or-later
/// The story of one transfer. The only file that sees image/, diffusion/ and weights/.
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "diffusion/conditioning.h"
#include "diffusion/harmonize.h"
#include "diffusion/vae.h"
#include "geometry-transfer/transfer.h"
#include "image/stages.h"
#include "request/library.h"
#include "request/memory.h"
#include "request/stage_clock.h"
#include "request/text.h"
#include "runtime/compute.h"
#include "tensor_image.h"
#include "weights/mapped_file.h"
#include "weights/model_files.h"
#include "weights/model_memory.h"
#include "weights/weights.h"

namespace geometry_transfer {
namespace {

/// torch's exceptions carry a stack trace; people get its first line, and memory its own sentence.
Error translated(const c10::Error& e) {
  const std::string what = e.what_without_backtrace();
  if (what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos)
    return error(Error::Kind::system,
                 _("There is not enough memory for this transfer: choose Draft or Instant, or close other programs."));
  return error(Error::Kind::system, _("The model stopped with an error: {0}"), what.substr(0, what.find('\n')));
}

void require_finite(const Tensor& tensor, Stage stage) {
  if (!at::isfinite(tensor).all().item<bool>())
    throw error(Error::Kind::model,
                _("The model gave numbers that are not finite while {0}: choose the precision fp32, or another model."),
                stage_label(stage));
}

class TransferImpl : public Transfer {
 public:
  TransferImpl(const ModelFiles& files, const Request& request, const Compute& compute)
      : name_(files.name),
        model_(request.model),
        precision_(request.precision),
        prediction_(request.prediction),
        compute_(compute),
        scheduler_(files.scheduler),
        native_side_(files.unet.sample_size * files.vae.downscale()),
        vae_(files.vae, Weights(files.vae_weights, compute.vae, compute.device)),
        unet_(files.unet, Weights(files.unet_weights, compute.unet, compute.device)),
        conditioning_(empty_prompt(files, at::kFloat, compute.device)) {}

  bool fits(const Request& request) const override {
    return request.model == model_ && request.precision == precision_ && request.prediction == prediction_;
  }

  Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) override {
    const c10::InferenceMode inference;
    StageClock clock(progress, report);
    report.model = name_;
    report.precision = precision_name(compute_.unet);
    report.threads = request.threads ? request.threads : compute_.threads;
    apply_threads(report.threads);
    try {
      Layer layer = story(scene, request, clock, report);
      require_intact_mappings();  // weights that are mapped must have been there to the end
      return layer;
    } catch (const c10::Error& e) {
      throw translated(e);
    } catch (const std::bad_alloc&) {
      throw error(Error::Kind::system,
                  _("There is not enough memory for this transfer: choose Draft or Instant, or close other programs."));
    }
  }

 private:
  Layer story(const Scene& scene, const Request& request, StageClock& clock, Report& report) {
    // 1. Read what lies round the selection.
    clock.enter(Stage::read);
    const Views views = read_views(scene, request, native_side_, granularity());
    const Size size = views.area.model;
    report.rectangle = views.area.rect;
    report.working = size;
    report.mask_share = views.area.mask_share;

    // 2. Edit: the geometry onto the target, by image processing alone.
    clock.enter(Stage::edit);
    const cv::Mat edited = edit(views, request);

    // 3. Encode what takes part.
    clock.enter(Stage::encode);
    const HarmonizeInput input = encode(views, edited, request);

    // 4. Invert, blend, generate.
    clock.enter(Stage::invert);
    const TimeGrid grid = time_grid(scheduler_, request.noise, request.steps, request.spacing);
    const UNetContext context = unet_.prepare(conditioning_for(size));
    WalkOptions walk;
    walk.iterations = request.iterations;
    walk.tolerance = request.tolerance;
    walk.keep_keys = request.reuse_keys;
    walk.memory_limit = request.memory_mb ? static_cast<size_t>(request.memory_mb) << 20 : static_cast<size_t>(free_memory() / 4);
    Walk walking = Walk::inversion;
    walk.after_call = [&](Walk now, int rows, int done, int of) {
      ++report.unet_calls;
      report.unet_streams += rows;
      if (now != walking) clock.enter(Stage::generate);
      walking = now;
      clock.step(done, of);
    };
    const HarmonizeResult out = harmonize(input, request, grid, {unet_, context, scheduler_.prediction_type}, walk);
    report.residuals = out.residuals;
    require_finite(out.latents, Stage::generate);

    // 5. Decode, and give back what the autoencoder cannot carry.
    clock.enter(Stage::decode);
    const cv::Mat result = edited + request.correction * correction(views, edited, input, out.latents, request);

    // 6. Composite.
    clock.enter(Stage::composite);
    Layer layer = composite(views, result, request);
    report.peak_memory = peak_memory();
    return layer;
  }

  /// Pixels a side must be a multiple of: the VAE's and the UNet's halvings.
  int granularity() const { return vae_.config().downscale() << (unet_.config().block_out_channels.size() - 1); }

  HarmonizeInput encode(const Views& views, const cv::Mat& edited, const Request& request) const {
    const Size size = views.area.model;
    const auto latents = [&](const cv::Mat& pixels) { return vae_.encode(to_tensor(pixels, size)); };
    HarmonizeInput input;
    input.target = latents(views.target);
    input.geometry = latents(edited);
    if (request.output_reads.has(Stream::source))
      for (const Views::Geometry& g : views.geometries) {
        input.sources.push_back(latents(g.source));
        input.source_weights.push_back(g.weight);
      }
    for (const Views::Texture& t : views.textures) {
      input.textures.push_back(latents(t.pixels));
      input.texture_weights.push_back(t.weight);
    }
    input.mask = at::adaptive_avg_pool2d(mask_to_tensor(views.mask, size), input.target.sizes().slice(2));
    require_finite(at::cat({input.target, input.geometry}), Stage::encode);
    return input;
  }

  /// What is added to the edit, over the rectangle: at strength 1, decode(latents) with the share of the residuals that was asked
  /// for.
  cv::Mat correction(const Views& views, const cv::Mat& edited, const HarmonizeInput& input, const Tensor& latents,
                     const Request& request) const {
    const Size size = views.area.model;
    const Tensor decoded = vae_.decode(latents);
    require_finite(decoded, Stage::decode);
    const Tensor edit = to_tensor(edited, size), target = to_tensor(views.target, size);
    double of_edit = 0, of_target = 0;
    switch (request.give_back) {
      case GiveBack::nothing:
        break;
      case GiveBack::edit:
        of_edit = 1;
        break;
      case GiveBack::target:
        of_target = 1;
        break;
      case GiveBack::half:
        of_edit = of_target = 0.5;
        break;
    }
    Tensor result = decoded;
    if (of_edit > 0) result = result + of_edit * (edit - vae_.decode(input.geometry));
    if (of_target > 0) result = result + of_target * (target - vae_.decode(input.target));
    const cv::Mat difference = to_mat(result) - to_mat(edit);
    const cv::Mat over = resampled(difference, {edited.cols, edited.rows});
    return request.correct == Correct::all ? over : shadows_only(over, edited, views.target);
  }

  Conditioning conditioning_for(Size size) const {
    Conditioning c = conditioning_;
    if (unet_.config().text_time) {
      const float ids[] = {static_cast<float>(size.height), static_cast<float>(size.width), 0, 0,
                           static_cast<float>(size.height), static_cast<float>(size.width)};
      c.time_ids = at::tensor(at::ArrayRef<float>(ids), at::kFloat).unsqueeze(0);
    }
    return c;
  }

  std::string name_, model_;
  Precision precision_;
  Prediction prediction_;
  Compute compute_;
  SchedulerConfig scheduler_;
  int native_side_;
  Vae vae_;
  UNet unet_;
  Conditioning conditioning_;
};

class DiffusionPartImpl : public DiffusionPart {
 public:
  std::unique_ptr<Transfer> load(const Request& request, const ProgressCallback& progress, Report& report) const override {
    const c10::InferenceMode inference;
    StageClock clock(progress, report);
    clock.enter(Stage::load);
    try {
      const ModelFiles files = open_model(request.model.empty() ? shipped_model().path : request.model, request.prediction);
      const Compute compute = choose_compute(request, files.vae.force_upcast);
      require_model_memory(files, static_cast<int>(c10::elementSize(compute.unet)));
      apply_threads(compute.threads);
      auto transfer = std::make_unique<TransferImpl>(files, request, compute);
      for (const auto& weights : {files.unet_weights, files.vae_weights, files.text_weights, files.text_2_weights})
        if (weights) forget_all(*weights);
      return transfer;
    } catch (const c10::Error& e) {
      throw translated(e);
    } catch (const std::bad_alloc&) {
      throw error(Error::Kind::system,
                  _("There is not enough memory to load this model: choose a smaller one, or close other programs."));
    }
  }
};

}  // namespace
}  // namespace geometry_transfer

extern "C" GT_EXPORT const geometry_transfer::DiffusionPart* geometry_transfer_diffusion_part(int abi) {
  static const geometry_transfer::DiffusionPartImpl part;
  return abi == geometry_transfer::kAbi ? &part : nullptr;
}
