// SPDX-License-Identifier: GPL-3.0-or-later
/// Detection and key map of one-file checkpoints for any set of keys and shapes: lines "key side side ...", then fp16
/// zeros.
#include "weights/single_file.h"

#include <map>
#include <sstream>

#include "fuzz.h"
#include "weights/tensor_list.h"

using namespace geometry_transfer;

namespace {

class Listed : public Checkpoint {
 public:
  explicit Listed(const std::string& text) {
    static const std::vector<std::byte> zeros(2 << 22);  // the most that detection reads of one tensor
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string key;
      words >> key;
      TensorView view{DType::f16, {}, zeros.data()};
      std::uint64_t numbers = 1;
      bool fits = true;  // a file's tensors are as large as their shapes say, and it is not larger than an address
      for (std::uint64_t side; words >> side && view.shape.size() < 8;) {
        view.shape.push_back(static_cast<std::int64_t>(side));
        fits = fits && side <= 1u << 30 && !__builtin_mul_overflow(numbers, side, &numbers) && numbers < 1ull << 40;
      }
      if (fits) tensors_[key] = view;
    }
  }
  const TensorView* find(const std::string& key) const override {
    const auto found = tensors_.find(key);
    return found == tensors_.end() ? nullptr : &found->second;
  }
  std::vector<std::string> keys() const override {
    std::vector<std::string> all;
    for (const auto& row : tensors_) all.push_back(row.first);
    return all;
  }
  std::string path() const override { return "listed"; }

 private:
  std::map<std::string, TensorView> tensors_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = std::make_shared<Listed>(std::string(reinterpret_cast<const char*>(data), size));
  fuzz::refusing([&] {
    const ModelFiles m = single_file_model(file, Prediction::automatic);
    // An accepted model has everything that the networks ask for, in the right shape.
    check_tensors(*m.unet_weights, unet_tensors(m.unet), false);
    check_tensors(*m.vae_weights, vae_tensors(m.vae), false);
    for (std::size_t i = 0; i < m.unet.heads.size(); ++i)
      if (m.unet.heads[i] < 1) std::abort();
  });
  return 0;
}
