// SPDX-License-Identifier: GPL-3.0-or-later
/// Runs one transfer, stage by stage. The only file that includes image/, diffusion/ and weights/.
#include <c10/core/InferenceMode.h>

#include <limits>
#include <optional>

#include "diffusion/conditioning.h"
#include "diffusion/harmonize.h"
#include "diffusion/kernels/packed.h"
#include "diffusion/vae_tiles.h"
#include "diffusion/window.h"
#include "geometry-transfer/transfer.h"
#include "image/image_pipeline.h"
#include "request/library.h"
#include "request/memory.h"
#include "request/stage_clock.h"
#include "request/text.h"
#include "runtime/compute.h"
#include "tensor_image.h"
#include "weights/mapped_file.h"
#include "weights/model_files.h"
#include "weights/model_memory.h"
#include "weights/tensor_list.h"
#include "weights/weights.h"

namespace geometry_transfer {
namespace {

/// Runs `work` and turns every out-of-memory exception into one Error with the sentence `advice`.
template <class Work>
auto with_memory(const char* advice, Work work) {
  try {
    return work();
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    if (what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos)
      throw error(Error::Kind::system, advice);
    // torch's exceptions carry a stack trace; the user gets the first line only.
    throw error(Error::Kind::system, _("The model stopped with an error: {0}"), what.substr(0, what.find('\n')));
  } catch (const cv::Exception& e) {
    if (e.code != cv::Error::StsNoMem) throw;
  } catch (const std::bad_alloc&) {
  } catch (const std::exception& e) {
    if (!lacks_memory(e)) throw;
  }
  throw error(Error::Kind::system, advice);
}

Error not_finite(Stage stage) {
  return error(Error::Kind::model,
               _("The model gave numbers that are not finite while {0}: choose the precision fp32, or another model."),
               stage_label(stage));
}

void require_finite(const Tensor& tensor, Stage stage) {
  if (!at::isfinite(tensor).all().item<bool>()) throw not_finite(stage);
}

class TransferImpl : public Transfer {
 public:
  TransferImpl(const ModelFiles& files, const Request& request, const Compute& compute)
      : name_(files.name),
        model_(request.model),
        device_(request.device),
        precision_(request.precision),
        prediction_(request.prediction),
        compute_(compute),
        files_(files),
        conditioning_(empty_prompt(files, at::kFloat, compute.device)),
        one_at_a_time_(!compute.device.is_cpu() && free_here() < weight_bytes() + kBesideWeights) {
    files_.text_weights.reset();
    files_.text_2_weights.reset();
    if (one_at_a_time_) return;
    vae();
    unet();
  }

  bool fits(const Request& request) const override {
    return request.model == model_ && request.device == device_ && request.precision == precision_ &&
           request.prediction == prediction_;
  }

  Layer run(const Scene& scene, const Request& request, const ProgressCallback& progress, Report& report) override {
    const c10::InferenceMode inference;
    StageClock clock(progress, report);
    report.model = name_;
    report.device = compute_.device.is_cpu() ? "cpu" : "cuda";
    report.precision = precision_name(compute_.unet);
    report.threads = request.threads ? request.threads : compute_.threads;
    apply_threads(report.threads);
    use_threads(report.threads);
    try {
      return with_memory(_("There is not enough memory for this transfer: choose Draft or Instant, or close other programs."),
                         [&] {
                           Layer layer = run_stages(scene, request, clock, report);
                           require_intact_mappings();  // mapped files must not have changed until here
                           return layer;
                         });
    } catch (const NotFinite&) {
      throw not_finite(clock.stage());
    }
  }

 private:
  /// Bytes that the UNet needs on a GPU beside its weights, with three streams.
  static constexpr std::uint64_t kBesideWeights = std::uint64_t{5} << 29;

  // The networks. A GPU that cannot hold both loads one at a time, from its mapped file.
  const Vae& vae() {
    if (one_at_a_time_) unet_.reset();
    if (!vae_) vae_.emplace(files_.vae, weights(files_.vae_weights, compute_.vae));
    return *vae_;
  }
  const UNet& unet() {
    if (one_at_a_time_) vae_.reset();
    if (!unet_) unet_.emplace(files_.unet, weights(files_.unet_weights, compute_.unet));
    return *unet_;
  }
  Weights weights(const std::shared_ptr<const Checkpoint>& checkpoint, at::ScalarType type) const {
    return Weights(checkpoint, type, compute_.device, keep_narrow(files_));
  }

  std::uint64_t weight_bytes() const {
    return count_numbers(unet_tensors(files_.unet)) * c10::elementSize(compute_.unet) +
           count_numbers(vae_tensors(files_.vae)) * c10::elementSize(compute_.vae);
  }

