// SPDX-License-Identifier: GPL-3.0-or-later
#include "diffusion/kernels/packed.h"

#include <map>
#include <vector>

#ifdef GT_ONEDNN
#include <dnnl.hpp>

namespace geometry_transfer {
namespace {

using dnnl::memory;
using dims = memory::dims;
using tag = memory::format_tag;

memory::data_type type_of(at::ScalarType type) {
  return type == at::kBFloat16 ? memory::data_type::bf16 : memory::data_type::f32;
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory view(const memory::desc& desc, const at::Tensor& tensor) { return memory(desc, cpu(), tensor.data_ptr()); }

// oneDNN 3 (Debian 13) has no operation descriptors, oneDNN 2 (Debian 12) needs them.
#if DNNL_VERSION_MAJOR >= 3
dnnl::matmul::primitive_desc matmul_desc(const memory::desc& a, const memory::desc& b, const memory::desc& bias,
                                         const memory::desc& c, const dnnl::primitive_attr& attr) {
  return bias.is_zero() ? dnnl::matmul::primitive_desc(cpu(), a, b, c, attr)
                        : dnnl::matmul::primitive_desc(cpu(), a, b, bias, c, attr);
}
dnnl::convolution_forward::primitive_desc convolution_desc(const memory::desc& x, const memory::desc& w, const memory::desc& bias,
                                                           const memory::desc& y, int64_t stride, int64_t padding,
                                                           const dnnl::primitive_attr& attr) {
  return {cpu(),
          dnnl::prop_kind::forward_inference,
          dnnl::algorithm::convolution_direct,
          x,
          w,
          bias,
          y,
          {stride, stride},
          {padding, padding},
          {padding, padding},
          attr};
}
memory::desc packed_desc(const dnnl::primitive_desc_base& pd) { return pd.weights_desc(0); }
#else
dnnl::matmul::primitive_desc matmul_desc(const memory::desc& a, const memory::desc& b, const memory::desc& bias,
                                         const memory::desc& c, const dnnl::primitive_attr& attr) {
  return {bias.is_zero() ? dnnl::matmul::desc(a, b, c) : dnnl::matmul::desc(a, b, bias, c), attr, cpu()};
}
dnnl::convolution_forward::primitive_desc convolution_desc(const memory::desc& x, const memory::desc& w, const memory::desc& bias,
                                                           const memory::desc& y, int64_t stride, int64_t padding,
                                                           const dnnl::primitive_attr& attr) {
  return {{dnnl::prop_kind::forward_inference,
           dnnl::algorithm::convolution_direct,
           x,
           w,
           bias,
           y,
           {stride, stride},
           {padding, padding},
           {padding, padding}},
          attr,
          cpu()};
}
memory::desc packed_desc(const dnnl::primitive_desc_base& pd) { return pd.weights_desc(0); }
#endif

/// Weights in every layout that a shape has asked for, nearly always one. With a buffer they are kept in 16 bits.
class PackedWeights {
 public:
  /// `desc` describes the plain weight in the type of the computation.
  PackedWeights(const at::Tensor& weight, const memory::desc& desc, std::shared_ptr<WideningBuffer> buffer)
      : buffer_(std::move(buffer)) {
    layouts_.push_back({desc, buffer_ ? weight.view({-1}) : weight});
  }

  /// The result is valid until the buffer is used again.
  memory in(const memory::desc& wanted) {
    for (const Layout& l : layouts_)
      if (l.desc == wanted) return view(l.desc, wide(l.data));
    at::Tensor data = at::empty({static_cast<int64_t>(wanted.get_size())}, at::kByte);
    memory from = view(layouts_.back().desc, wide(layouts_.back().data)), to(wanted, cpu(), data.data_ptr());
    dnnl::stream stream(cpu());
    dnnl::reorder(from, to).execute(stream, from, to);
    stream.wait();
    if (buffer_) data = narrowed(data.view(at::kFloat), layouts_.back().data.scalar_type());
    if (layouts_.size() == 1 && first_) layouts_.clear();  // the plain copy is no longer needed
    first_ = false;
    layouts_.push_back({wanted, data});
    return view(wanted, wide(data));
  }

 private:
  struct Layout {
    memory::desc desc;
    at::Tensor data;
  };
  at::Tensor wide(const at::Tensor& data) const { return buffer_ ? buffer_->widen(data) : data; }

  std::vector<Layout> layouts_;
  std::shared_ptr<WideningBuffer> buffer_;
  bool first_ = true;
};

struct Planned {
  memory::desc weights;
  dnnl::primitive primitive;
};

dnnl::primitive_attr adding(bool add, const memory::desc& desc) {
  dnnl::primitive_attr attr;
  if (add) {
    dnnl::post_ops ops;
    ops.append_binary(dnnl::algorithm::binary_add, desc);
    attr.set_post_ops(ops);
  }
  return attr;
}

constexpr int kAdded = DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1;

}  // namespace

bool lacks_memory(const std::exception& e) {
  const auto* ours = dynamic_cast<const dnnl::error*>(&e);
  return ours && ours->status == dnnl_out_of_memory;
}

bool can_pack(const at::Tensor& weight, bool widened) {
  const at::ScalarType type = weight.scalar_type();
  return weight.device().is_cpu() && (type == at::kFloat || type == at::kBFloat16 || (widened && type == at::kHalf));
}

struct PackedLinear::Impl {
  int64_t in, out;
  at::ScalarType type;
  at::Tensor bias;  // (1, out) fp32 or undefined
  PackedWeights weights;
  std::map<std::pair<int64_t, bool>, Planned> plans;  // by rows, and whether there is an `add`

