// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/weights.h"

#include <cstdint>
#include <cstring>

#include "diffusion/kernels/widening.h"
#include "request/text.h"
#include "weights/mapped_file.h"

namespace geometry_transfer {
namespace {

std::string shown(at::IntArrayRef shape) {
  std::string text;
  for (const std::int64_t side : shape) text += (text.empty() ? "" : " x ") + std::to_string(side);
  return text;
}

}  // namespace

Weights::Weights(std::shared_ptr<const Checkpoint> checkpoint, at::ScalarType dtype, at::Device device, bool keep_narrow)
    : checkpoint_(std::move(checkpoint)),
      dtype_(dtype),
      device_(device),
      buffer_(keep_narrow && dtype == at::kFloat && device.is_cpu() ? std::make_shared<WideningBuffer>() : nullptr) {}

Weights Weights::operator[](const std::string& name) const {
  Weights inner = *this;
  inner.prefix_ += name + ".";
  return inner;
}

at::Tensor Weights::tensor(const std::string& name, at::IntArrayRef shape) const { return read(name, shape, false); }
at::Tensor Weights::matrix(const std::string& name, at::IntArrayRef shape) const { return read(name, shape, true); }

at::Tensor Weights::read(const std::string& name, at::IntArrayRef shape, bool as_stored) const {
  const std::string key = prefix_ + name;
  const TensorView* view = checkpoint_->find(key);
  if (!view)
    throw error(Error::Kind::model, _("{0} has no \"{1}\": the file is incomplete or of another kind."), checkpoint_->path(),
                key);
  if (at::IntArrayRef(view->shape) != shape)
    throw error(Error::Kind::model, _("{0}: \"{1}\" is {2}, but must be {3}."), checkpoint_->path(), key, shown(view->shape),
                shown(shape));

  const at::ScalarType stored = scalar_type(view->dtype);
  std::vector<std::int64_t> sides = view->shape;
  if (view->transposed) std::swap(sides[0], sides[1]);
  const auto size = static_cast<std::uintptr_t>(at::elementSize(stored));
  // Weights are read-only, as the mapping is. The deleter keeps the mapping alive. It frees the pages once a copy in
  // another type or order exists, so that a model does not take its memory twice.
  void* data = const_cast<std::byte*>(view->data);
  at::Tensor tensor;
  if (reinterpret_cast<std::uintptr_t>(data) % size == 0) {
    tensor = at::from_blob(
        data, sides, [keep = checkpoint_, key](void*) { keep->forget(key); }, at::TensorOptions(stored));
  } else {
    tensor = at::empty(sides, at::TensorOptions(stored));
    std::memcpy(tensor.data_ptr(), data, tensor.nbytes());
    checkpoint_->forget(key);
  }
  if (view->transposed) tensor = tensor.t().contiguous();
  if (!as_stored || !buffer_ || size != 2) tensor = tensor.to(device_, dtype_);
  require_intact_mappings();  // were the bytes still there while they were copied?
  return tensor;
}

}  // namespace geometry_transfer