  /// Returns the free bytes on the device of the networks; the largest number if unknown.
  std::uint64_t free_here() const {
    if (compute_.device.is_cpu()) return free_memory();
    const std::uint64_t free = free_card_memory();
    return free ? free : std::numeric_limits<std::uint64_t>::max();
  }

  /// Returns the side of the VAE's tiles in latents, such that a quarter of the memory stays free. 0: one piece.
  int64_t tile(Size size) const {
    return vae_tile(files_.vae, size.height, size.width, static_cast<int>(c10::elementSize(compute_.vae)), free_here() / 4 * 3);
  }

  Layer run_stages(const Scene& scene, const Request& asked, StageClock& clock, Report& report) {
    const TimeGrid grid = time_grid(files_.scheduler, asked.noise, asked.steps, asked.spacing);
    const Request request = within_range(asked, grid);

    // 1. Read the working rectangle.
    clock.enter(Stage::read);
    const WorkingImages images =
        read_working_images(scene, request, files_.unet.sample_size * files_.vae.downscale(), granularity());
    const Size size = images.area.model;
    report.rectangle = images.area.rect;
    report.working = size;
    report.mask_share = images.area.mask_share;

    // 2. Edit: place the geometry on the target, by image processing only.
    clock.enter(Stage::edit);
    const cv::Mat edited = edit(images, request, &report.decided);

    // 3. Encode the images that the streams need.
    clock.enter(Stage::encode);
    const HarmonizeInput input = encode(images, edited, request, [&] { clock.ask(); });
    report.window_share = share_of(input.window);

    // 4. Invert, blend, generate.
    clock.enter(Stage::invert);
    const UNet& network = unet();
    const UNetContext context = network.prepare(for_size(conditioning_, files_.unet, size));
    SamplingOptions sampling;
    sampling.iterations = request.iterations;
    sampling.tolerance = request.tolerance;
    sampling.keep_keys = request.reuse_keys;
    const std::uint64_t free = free_here();
    sampling.memory_limit = request.memory_mb ? std::min<std::uint64_t>(std::uint64_t(request.memory_mb) << 20, free) : free / 4;
    sampling.after_pass = [&](SamplingPhase phase, int rows, int done, int total) {
      ++report.unet_calls;
      report.unet_streams += rows;
      clock.step(done, total);
      if (phase == SamplingPhase::inversion && done == total) clock.enter(Stage::generate);
    };
    const HarmonizeResult out = harmonize(input, request, grid, {network, context, files_.scheduler.prediction_type}, sampling);
    report.residuals = out.residuals;
    require_finite(out.latents, Stage::generate);

    // 5. Decode, and add the detail that the VAE lost.
    clock.enter(Stage::decode);
    const cv::Mat result =
        edited + request.correction * correction(images, edited, input, out.latents, request, [&] { clock.ask(); });

    // 6. Composite.
    clock.enter(Stage::composite);
    Layer layer = composite(images, result, request);
    report.peak_memory = peak_memory();
    return layer;
  }

  /// Returns the number of pixels that sides must be multiples of, given by the halvings of VAE and UNet.
  int granularity() const { return files_.vae.downscale() << (files_.unet.block_out_channels.size() - 1); }

  static double share_of(const Window& w) {
    return w.empty() ? 1 : static_cast<double>(w.height * w.width) / static_cast<double>(w.canvas_height * w.canvas_width);
  }

  HarmonizeInput encode(const WorkingImages& images, const cv::Mat& edited, const Request& request, const Pause& pause) {
    const Size size = images.area.model;
    const int64_t side = tile(size);
    const auto latents = [&](const cv::Mat& pixels) { return encode_tiled(vae(), to_tensor(pixels, size), side, pause); };
    const Tensor mask = mask_to_tensor(images.mask, size), target = to_tensor(images.target, size),
                 edit = to_tensor(edited, size);
    HarmonizeInput input;
    if (request.window && compute_.device.is_cpu() && side == 0)
      input.window =
          change_window(target, edit, mask, files_.vae.downscale(), int64_t{1} << (files_.unet.block_out_channels.size() - 1));
    if (input.window.empty()) {
      input.target = encode_tiled(vae(), target, side, pause);
      input.geometry = encode_tiled(vae(), edit, side, pause);
    } else {
      const WholeAndWithin encoded = encode_both(vae(), input.window, target, edit, pause);
      input.target = encoded.whole;
      input.geometry = input.window.pasted(encoded.whole, encoded.within);
    }
    if (request.output_reads.has(Stream::source))
      for (const WorkingImages::Geometry& g : images.geometries) {
        input.sources.push_back(latents(g.source));
        input.source_weights.push_back(g.weight);
      }
    for (const WorkingImages::Texture& t : images.textures) {
      input.textures.push_back(latents(t.pixels));
      input.texture_weights.push_back(t.weight);
    }
    input.mask = at::adaptive_avg_pool2d(mask, input.target.sizes().slice(2));
    require_finite(at::cat({input.target, input.geometry}), Stage::encode);
    return input;
  }

