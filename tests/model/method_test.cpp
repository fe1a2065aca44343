// SPDX-License-Identifier: GPL-3.0-or-later
/// Laws of whole transfers with the tiny Stable Diffusion models. The working rectangle is the whole target at the
/// model's own size, so each step can be repeated here with the networks themselves.
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "../unit/scene_on_mats.h"
#include "diffusion/conditioning.h"
#include "diffusion/harmonize.h"
#include "diffusion/vae.h"
#include "weights/model_files.h"
#include "weights/weights.h"

namespace geometry_transfer {
namespace {

constexpr int kSide = 128;  // pixels; the tiny models' native side

/// CV_32FC3 in [0, 1] -> (1, 3, H, W) in [-1, 1].
Tensor tensor_of(const cv::Mat& image) {
  return at::from_blob(image.data, {1, image.rows, image.cols, 3}, at::kFloat).permute({0, 3, 1, 2}).contiguous() * 2 - 1;
}

class Method : public testing::TestWithParam<const char*> {
 protected:
  Method()
      : files(open_model(model_path())),
        unet(files.unet, Weights(files.unet_weights, at::kFloat)),
        vae(files.vae, Weights(files.vae_weights, at::kFloat)) {}

  static std::string model_path() { return std::string(std::getenv("SOURCE")) + "/tests/golden/" + GetParam(); }

  Request preset(const char* id) const {
    Request r;
    r.model = model_path();
    r.precision = Precision::fp32;
    r.device = Device::cpu;
    r.feather = 0;
    r.context = 0.5;
    apply_preset(r, id);
    r.context = 0.5;
    return r;
  }

  /// Returns the layer over the whole canvas, CV_32FC3; the target where the layer is transparent.
  cv::Mat picture(const Request& request, Report* report = nullptr) {
    Report own;
    const Layer layer = session.run(dent.scene, request, {}, report ? *report : own);
    cv::Mat canvas;
    cv::cvtColor(dent.target.pixels(), canvas, cv::COLOR_RGBA2RGB);
    for (int y = 0; y < layer.area.height; ++y)
      for (int x = 0; x < layer.area.width; ++x) {
        const float* p = &layer.rgba[4 * (std::size_t(y) * layer.area.width + x)];
        if (p[3] > 0) canvas.at<cv::Vec3f>(y + layer.area.y, x + layer.area.x) = {p[0], p[1], p[2]};
      }
    return canvas;
  }
  cv::Mat inside() { return dent.mask.pixels() > 0.5f; }
  /// Returns the mean |a - b| in the selection, in levels of 255.
  double levels(const cv::Mat& a, const cv::Mat& b) {
    cv::Mat difference = cv::abs(a - b);
    const cv::Scalar mean = cv::mean(difference, inside());
    return 255 * (mean[0] + mean[1] + mean[2]) / 3;
  }

  /// Returns the clean latents that the method gives for these images. `source` may be undefined.
  Tensor latents(const cv::Mat& edited, bool with_source, const Request& request, const TimeGrid& grid, int iterations) {
    HarmonizeInput input;
    cv::Mat target, source;
    cv::cvtColor(dent.target.pixels(), target, cv::COLOR_RGBA2RGB);
    cv::cvtColor(dent.source.pixels(), source, cv::COLOR_RGBA2RGB);
    input.target = vae.encode(tensor_of(target));
    input.geometry = vae.encode(tensor_of(edited));
    if (with_source) input.sources = {vae.encode(tensor_of(source))};
    const cv::Mat mask = dent.mask.pixels();
    input.mask =
        at::adaptive_avg_pool2d(at::from_blob(mask.data, {1, 1, kSide, kSide}, at::kFloat), input.target.sizes().slice(2));
    SamplingOptions sampling;
    sampling.iterations = iterations;
    sampling.keep_keys = request.reuse_keys;
    sampling.memory_limit = std::size_t{1} << 30;
    const UNetContext context = unet.prepare(for_size(empty_prompt(files, at::kFloat, at::kCPU), files.unet, {kSide, kSide}));
    return harmonize(input, request, grid, {unet, context, files.scheduler.prediction_type}, sampling).latents;
  }
  cv::Mat decoded(const Tensor& z) const {
    const Tensor p = ((vae.decode(z) + 1) / 2)[0].permute({1, 2, 0}).contiguous();
    return cv::Mat(kSide, kSide, CV_32FC3, p.data_ptr<float>()).clone();
  }

