#include <algorithm>

#include "autograd/backward.h"
#include "operands.h"
#include "ops/index.h"
#include "slots/copy.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// Views, copies and conversions: methods of Tensor, each with its derivative.
namespace tern {

using internal::checked;
using internal::needs_grad;
using internal::new_view;
using internal::Node;
using internal::OpInfo;
using internal::throw_shape;
using internal::wrap_any_dim;
using internal::wrap_dim;

namespace {

void pass_on(const Node&, const Tensor& g, Tensor* out) { out[0] = g; }

struct ShapeAttribute {
  Shape shape;
};
constexpr OpInfo kReshape{"reshape", [](const Node& node, const Tensor& g, Tensor* out) {
                            out[0] = g.reshape(node.attributes<ShapeAttribute>().shape);
                          }};

// Strides of `shape` over the elements of x without a copy; false where there are none. The dimensions of x are merged
// into runs of evenly spaced elements, which the new dimensions must divide, innermost first.
bool view_strides(const Tensor& x, const Shape& shape, std::int64_t* strides) {
  const auto* impl = x.impl();
  if (impl->numel == 0 || impl->contiguous) {
    internal::contiguous_strides(shape, strides);
    return true;
  }
  std::int64_t size[kMaxDims], step[kMaxDims];
  int runs = 0;
  for (int d = impl->shape.size() - 1; d >= 0; --d) {
    if (impl->shape[d] == 1) continue;
    if (runs > 0 && impl->strides[d] == step[runs - 1] * size[runs - 1]) {
      size[runs - 1] *= impl->shape[d];
    } else {
      size[runs] = impl->shape[d];
      step[runs++] = impl->strides[d];
    }
  }
  int run = 0;
  std::int64_t left = runs > 0 ? size[0] : 1, at = runs > 0 ? step[0] : 1;
  for (int d = shape.size() - 1; d >= 0; --d) {
    strides[d] = at;
    if (shape[d] == 1) continue;
    if (left == 1) {
      if (++run >= runs) return false;
      left = size[run];
      strides[d] = at = step[run];
    }
    if (left % shape[d] != 0) return false;
    left /= shape[d];
    at *= shape[d];
  }
  return true;
}

}  // namespace

Tensor Tensor::contiguous() const {
  static constexpr OpInfo op{"contiguous", &pass_on};
  if (checked(*this, "contiguous")->contiguous) return *this;
  Tensor out = internal::new_tensor(impl_->shape, impl_->dtype, impl_->device);
  internal::copy_elements(out, *this);
  internal::tape(op, out, {{*this}});
  return out;
}

Tensor Tensor::clone() const {
  static constexpr OpInfo op{"clone", &pass_on};
  const auto* impl = checked(*this, "clone");
  Tensor out = internal::new_tensor(impl->shape, impl->dtype, impl->device);
  internal::copy_elements(out, *this);
  internal::tape(op, out, {{*this}});
  return out;
}

Tensor internal::converted(const Tensor& x, DType dtype) {
  Tensor out = new_tensor(x.impl()->shape, dtype, x.impl()->device);
  copy_elements(out, x);
  return out;
}
Tensor Tensor::to(DType dtype) const {
  static constexpr OpInfo op{
      "to", [](const Node& node, const Tensor& g, Tensor* out) { out[0] = g.to(node.attributes<DType>()); }};
  const DType from = checked(*this, "to")->dtype;
  if (from == dtype) return *this;
  Tensor out = internal::converted(*this, dtype);
  if (is_floating(from) && is_floating(dtype)) internal::tape_with(op, out, {{*this}}, from);
  return out;
}

Tensor Tensor::reshape(const Shape& wanted) const {
  const auto* impl = checked(*this, "reshape");
  Shape shape = wanted;
  std::int64_t known = 1;
  int open = -1;
  for (int d = 0; d < shape.size(); ++d) {
    if (shape[d] == -1 && open < 0) {
      open = d;
    } else if (__builtin_mul_overflow(known, std::max<std::int64_t>(shape[d], -1), &known)) {
      known = 0;
    }
  }
  if (open >= 0 && known > 0) shape[open] = impl->numel / known;
  const bool negative = std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; });
  if (negative || internal::checked_numel("reshape", shape) != impl->numel) {
    throw_shape("reshape", "a shape of " + std::to_string(impl->numel) + " elements", to_string(wanted));
  }
  if (shape == impl->shape) return *this;
  std::int64_t strides[kMaxDims];
  if (!view_strides(*this, shape, strides)) return contiguous().reshape(shape);
  Tensor out = new_view(*this, shape, strides, 0);
  if (needs_grad(*this)) internal::tape_with(kReshape, out, {{*this}}, ShapeAttribute{impl->shape});
  return out;
}

