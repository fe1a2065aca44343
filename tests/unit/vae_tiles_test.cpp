// SPDX-License-Identifier: GPL-3.0-or-later
/// Compares the shipped VAE in tiles with the VAE in one piece.
#include "diffusion/vae_tiles.h"

#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "weights/model_files.h"
#include "weights/weights.h"

namespace geometry_transfer {
namespace {

constexpr std::uint64_t kMuch = std::uint64_t{1} << 40;

TEST(VaeTiles, AsLargeAsTheMemoryAllows) {
  VaeConfig sd;
  sd.block_out_channels = {128, 256, 512, 512};
  const std::uint64_t whole = vae_memory(sd, 1024, 1024, 4);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 4, kMuch), 0);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 4, whole), 0);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 4, whole - 1), 96);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 2, whole / 2), 0);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 4, vae_memory(sd, 512, 512, 4)), 64);
  EXPECT_EQ(vae_tile(sd, 1024, 1024, 4, 0), 32);
}

class VaeTilesOfAModel : public testing::Test {
 protected:
  /// Returns a smooth picture: noise of a few cells.
  static Tensor picture(int64_t height, int64_t width) {
    const int64_t size[] = {height, width};
    at::manual_seed(3);
    return at::upsample_bicubic2d(at::rand({1, 3, height / 16, width / 16}), size, false).clamp(0, 1) * 2 - 1;
  }
  static double difference(const Tensor& a, const Tensor& b) { return (a - b).square().mean().sqrt().item<double>(); }

  c10::InferenceMode inference;
  ModelFiles files = open_model(std::string(std::getenv("SOURCE")) + "/core/models/surface");
  Vae vae{files.vae, Weights(files.vae_weights, at::kFloat)};
};

TEST_F(VaeTilesOfAModel, OnePieceIsTheVaeItself) {
  const Tensor image = picture(128, 96);
  EXPECT_TRUE(at::equal(encode_tiled(vae, image, 0), vae.encode(image)));
  const Tensor latents = vae.encode(image);
  EXPECT_TRUE(at::equal(decode_tiled(vae, latents, 0), vae.decode(latents)));
  // A tile that holds all latents has no neighbour to blend with.
  EXPECT_LT(difference(decode_tiled(vae, latents, 96), vae.decode(latents)), 1e-6);
}

TEST_F(VaeTilesOfAModel, SquaresGiveNearlyTheSamePicture) {
  const int64_t scale = vae.config().downscale();
  const Tensor image = picture(56 * scale, 43 * scale);
  const Tensor latents = vae.encode(image), decoded = vae.decode(latents);
  const Tensor by_squares = encode_tiled(vae, image, 32);
  ASSERT_EQ(by_squares.sizes(), latents.sizes());
  EXPECT_LT(difference(by_squares, latents) / latents.square().mean().sqrt().item<double>(), 0.05);
  const Tensor again = decode_tiled(vae, latents, 32);
  ASSERT_EQ(again.sizes(), image.sizes());
  EXPECT_LT(difference(again, decoded), 0.05) << "of a range of 2: six levels of 255, on a hard picture in the smallest squares";
}

}  // namespace
}  // namespace geometry_transfer
