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

/// What runs out of memory says so in many ways; people get one sentence, `advice`.
template <class Work>
auto with_memory(const char* advice, Work work) {
  try {
    return work();
  } catch (const c10::Error& e) {
    const std::string what = e.what_without_backtrace();
    if (what.find("allocate memory") != std::string::npos || what.find("out of memory") != std::string::npos)
      throw error(Error::Kind::system, advice);
    // torch's exceptions carry a stack trace; people get its first line.
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
                           require_intact_mappings();  // weights that are mapped must have been there to the end
                           return layer;
                         });
    } catch (const NotFinite&) {
      throw not_finite(clock.stage());
    }
  }

 private:
  /// Latent pixels round the geometry that are computed with it, although they equal the target: what deeper layers make of it
  /// fades there. docs/speed.md has the figures.
  static constexpr int64_t kWindowMargin = 4;

  /// What a GPU needs beside the weights for the UNet on three streams.
  static constexpr std::uint64_t kBesideWeights = std::uint64_t{5} << 29;

  // The networks. On a GPU that cannot hold both, each is there while it is needed and read from the mapped file again.
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

  /// Memory where the networks run; the largest number where nothing says.
  std::uint64_t free_here() const {
    if (compute_.device.is_cpu()) return free_memory();
    const std::uint64_t free = free_card_memory();
    return free ? free : std::numeric_limits<std::uint64_t>::max();
  }

  /// Side of the squares that the VAE works in, so that a quarter of the memory stays free; 0: in one piece.
  int64_t tile(Size size) const {
    return vae_tile(files_.vae, size.height, size.width, static_cast<int>(c10::elementSize(compute_.vae)), free_here() / 4 * 3);
  }

  Layer run_stages(const Scene& scene, const Request& asked, StageClock& clock, Report& report) {
    const TimeGrid grid = time_grid(files_.scheduler, asked.noise, asked.steps, asked.spacing);
    const Request request = within_range(asked, grid);

    // 1. Read what lies round the selection.
    clock.enter(Stage::read);
    const WorkingImages views =
        read_working_images(scene, request, files_.unet.sample_size * files_.vae.downscale(), granularity());
    const Size size = views.area.model;
    report.rectangle = views.area.rect;
    report.working = size;
    report.mask_share = views.area.mask_share;

    // 2. Edit: the geometry onto the target, by image processing alone.
    clock.enter(Stage::edit);
    const cv::Mat edited = edit(views, request);

    // 3. Encode what takes part.
    clock.enter(Stage::encode);
    const HarmonizeInput input = encode(views, edited, request, [&] { clock.ask(); });
    report.window_share = share_of(input.window);

    // 4. Invert, blend, generate.
    clock.enter(Stage::invert);
    const UNet& network = unet();
    const UNetContext context = network.prepare(conditioning_for(size));
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

    // 5. Decode, and give back what the autoencoder cannot carry.
    clock.enter(Stage::decode);
    const cv::Mat result =
        edited + request.correction * correction(views, edited, input, out.latents, request, [&] { clock.ask(); });

    // 6. Composite.
    clock.enter(Stage::composite);
    Layer layer = composite(views, result, request);
    report.peak_memory = peak_memory();
    return layer;
  }

  /// Pixels a side must be a multiple of: the VAE's and the UNet's halvings.
  int granularity() const { return files_.vae.downscale() << (files_.unet.block_out_channels.size() - 1); }

  /// Round everything that the edit changed or the mask lets through; images at the model's size.
  Window window_of(const Tensor& target, const Tensor& edit, const Tensor& mask) const {
    const Tensor changed = at::maximum((edit - target).abs().amax(1, true), mask);
    const int64_t scale = files_.vae.downscale();
    return window_round(at::max_pool2d(changed, {scale, scale}), kWindowMargin,
                        int64_t{1} << (files_.unet.block_out_channels.size() - 1));
  }

  static double share_of(const Window& w) {
    return w.empty() ? 1 : static_cast<double>(w.height * w.width) / static_cast<double>(w.canvas_height * w.canvas_width);
  }

  HarmonizeInput encode(const WorkingImages& views, const cv::Mat& edited, const Request& request, const Pause& pause) {
    const Size size = views.area.model;
    const int64_t side = tile(size);
    const auto latents = [&](const cv::Mat& pixels) { return encode_tiled(vae(), to_tensor(pixels, size), side, pause); };
    const Tensor mask = mask_to_tensor(views.mask, size), target = to_tensor(views.target, size), edit = to_tensor(edited, size);
    HarmonizeInput input;
    if (request.window && compute_.device.is_cpu() && side == 0) input.window = window_of(target, edit, mask);
    if (input.window.empty()) {
      input.target = encode_tiled(vae(), target, side, pause);
      input.geometry = encode_tiled(vae(), edit, side, pause);
    } else {
      const WholeAndWithin made = encode_both(vae(), input.window, target, edit, pause);
      input.target = made.whole;
      input.geometry = input.window.pasted(made.whole, made.within);
    }
    if (request.output_reads.has(Stream::source))
      for (const WorkingImages::Geometry& g : views.geometries) {
        input.sources.push_back(latents(g.source));
        input.source_weights.push_back(g.weight);
      }
    for (const WorkingImages::Texture& t : views.textures) {
      input.textures.push_back(latents(t.pixels));
      input.texture_weights.push_back(t.weight);
    }
    input.mask = at::adaptive_avg_pool2d(mask, input.target.sizes().slice(2));
    require_finite(at::cat({input.target, input.geometry}), Stage::encode);
    return input;
  }

  /// What is added to the edit, over the rectangle: at strength 1, decode(latents) with the share of the residuals that was asked
  /// for.
  cv::Mat correction(const WorkingImages& views, const cv::Mat& edited, const HarmonizeInput& input, const Tensor& latents,
                     const Request& request, const Pause& pause) {
    const Size size = views.area.model;
    const int64_t side = tile(size);
    const auto decode = [&](const Tensor& z) { return decode_tiled(vae(), z, side, pause); };
    const Tensor edit = to_tensor(edited, size), target = to_tensor(views.target, size);
    if (side == 0 && runs_in_window(input, request) && request.give_back == GiveBack::edit) {
      // Both decodings agree outside the window: one of them whole, the other within it, and their difference is 0 elsewhere.
      const WholeAndWithin made = decode_both(vae(), input.window, input.geometry, latents, pause);
      require_finite(made.within, Stage::decode);
      const Tensor result = input.window.pasted(edit, input.window.cut(edit) + made.within - input.window.cut(made.whole));
      return part_of(result, edit, edited, views, request);
    }
    const Tensor decoded = decode(latents);
    require_finite(decoded, Stage::decode);
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
    if (of_edit > 0) result = result + of_edit * (edit - decode(input.geometry));
    if (of_target > 0) result = result + of_target * (target - decode(input.target));
    return part_of(result, edit, edited, views, request);
  }

  /// The part of result - edit (1, 3, H, W) that was asked for, at the rectangle's own resolution.
  static cv::Mat part_of(const Tensor& result, const Tensor& edit, const cv::Mat& edited, const WorkingImages& views,
                         const Request& request) {
    const cv::Mat difference = to_mat(result) - to_mat(edit);
    const cv::Mat over = resampled(difference, {edited.cols, edited.rows});
    return request.correct == Correct::all ? over : shadows_only(over, edited, views.target);
  }

  Conditioning conditioning_for(Size size) const {
    Conditioning c = conditioning_;
    if (files_.unet.text_time) {
      const float ids[] = {static_cast<float>(size.height), static_cast<float>(size.width), 0, 0,
                           static_cast<float>(size.height), static_cast<float>(size.width)};
      c.time_ids = at::tensor(at::ArrayRef<float>(ids), at::kFloat).unsqueeze(0);
    }
    return c;
  }

  std::string name_, model_;
  Device device_;
  Precision precision_;
  Prediction prediction_;
  Compute compute_;
  ModelFiles files_;  // their mappings stay: run() asks whether what was read of them was there
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