  c10::InferenceMode inference;
  ModelFiles files;
  UNet unet;
  Vae vae;
  test::Dent dent{{kSide, kSide}, {kSide / 2, kSide / 2}, 45};
  Session session;
};

TEST_P(Method, BalancedMovesThePictureByWhatTheModelSays) {
  Report report;
  const Request balanced = preset("balanced");
  const cv::Mat edited = picture(preset("instant")), moved = picture(balanced, &report);
  ASSERT_EQ(report.working.width, kSide);
  ASSERT_EQ(report.rectangle.width, kSide);
  // The edit with all of the model's correction, in 10 steps of 2 iterations from full noise. The values are written
  // out instead of taken from the preset.
  Request method;
  method.window = false;
  const TimeGrid grid = time_grid(files.scheduler, 1000, 10, Spacing::trailing);
  const Tensor z = latents(edited, false, method, grid, 2);
  const cv::Mat model = decoded(z) - decoded(vae.encode(tensor_of(edited)));
  const double says = levels(edited + model, edited);
  EXPECT_GT(says, 10) << "a model of random weights changes everything";
  EXPECT_GT(levels(moved, edited), 0.8 * says);
  EXPECT_LT(levels(moved, edited + model), 0.3 * says) << "and in the same way, but for the window";
}

TEST_P(Method, PaperIsTheDecodedPictureAndNothingOfOurs) {
  Request paste = preset("instant");
  paste.colour = Colour::mean;
  paste.grain = 0;
  const cv::Mat edited = picture(paste), paper = picture(preset("paper"));
  Request method;
  method.output_reads = Stream::source | Stream::target;
  method.restore = 0;
  method.reuse_keys = method.window = false;
  const Tensor z = latents(edited, true, method, time_grid(files.scheduler, 1000, 20, Spacing::leading), 5);
  EXPECT_LT(levels(paper, decoded(z)), 0.05);
  EXPECT_GT(levels(paper, edited), 5);
}

TEST_P(Method, DetailIsGivenBackOfWhomItSays) {
  Request r = preset("draft");
  r.steps = 1;
  r.window = false;
  const auto with = [&](GiveBack whose) {
    r.give_back = whose;
    return picture(r);
  };
  const cv::Mat nothing = with(GiveBack::nothing), edit = with(GiveBack::edit), target = with(GiveBack::target),
                half = with(GiveBack::half);
  const auto lost = [&](const cv::Mat& image) -> cv::Mat { return image - decoded(vae.encode(tensor_of(image))); };
  cv::Mat bare;
  cv::cvtColor(dent.target.pixels(), bare, cv::COLOR_RGBA2RGB);
  const cv::Mat edited = picture(preset("instant"));
  EXPECT_LT(levels(edit, nothing + lost(edited)), 0.05);
  EXPECT_LT(levels(target, nothing + lost(bare)), 0.05);
  EXPECT_LT(levels(half, 0.5 * (edit + target)), 0.05);
  EXPECT_GT(levels(edit, target), 1);
  EXPECT_GT(levels(nothing, edit), 1);
}

TEST_P(Method, AllOfTheCorrectionIsMoreThanItsShadows) {
  Request r = preset("draft");
  r.steps = 1;
  const cv::Mat edited = picture(preset("instant")), all = picture(r);
  r.correct = Correct::shadows;
  const cv::Mat shadows = picture(r);
  EXPECT_GT(levels(all, edited), 2 * levels(shadows, edited));
  cv::Mat brighter;
  cv::compare(shadows.reshape(1), (edited + cv::Scalar::all(1e-4)).operator cv::Mat().reshape(1), brighter, cv::CMP_GT);
  EXPECT_EQ(cv::countNonZero(brighter), 0) << "shadows never brighten";
  cv::compare(all.reshape(1), (edited + cv::Scalar::all(1e-4)).operator cv::Mat().reshape(1), brighter, cv::CMP_GT);
  EXPECT_GT(cv::countNonZero(brighter), 0);
}

INSTANTIATE_TEST_SUITE_P(Tiny, Method, testing::Values("sd15", "sd21", "sdxl"),
                         [](const auto& info) { return std::string(info.param); });

/// The picture is larger than the model's side. In Paper the edit's fine detail must not bypass the model.
TEST(Paper, HoldsNoneOfTheEditsFineDetail) {
  test::Dent dent({512, 512}, {256, 256}, 180);
  Request r;
  r.model = std::string(std::getenv("SOURCE")) + "/tests/golden/sd15";
  r.precision = Precision::fp32;
  r.feather = 0;
  apply_preset(r, "paper");
  r.steps = r.iterations = 1;
  Report report;
  Session session;
  const auto detail = [&] {  // detail finer than about 4 pixels in the middle of the geometry
    const Layer layer = session.run(dent.scene, r, {}, report);
    const cv::Mat rgba(layer.area.height, layer.area.width, CV_32FC4, const_cast<float*>(layer.rgba.data()));
    cv::Mat middle, coarse;
    cv::cvtColor(rgba(cv::Rect(256 - 64 - layer.area.x, 256 - 64 - layer.area.y, 128, 128)), middle, cv::COLOR_RGBA2RGB);
    cv::GaussianBlur(middle, coarse, {}, 1);
    return cv::Mat(middle - coarse);
  };
  const cv::Mat paper = detail();
  ASSERT_LT(2 * report.working.width, report.rectangle.width);
  r.give_back = GiveBack::edit;
  const cv::Mat given_back = detail();
  r.correction = 0;
  const cv::Mat edit = detail();
  const auto share = [&](const cv::Mat& of) { return of.dot(edit) / edit.dot(edit); };
  EXPECT_LT(share(paper), 0.2);
  EXPECT_GT(share(given_back), 0.8);
}

}  // namespace
}  // namespace geometry_transfer