  /// Returns the model's correction over the rectangle, CV_32FC3: the difference to the edit at strength 1.
  cv::Mat correction(const WorkingImages& images, const cv::Mat& edited, const HarmonizeInput& input, const Tensor& latents,
                     const Request& request, const Pause& pause) {
    if (request.give_back == GiveBack::nothing) {
      // As in the paper: the decoded picture replaces the edit, and no detail of the edit is added.
      const cv::Mat decoded = to_mat(decode(latents, images.area.model, pause));
      return wanted_part(resampled(decoded, {edited.cols, edited.rows}) - edited, edited, images, request);
    }
    const Tensor edit = to_tensor(edited, images.area.model);
    const Tensor result = with_detail(images, edit, input, latents, request, pause);
    // Only the difference is resampled, so the edit keeps its own resolution.
    return wanted_part(resampled(to_mat(result) - to_mat(edit), {edited.cols, edited.rows}), edited, images, request);
  }

  /// Returns the decoded latents plus the detail that the VAE loses of the edit, of the target, or half of each; (1, 3,
  /// H, W).
  Tensor with_detail(const WorkingImages& images, const Tensor& edit, const HarmonizeInput& input, const Tensor& latents,
                     const Request& request, const Pause& pause) {
    const Size size = images.area.model;
    if (tile(size) == 0 && runs_in_window(input, request) && request.give_back == GiveBack::edit) {
      // Outside the window both decoded pictures agree. So one is decoded whole, the other only inside the window.
      const WholeAndWithin decoded = decode_both(vae(), input.window, input.geometry, latents, pause);
      require_finite(decoded.within, Stage::decode);
      return input.window.pasted(edit, input.window.cut(edit) + decoded.within - input.window.cut(decoded.whole));
    }
    const Tensor target = to_tensor(images.target, size);
    const double of_edit = request.give_back == GiveBack::edit ? 1 : request.give_back == GiveBack::half ? 0.5 : 0;
    Tensor result = decode(latents, size, pause);
    if (of_edit > 0) result = result + of_edit * (edit - decode(input.geometry, size, pause));
    if (of_edit < 1) result = result + (1 - of_edit) * (target - decode(input.target, size, pause));
    return result;
  }

  Tensor decode(const Tensor& latents, Size size, const Pause& pause) {
    const Tensor decoded = decode_tiled(vae(), latents, tile(size), pause);
    require_finite(decoded, Stage::decode);
    return decoded;
  }

  /// Returns the part of the correction that the request asks for.
  static cv::Mat wanted_part(const cv::Mat& correction, const cv::Mat& edited, const WorkingImages& images,
                             const Request& request) {
    return request.correct == Correct::all ? correction : shadows_only(correction, edited, images.target);
  }

  std::string name_, model_;
  Device device_;
  Precision precision_;
  Prediction prediction_;
  Compute compute_;
  ModelFiles files_;  // kept because run() checks that their mapped files did not change
  Conditioning conditioning_;
  bool one_at_a_time_;
  std::optional<Vae> vae_;
  std::optional<UNet> unet_;
};

class DiffusionPartImpl : public DiffusionPart {
 public:
  std::unique_ptr<Transfer> load(const Request& request, const ProgressCallback& progress, Report& report) const override {
    const c10::InferenceMode inference;
    StageClock clock(progress, report);
    clock.enter(Stage::load);
    return with_memory(_("There is not enough memory to load this model: choose a smaller one, or close other programs."),
                       [&]() -> std::unique_ptr<Transfer> {
                         const ModelFiles files =
                             open_model(request.model.empty() ? shipped_model().path : request.model, request.prediction);
                         const Compute compute = choose_compute(request, files.vae.force_upcast);
                         if (compute.device.is_cpu())
                           require_model_memory(files, static_cast<int>(c10::elementSize(compute.unet)));
                         apply_threads(compute.threads);
                         return std::make_unique<TransferImpl>(files, request, compute);
                       });
  }
};

}  // namespace
}  // namespace geometry_transfer

extern "C" GT_EXPORT const geometry_transfer::DiffusionPart* geometry_transfer_diffusion_part(int abi) {
  static const geometry_transfer::DiffusionPartImpl part;
  return abi == geometry_transfer::kAbi ? &part : nullptr;
}