  const Planned& plan(int64_t rows, bool add) {
    const auto found = plans.find({rows, add});
    if (found != plans.end()) return found->second;
    const auto t = type_of(type);
    const memory::desc x({rows, in}, t, tag::ab), w({in, out}, t, tag::any), y({rows, out}, t, tag::ab);
    const memory::desc b = bias.defined() ? memory::desc({1, out}, memory::data_type::f32, tag::ab) : memory::desc();
    const auto pd = matmul_desc(x, w, b, y, adding(add, y));
    return plans.emplace(std::make_pair(rows, add), Planned{packed_desc(pd), dnnl::matmul(pd)}).first->second;
  }
};

PackedLinear::PackedLinear(const at::Tensor& weight, const at::Tensor& bias, std::shared_ptr<WideningBuffer> buffer)
    : impl_(new Impl{weight.size(1),
                     weight.size(0),
                     buffer ? at::kFloat : weight.scalar_type(),
                     bias.defined() ? bias.to(at::kFloat).reshape({1, -1}).contiguous() : at::Tensor(),
                     PackedWeights(weight.contiguous(),
                                   memory::desc({weight.size(1), weight.size(0)},
                                                type_of(buffer ? at::kFloat : weight.scalar_type()), tag::ba),
                                   buffer),
                     {}}) {}

at::Tensor PackedLinear::operator()(const at::Tensor& x, const at::Tensor& add) const {
  const at::Tensor rows = x.reshape({-1, impl_->in}).contiguous();
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = impl_->out;
  at::Tensor y = at::empty(shape, x.options());
  if (rows.size(0) == 0) return y;
  const Planned& plan = impl_->plan(rows.size(0), add.defined());
  const auto t = type_of(impl_->type);
  const memory::desc in({rows.size(0), impl_->in}, t, tag::ab), out({rows.size(0), impl_->out}, t, tag::ab);
  std::unordered_map<int, memory> args{
      {DNNL_ARG_SRC, view(in, rows)}, {DNNL_ARG_WEIGHTS, impl_->weights.in(plan.weights)}, {DNNL_ARG_DST, view(out, y)}};
  if (impl_->bias.defined()) args.emplace(DNNL_ARG_BIAS, view({{1, impl_->out}, memory::data_type::f32, tag::ab}, impl_->bias));
  const at::Tensor added = add.defined() ? add.contiguous() : add;
  if (add.defined()) args.emplace(kAdded, view(out, added));
  dnnl::stream stream(cpu());
  plan.primitive.execute(stream, args);
  stream.wait();
  return y;
}

struct PackedConv2d::Impl {
  int64_t in, out, kernel, stride, padding;
  at::ScalarType type;
  at::Tensor bias;  // (out) fp32
  PackedWeights weights;
  struct Shape {
    int64_t batch, height, width, padding;
    bool add;
    bool operator<(const Shape& o) const {
      return std::tie(batch, height, width, padding, add) < std::tie(o.batch, o.height, o.width, o.padding, o.add);
    }
  };
  std::map<Shape, Planned> plans;

  int64_t reach(int64_t side, int64_t padded) const { return (side + 2 * padded - kernel) / stride + 1; }

