#include "tern/ops/reduce.h"

#include <cmath>
#include <limits>

#include "autograd/node.h"
#include "slots.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::checked;
using internal::Node;
using internal::OpInfo;
using internal::throw_shape;
using internal::wrap_dim;

/// Which dimensions are reduced; all when none is named.
struct Reduced {
  bool dim[kMaxDims] = {};
  Shape kept_as_one;  // the result's shape with keepdim
  Shape without;      // and without
  std::int64_t terms = 1;
};

Reduced reduced(const char* where, const Shape& shape, const Dims& dims) {
  Reduced r;
  for (std::int64_t d : dims) r.dim[wrap_dim(where, static_cast<int>(d), shape.size())] = true;
  for (int d = 0; d < shape.size(); ++d) {
    if (dims.empty()) r.dim[d] = true;
    r.kept_as_one.push_back(r.dim[d] ? 1 : shape[d]);
    if (r.dim[d]) {
      r.terms *= shape[d];
    } else {
      r.without.push_back(shape[d]);
    }
  }
  return r;
}

void add_dim(std::int64_t size, std::int64_t stride, int& count, std::int64_t* sizes, std::int64_t* strides) {
  if (size == 1) return;
  if (count > 0 && strides[count - 1] == stride * size) {
    sizes[count - 1] *= size;
    strides[count - 1] = stride;
    return;
  }
  sizes[count] = size;
  strides[count++] = stride;
}

Tensor run(const kernels::KernelSlot<kernels::ReduceFn>& kernel, const Tensor& x, const Reduced& r, bool keepdim,
           DType result) {
  const auto* impl = x.impl();
  Tensor out = internal::new_tensor(keepdim ? r.kept_as_one : r.without, result);
  kernels::ReduceArgs args;
  args.x = impl->data;
  args.out = out.impl()->data;
  args.kept = args.reduced = 0;
  args.outputs = out.impl()->numel;
  args.terms = r.terms;
  for (int d = 0; d < impl->shape.size(); ++d) {
    if (r.dim[d]) {
      add_dim(impl->shape[d], impl->strides[d], args.reduced, args.reduced_sizes, args.reduced_strides);
    } else {
      add_dim(impl->shape[d], impl->strides[d], args.kept, args.kept_sizes, args.kept_strides);
    }
  }
  kernel(impl->device, impl->dtype, args);
  return out;
}

struct SumAttribute {
  Shape shape, kept_as_one;
};

// Gradient of max and min: shared evenly between the elements that attain the result.
void extreme_derivative(const Node& node, const Tensor& g, Tensor* out) {
  const Tensor x = node.saved(0);
  const Shape& kept = node.attributes<SumAttribute>().kept_as_one;
  const Tensor best = node.saved_output().detach().reshape(kept);
  const Tensor attains = (x.detach() == best).to(g.dtype());
  out[0] = g.reshape(kept) * (attains / sum_to(attains, kept));
}

Tensor extreme(const OpInfo& op, const kernels::KernelSlot<kernels::ReduceFn>& kernel, const Tensor& x,
               const Dims& dims, bool keepdim) {
  const Shape& shape = checked(x)->shape;
  const Reduced r = reduced(op.name, shape, dims);
  if (r.terms == 0) throw_shape(op.name, "at least one element to choose from", to_string(shape));
  Tensor out = run(kernel, x, r, keepdim, x.dtype());
  internal::tape_with(op, out, {{x, true}}, SumAttribute{shape, r.kept_as_one}, true);
  return out;
}

}  // namespace

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  static constexpr OpInfo op{"sum", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<SumAttribute>();
                               out[0] = g.reshape(a.kept_as_one).expand(a.shape);
                             }};
  const auto* impl = checked(x);
  const Reduced r = reduced("sum", impl->shape, dims);
  Tensor out = run(kernels::reduce_sum, x, r, keepdim, is_floating(impl->dtype) ? impl->dtype : i64);
  internal::tape_with(op, out, {{x}}, SumAttribute{impl->shape, r.kept_as_one});
  return out;
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  const std::int64_t terms = reduced("mean", checked(x)->shape, dims).terms;
  const Tensor total = sum(is_floating(x.dtype()) ? x : x.to(f32), dims, keepdim);
  return total / static_cast<double>(terms);
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  static constexpr OpInfo op{"max", &extreme_derivative};
  return extreme(op, kernels::reduce_max, x, dims, keepdim);
}

Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  static constexpr OpInfo op{"min", &extreme_derivative};
  return extreme(op, kernels::reduce_min, x, dims, keepdim);
}

Tensor argmax(const Tensor& x, int dim, bool keepdim) {
  const Shape& shape = checked(x)->shape;
  dim = wrap_dim("argmax", dim, shape.size());
  const Reduced r = reduced("argmax", shape, {dim});
  if (r.terms == 0) throw_shape("argmax", "at least one element to choose from", to_string(shape));
  return run(kernels::reduce_argmax, x, r, keepdim, i64);
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const Reduced r = reduced("logsumexp", checked(x)->shape, dims);
  if (r.terms == 0) throw_shape("logsumexp", "at least one element", to_string(x.shape()));
  const Tensor real = is_floating(x.dtype()) ? x : x.to(f32);
  const Tensor largest = max(real.detach(), dims, true);
  // A row of equal infinities is not shifted: ∞ - ∞ would be NaN.
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor shift = where(abs(largest) == infinity, 0, largest);
  const Tensor result = log(sum(exp(real - shift), dims, true)) + shift;
  return keepdim ? result : result.reshape(r.without);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  const Shape& from = checked(x)->shape;
  if (from == shape) return x;
  if (from.size() < shape.size() || !(broadcast_shapes("sum_to", from, shape) == from)) {
    throw_shape("sum_to", "a shape that broadcasts to " + to_string(from), to_string(shape));
  }
  const int added = from.size() - shape.size();
  Dims dims;
  for (int d = 0; d < from.size(); ++d) {
    if (d < added || (shape[d - added] == 1 && from[d] != 1)) dims.push_back(d);
  }
  return dims.empty() ? x.reshape(shape) : sum(x, dims, true).reshape(shape);
}

Tensor Tensor::sum() const { return tern::sum(*this); }
Tensor Tensor::sum(int dim, bool keepdim) const { return tern::sum(*this, {dim}, keepdim); }
Tensor Tensor::sum(const Dims& dims, bool keepdim) const { return tern::sum(*this, dims, keepdim); }
Tensor Tensor::mean() const { return tern::mean(*this); }
Tensor Tensor::mean(int dim, bool keepdim) const { return tern::mean(*this, {dim}, keepdim); }
Tensor Tensor::mean(const Dims& dims, bool keepdim) const { return tern::mean(*this, dims, keepdim); }
Tensor Tensor::max() const { return tern::max(*this); }
Tensor Tensor::max(int dim, bool keepdim) const { return tern::max(*this, {dim}, keepdim); }
Tensor Tensor::min() const { return tern::min(*this); }
Tensor Tensor::min(int dim, bool keepdim) const { return tern::min(*this, {dim}, keepdim); }
Tensor Tensor::argmax() const { return tern::argmax(reshape({-1}), 0); }
Tensor Tensor::argmax(int dim, bool keepdim) const { return tern::argmax(*this, dim, keepdim); }

}  // namespace tern