Tensor Tensor::permute(const Dims& order) const {
  static constexpr OpInfo op{"permute", [](const Node& node, const Tensor& g, Tensor* out) {
                               out[0] = g.permute(node.attributes<ShapeAttribute>().shape);
                             }};
  const auto* impl = checked(*this, "permute");
  const int dims = impl->shape.size();
  if (order.size() != dims) {
    throw_shape("permute", "an order of " + std::to_string(dims) + " dimensions", to_string(order));
  }
  Shape shape = impl->shape, inverse = impl->shape;
  std::int64_t strides[kMaxDims];
  bool seen[kMaxDims] = {};
  for (int i = 0; i < dims; ++i) {
    const int d = wrap_dim("permute", order[i], dims);
    if (seen[d]) throw_shape("permute", "each dimension once", to_string(order));
    seen[d] = true;
    shape[i] = impl->shape[d];
    strides[i] = impl->strides[d];
    inverse[d] = i;
  }
  Tensor out = new_view(*this, shape, strides, 0);
  if (needs_grad(*this)) internal::tape_with(op, out, {{*this}}, ShapeAttribute{inverse});
  return out;
}

Tensor Tensor::transpose(int a, int b) const {
  struct Pair {
    int a, b;
  };
  static constexpr OpInfo op{"transpose", [](const Node& node, const Tensor& g, Tensor* out) {
                               const Pair& dims = node.attributes<Pair>();
                               out[0] = g.transpose(dims.a, dims.b);
                             }};
  const auto* impl = checked(*this, "transpose");
  a = wrap_any_dim("transpose", a, impl->shape.size());
  b = wrap_any_dim("transpose", b, impl->shape.size());
  Shape shape = impl->shape;
  std::int64_t strides[kMaxDims];
  std::copy(impl->strides, impl->strides + shape.size(), strides);
  if (a != b) {
    std::swap(shape[a], shape[b]);
    std::swap(strides[a], strides[b]);
  }
  Tensor out = new_view(*this, shape, strides, 0);
  if (needs_grad(*this)) internal::tape_with(op, out, {{*this}}, Pair{a, b});
  return out;
}

Tensor Tensor::t() const {
  checked(*this, "t");
  if (dim() > 2) throw_shape("t", "at most two dimensions", to_string(shape()));
  return dim() < 2 ? *this : transpose(0, 1);
}

Tensor Tensor::expand(const Shape& wanted) const {
  static constexpr OpInfo op{"expand", [](const Node& node, const Tensor& g, Tensor* out) {
                               out[0] = sum_to(g, node.attributes<ShapeAttribute>().shape);
                             }};
  const auto* impl = checked(*this, "expand");
  const int added = wanted.size() - impl->shape.size();
  if (added < 0) throw_shape("expand", "at least the dimensions of " + to_string(impl->shape), to_string(wanted));
  Shape shape = wanted;
  std::int64_t strides[kMaxDims];
  for (int d = 0; d < shape.size(); ++d) {
    const std::int64_t size = d < added ? 1 : impl->shape[d - added];
    if (shape[d] == -1 && d >= added) shape[d] = size;
    if (shape[d] < 0 || (shape[d] != size && size != 1)) {
      throw_shape("expand", "sizes of " + to_string(impl->shape) + ", or any where that is 1", to_string(wanted));
    }
    strides[d] = d < added || size == 1 ? 0 : impl->strides[d - added];
    if (size == 1 && shape[d] == 1 && d >= added) strides[d] = impl->strides[d - added];
  }
  if (shape == impl->shape) return *this;
  internal::checked_numel("expand", shape);
  Tensor out = new_view(*this, shape, strides, 0);
  if (needs_grad(*this)) internal::tape_with(op, out, {{*this}}, ShapeAttribute{impl->shape});
  return out;
}

Tensor Tensor::squeeze(int d) const {
  Shape shape = checked(*this, "squeeze")->shape;
  d = wrap_any_dim("squeeze", d, shape.size());
  if (shape.empty()) return *this;
  if (shape[d] != 1) throw_shape("squeeze", "size 1 in dimension " + std::to_string(d), to_string(shape));
  shape.erase(d);
  return reshape(shape);
}

