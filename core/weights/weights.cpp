// SPDX-License-Identifier: GPL-3.0-or-later
#include "weights/weights.h"

#include <cstdint>
#include <cstring>

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

Weights Weights::operator[](const std::string& name) const {
  Weights inner = *this;
  inner.prefix_ += name + ".";
  return inner;
}

at::Tensor Weights::tensor(const std::string& name, at::IntArrayRef shape) const {
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
  // Nobody writes to weights: the mapping is read-only, and a write would be a fault. The deleter keeps it alive.
  void* data = const_cast<std::byte*>(view->data);
  at::Tensor tensor;
  if (reinterpret_cast<std::uintptr_t>(data) % size == 0) {
    tensor = at::from_blob(
        data, sides, [keep = checkpoint_](void*) {}, at::TensorOptions(stored));
  } else {
    tensor = at::empty(sides, at::TensorOptions(stored));
    std::memcpy(tensor.data_ptr(), data, tensor.nbytes());
  }
  if (view->transposed) tensor = tensor.t().contiguous();
  tensor = tensor.to(device_, dtype_);
  const bool copied = tensor.data_ptr() != data;
  if (copied) checkpoint_->forget(key);  // or a model would take its memory twice while it is loaded
  require_intact_mappings();             // were the bytes still there while they were copied?
  return tensor;
}

}  // namespace geometry_transfer
