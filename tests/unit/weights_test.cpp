// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/weights.h"

#include <gtest/gtest.h>

#include <torch/torch.h>
#include <fstream>

#include "geometry-transfer/error.h"
#include "safetensors_file.h"
#include "weights/mapped_file.h"
#include "weights/safetensors.h"

namespace geometry_transfer {
namespace {

using test::safetensors_bytes;
using test::TemporaryFolder;
using test::write_file;

std::string bytes_of(const torch::Tensor& tensor) {
  const torch::Tensor t = tensor.contiguous();
  return {static_cast<const char*>(t.data_ptr()), t.nbytes()};
}

TEST(Weights, CursorWalksLikeFolders) {
  TemporaryFolder folder;
  const torch::Tensor w = torch::randn({2, 3});
  const auto file = open_safetensors(write_file(
      folder / "m.safetensors", safetensors_bytes({{"down_blocks.0.resnets.1.conv1.weight", "F32", {2, 3}, bytes_of(w)}})));
  const Weights weights(file, torch::kFloat32);
  EXPECT_TRUE(weights["down_blocks"][0]["resnets"][1]["conv1"].has("weight"));
  EXPECT_FALSE(weights["down_blocks"][1].has("weight"));
  EXPECT_TRUE(torch::equal(weights["down_blocks"][0]["resnets"][1]["conv1"].tensor("weight", {2, 3}), w));
}

TEST(Weights, CopiesOnlyWhereItMust) {
  TemporaryFolder folder;
  const torch::Tensor w = torch::randn({4, 4}).to(torch::kBFloat16);
  const std::string path = write_file(folder / "m.safetensors", safetensors_bytes({{"w", "BF16", {4, 4}, bytes_of(w)}}));
  torch::Tensor same, other;
  {
    const auto file = open_safetensors(path);
    same = Weights(file, torch::kBFloat16).tensor("w", {4, 4});
    other = Weights(file, torch::kFloat32).tensor("w", {4, 4});
    EXPECT_EQ(same.data_ptr(), file->find("w")->data);
  }
  // The mapping outlives the checkpoint as long as a tensor uses it.
  EXPECT_TRUE(torch::equal(same, w));
  EXPECT_TRUE(torch::equal(other, w.to(torch::kFloat32)));
}

TEST(Weights, ReadsTensorsAtOddAddresses) {
  TemporaryFolder folder;
  const torch::Tensor w = torch::randn({5});
  for (int shift = 0; shift < 4; ++shift) {
    const std::string data = bytes_of(w);
    std::string header = "{\"w\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[0,20]}}";
    while ((8 + header.size()) % 4 != static_cast<std::size_t>(shift)) header += ' ';
    const auto file = open_safetensors(write_file(folder / "m.safetensors", safetensors_bytes(header, data)));
    EXPECT_TRUE(torch::equal(Weights(file, torch::kFloat32).tensor("w", {5}), w)) << shift;
  }
}

/// Returns the resident memory of the process in KiB.
long resident() {
  std::ifstream in("/proc/self/statm");
  long all = 0, pages = 0;
  in >> all >> pages;
  return pages * 4;
}

TEST(Weights, ACopyDoesNotKeepTheFilesPagesToo) {
  TemporaryFolder folder;
  const std::int64_t count = 16 << 20;  // 64 MiB in the file, 32 MiB copied
  const std::string path =
      write_file(folder / "m.safetensors",
                 safetensors_bytes({{"w", "F32", {count}, std::string(static_cast<std::size_t>(4 * count), '\1')}}));
  const auto file = open_safetensors(path);
  const long before = resident();
  const at::Tensor copy = Weights(file, at::kBFloat16).tensor("w", {count});
  EXPECT_LT(resident() - before, 48 << 10);
  at::Tensor mapped = Weights(file, at::kFloat).tensor("w", {count});  // reads the bytes again
  EXPECT_TRUE(at::equal(mapped.to(at::kBFloat16), copy));
  EXPECT_GT(resident() - before, 64 << 10);
  mapped.reset();  // the last tensor that used them
  EXPECT_LT(resident() - before, 48 << 10);
}

TEST(Weights, MatricesStayNarrowWhereTheyMay) {
  TemporaryFolder folder;
  const at::Tensor w = at::randn({4, 4}), half = w.to(at::kHalf), brain = w.to(at::kBFloat16);
  const auto file =
      open_safetensors(write_file(folder / "m.safetensors", safetensors_bytes({{"half", "F16", {4, 4}, bytes_of(half)},
                                                                               {"brain", "BF16", {4, 4}, bytes_of(brain)},
                                                                               {"wide", "F32", {4, 4}, bytes_of(w)}})));
  const Weights narrow(file, at::kFloat, at::kCPU, true), wide(file, at::kFloat), other(file, at::kBFloat16, at::kCPU, true);
  EXPECT_TRUE(at::equal(narrow.matrix("half", {4, 4}), half));
  EXPECT_TRUE(at::equal(narrow.matrix("brain", {4, 4}), brain));
  EXPECT_EQ(narrow.matrix("half", {4, 4}).scalar_type(), at::kHalf);
  EXPECT_TRUE(narrow.buffer_for(half) && !narrow.buffer_for(w));
  EXPECT_EQ(narrow.buffer_for(half), narrow["inner"].buffer_for(half)) << "one for the network";
  // These stay fp32: a wide tensor, one that is no matrix, one without a request, and one that is computed with in 16
  // bits.
  EXPECT_EQ(narrow.matrix("wide", {4, 4}).scalar_type(), at::kFloat);
  EXPECT_EQ(narrow.tensor("half", {4, 4}).scalar_type(), at::kFloat);
  EXPECT_EQ(wide.matrix("half", {4, 4}).scalar_type(), at::kFloat);
  EXPECT_EQ(other.matrix("half", {4, 4}).scalar_type(), at::kBFloat16);
}

TEST(Weights, OutliveAFileThatIsCutShort) {
  TemporaryFolder folder;
  const at::Tensor w = at::ones({1 << 18});
  const std::string path = write_file(folder / "m.safetensors", safetensors_bytes({{"w", "F32", {1 << 18}, bytes_of(w)}}));
  const Weights weights(open_safetensors(path), at::kFloat);
  const at::Tensor mapped = weights.tensor("w", {1 << 18});
  std::filesystem::resize_file(path, 1 << 16);
  EXPECT_LT(mapped.sum().item<float>(), 1 << 18);  // no SIGBUS
  EXPECT_THROW(require_intact_mappings(), Error);
  EXPECT_THROW(weights.tensor("w", {1 << 18}), Error);
}

TEST(Weights, NamesWhatIsMissingOrOfAnotherShape) {
  TemporaryFolder folder;
  const std::string path = write_file(folder / "m.safetensors", safetensors_bytes({{"a.w", "F16", {2, 1}, "abcd"}}));
  const Weights weights = Weights(open_safetensors(path), torch::kFloat16)["a"];
  const auto refused = [&](const char* name, at::IntArrayRef shape, std::vector<std::string> parts) {
    try {
      weights.tensor(name, shape);
      ADD_FAILURE();
    } catch (const Error& e) {
      EXPECT_EQ(e.kind(), Error::Kind::model);
      parts.push_back(path);
      for (const std::string& part : parts) EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
    }
  };
  refused("v", {2, 1}, {"no \"a.v\""});
  refused("w", {1, 2}, {"\"a.w\" is 2 x 1", "must be 1 x 2"});
  refused("w", {2}, {"\"a.w\" is 2 x 1", "must be 2"});
}

/// Gives the same bytes under the transposed shape, as a key map does for OpenCLIP's text projection.
class Transposed : public Checkpoint {
 public:
  explicit Transposed(const torch::Tensor& stored) : stored_(stored) {
    view_ = {DType::f32, {stored.size(1), stored.size(0)}, static_cast<const std::byte*>(stored.data_ptr()), true};
  }
  const TensorView* find(const std::string& key) const override { return key == "w" ? &view_ : nullptr; }
  std::vector<std::string> keys() const override { return {"w"}; }
  std::string path() const override { return "memory"; }

 private:
  torch::Tensor stored_;
  TensorView view_;
};

TEST(Weights, TransposesWhereTheFileDoes) {
  const torch::Tensor stored = torch::randn({3, 5});
  const torch::Tensor read = Weights(std::make_shared<Transposed>(stored), torch::kFloat32).tensor("w", {5, 3});
  EXPECT_TRUE(torch::equal(read, stored.t()));
  EXPECT_TRUE(read.is_contiguous());
}

}  // namespace
}  // namespace geometry_transfer