  const Planned& plan(const Shape& s) {
    const auto found = plans.find(s);
    if (found != plans.end()) return found->second;
    const auto t = type_of(type);
    const memory::desc x({s.batch, in, s.height, s.width}, t, tag::nhwc), w({out, in, kernel, kernel}, t, tag::any),
        y({s.batch, out, reach(s.height, s.padding), reach(s.width, s.padding)}, t, tag::nhwc),
        b({out}, memory::data_type::f32, tag::a);
    const auto pd = convolution_desc(x, w, b, y, stride, s.padding, adding(s.add, y));
    return plans.emplace(s, Planned{packed_desc(pd), dnnl::convolution_forward(pd)}).first->second;
  }
};

PackedConv2d::PackedConv2d(const at::Tensor& weight, const at::Tensor& bias, int64_t stride, int64_t padding,
                           std::shared_ptr<WideningBuffer> buffer)
    : impl_(new Impl{weight.size(1),
                     weight.size(0),
                     weight.size(2),
                     stride,
                     padding,
                     buffer ? at::kFloat : weight.scalar_type(),
                     bias.to(at::kFloat).contiguous(),
                     PackedWeights(weight.contiguous(),
                                   memory::desc(dims(weight.sizes().begin(), weight.sizes().end()),
                                                type_of(buffer ? at::kFloat : weight.scalar_type()), tag::abcd),
                                   buffer),
                     {}}) {}

const at::Tensor& PackedConv2d::bias() const { return impl_->bias; }

at::Tensor PackedConv2d::operator()(const at::Tensor& image, const at::Tensor& add, const at::Tensor& bias, bool has_halo) const {
  const int64_t padding = has_halo ? 0 : impl_->padding;
  const at::Tensor x = image.contiguous(at::MemoryFormat::ChannelsLast);
  const int64_t batch = x.size(0), height = impl_->reach(x.size(2), padding), width = impl_->reach(x.size(3), padding);
  at::Tensor y = at::empty({batch, impl_->out, height, width}, x.options(), at::MemoryFormat::ChannelsLast);
  const Planned& plan = impl_->plan({batch, x.size(2), x.size(3), padding, add.defined()});
  const auto t = type_of(impl_->type);
  const memory::desc in({batch, impl_->in, x.size(2), x.size(3)}, t, tag::nhwc),
      out({batch, impl_->out, height, width}, t, tag::nhwc);
  const at::Tensor& offset = bias.defined() ? bias : impl_->bias;
  std::unordered_map<int, memory> args{{DNNL_ARG_SRC, view(in, x)},
                                       {DNNL_ARG_WEIGHTS, impl_->weights.in(plan.weights)},
                                       {DNNL_ARG_BIAS, view({{impl_->out}, memory::data_type::f32, tag::a}, offset)},
                                       {DNNL_ARG_DST, view(out, y)}};
  const at::Tensor added = add.defined() ? add.contiguous(at::MemoryFormat::ChannelsLast) : add;
  if (add.defined()) args.emplace(kAdded, view(out, added));
  dnnl::stream stream(cpu());
  plan.primitive.execute(stream, args);
  stream.wait();
  return y;
}

struct StridedMatmul::Impl {
  memory::desc a, b, c, scratchpad;
  dnnl::matmul primitive;
};

StridedMatmul::StridedMatmul(at::ScalarType type, int64_t M, int64_t N, int64_t K, int64_t a_row, int64_t b_k, int64_t b_n,
                             int64_t c_row, bool accumulate) {
  const memory::desc a({M, K}, type_of(type), dims{a_row, 1}), b({K, N}, type_of(type), dims{b_k, b_n}),
      c({M, N}, memory::data_type::f32, dims{c_row, 1});
  dnnl::primitive_attr attr;
  // oneDNN's default scratchpad belongs to the thread that made the primitive. Here several threads run the primitive
  // at once.
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (accumulate) {
    dnnl::post_ops ops;
    ops.append_sum(1);
    attr.set_post_ops(ops);
  }
  const auto pd = matmul_desc(a, b, memory::desc(), c, attr);
  impl_ = std::make_shared<const Impl>(Impl{a, b, c, pd.scratchpad_desc(), dnnl::matmul(pd)});
}

void StridedMatmul::run(const void* a, const void* b, float* c) const {
  dnnl::stream stream(cpu());
  const at::Tensor scratchpad = at::empty({static_cast<int64_t>(impl_->scratchpad.get_size())}, at::kByte);
  impl_->primitive.execute(stream, {{DNNL_ARG_SRC, memory(impl_->a, cpu(), const_cast<void*>(a))},
                                    {DNNL_ARG_WEIGHTS, memory(impl_->b, cpu(), const_cast<void*>(b))},
                                    {DNNL_ARG_DST, memory(impl_->c, cpu(), c)},
                                    {DNNL_ARG_SCRATCHPAD, memory(impl_->scratchpad, cpu(), scratchpad.data_ptr())}});
  stream.wait();
}

}  // namespace geometry_transfer

#else  // without oneDNN the layers use libtorch's operators, and this code is never reached

namespace geometry_transfer {

struct PackedLinear::Impl {};
struct PackedConv2d::Impl {};
bool lacks_memory(const std::exception&) { return false; }
bool can_pack(const at::Tensor&, bool) { return false; }
PackedLinear::PackedLinear(const at::Tensor&, const at::Tensor&, std::shared_ptr<WideningBuffer>) {}
at::Tensor PackedLinear::operator()(const at::Tensor& x, const at::Tensor&) const { return x; }
PackedConv2d::PackedConv2d(const at::Tensor&, const at::Tensor&, int64_t, int64_t, std::shared_ptr<WideningBuffer>) {}
at::Tensor PackedConv2d::operator()(const at::Tensor& x, const at::Tensor&, const at::Tensor&, bool) const { return x; }
const at::Tensor& PackedConv2d::bias() const {
  static const at::Tensor none;
  return none;
}
struct StridedMatmul::Impl {};
StridedMatmul::StridedMatmul(at::ScalarType, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, bool) {}
void StridedMatmul::run(const void*, const void*, float*) const {}

}  // namespace geometry_transfer

#endif