Tensor Tensor::unsqueeze(int d) const {
  Shape shape = checked(*this, "unsqueeze")->shape;
  d = wrap_dim("unsqueeze", d, shape.size() + 1);
  internal::check_dims("unsqueeze", shape.size() + 1);
  shape.insert(d, 1);
  return reshape(shape);
}

Tensor Tensor::flatten(int first, int last) const {
  const Shape& from = checked(*this, "flatten")->shape;
  first = wrap_any_dim("flatten", first, from.size());
  last = wrap_any_dim("flatten", last, from.size());
  if (first > last) throw_shape("flatten", "first <= last", std::to_string(first) + " and " + std::to_string(last));
  if (from.empty()) return reshape({1});
  Shape shape;
  for (int d = 0; d < from.size(); ++d) {
    if (d > first && d <= last) {
      shape[shape.size() - 1] *= from[d];
    } else {
      shape.push_back(from[d]);
    }
  }
  return reshape(shape);
}

namespace {
struct Range {
  Shape shape;
  std::int64_t d, begin, end, step;
};

void slice_derivative(const Node& node, const Tensor& g, Tensor* out) {
  const Range& r = node.attributes<Range>();
  out[0] = slice_scatter(zeros(r.shape, g.dtype(), g.device()), g, static_cast<int>(r.d), r.begin, r.end, r.step);
}

// Touches no more than the part: a tensor cut into many would else be gone over once for each.
void slice_fused(internal::Backward& run, const Node& node, const Tensor& g, Tensor*) {
  const Range& r = node.attributes<Range>();
  const internal::TensorImpl* ig = g.impl();
  const internal::Sink sink = run.sink(node, 0, r.shape, ig);
  const Tensor whole(internal::share(sink.to));
  if (!sink.accumulate) kernels::fill(ig->device, ig->dtype, internal::make_loop(whole), 0);
  const Tensor part = whole.slice(static_cast<int>(r.d), r.begin, r.end, r.step);
  if (sink.accumulate) {
    kernels::binary_add(ig->device, ig->dtype, internal::make_loop(part, &part, &g));
  } else {
    internal::copy_elements(part, g);
  }
}
}  // namespace

Tensor Tensor::slice(int d, std::int64_t begin, std::int64_t end, std::int64_t step) const {
  static constexpr OpInfo op{"slice", &slice_derivative, &slice_fused};
  const auto* impl = checked(*this, "slice");
  d = wrap_dim("slice", d, impl->shape.size());
  if (step < 1)
    internal::throw_value("slice", "a step of at least 1 (flip turns a dimension round)", std::to_string(step));
  const std::int64_t size = impl->shape[d];
  const auto clamped = [size](std::int64_t i) { return std::clamp<std::int64_t>(i < 0 ? i + size : i, 0, size); };
  begin = clamped(begin);
  end = std::max(begin, clamped(end));
  Shape shape = impl->shape;
  step = std::min(step, std::max<std::int64_t>(end - begin, 1));  // a longer one reaches no further, and could overflow
  shape[d] = (end - begin - 1 + step) / step;
  std::int64_t strides[kMaxDims];
  std::copy(impl->strides, impl->strides + shape.size(), strides);
  strides[d] = impl->strides[d] * step;
  Tensor out = new_view(*this, shape, strides, shape[d] > 0 ? begin * impl->strides[d] : 0);
  if (needs_grad(*this)) internal::tape_with(op, out, {{*this}}, Range{impl->shape, d, begin, end, step});
  return out;
}

Tensor internal::select(const char* where, const Tensor& x, int d, std::int64_t i) {
  const auto* impl = checked(x, where);
  d = wrap_dim(where, d, impl->shape.size());
  const std::int64_t size = impl->shape[d];
  if (i < -size || i >= size) {
    throw IndexError("[" + std::string(where) + "] expected an index in [" + std::to_string(-size) + ", " +
                     std::to_string(size) + ") of dimension " + std::to_string(d) + ", got " + std::to_string(i));
  }
  if (i < 0) i += size;
  return x.slice(d, i, i + 1).squeeze(d);
}

Tensor Tensor::select(int d, std::int64_t i) const { return internal::select("select", *this, d, i); }

Tensor reshape(const Tensor& x, const Shape& shape) { return x.reshape(shape); }
Tensor flatten(const Tensor& x, int first, int last) { return x.flatten(first, last); }

}  // namespace tern
