#include "tern/ops/reduce.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "autograd/node.h"
#include "operands.h"
#include "slots/reduce.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/shape.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace {

using internal::apart;
using internal::checked;
using internal::in_real;
using internal::Node;
using internal::OpInfo;
using internal::real;
using internal::size_of_any;
using internal::throw_shape;
using internal::wrap_any_dim;

/// Which dimensions are reduced; all when none is named.
struct Reduced {
  bool dim[kMaxDims] = {};
  Shape kept_as_one;  // the result's shape with keepdim
  Shape without;      // and without
  std::int64_t terms = 1;
};

Reduced reduced(const char* where, const Shape& shape, const Dims& dims) {
  Reduced r;
  for (std::int64_t d : dims) {
    if (std::exchange(r.dim[wrap_any_dim(where, d, shape.size())], true)) {
      throw_shape(where, "each dimension once", to_string(dims));
    }
  }
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
  Tensor out = internal::new_tensor(keepdim ? r.kept_as_one : r.without, result, impl->device);
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
  const Tensor values = x.detach();  // of which one is NaN where the result is
  const Tensor attains = ((values == best) | (values != values)).to(g.dtype());
  out[0] = g.reshape(kept) * (attains / sum_to(attains, kept));
}

Tensor extreme(const OpInfo& op, const kernels::KernelSlot<kernels::ReduceFn>& kernel, const Tensor& x,
               const Dims& dims, bool keepdim) {
  if (is_half(checked(x, op.name)->dtype)) return extreme(op, kernel, x.to(f32), dims, keepdim).to(x.dtype());
  const Shape& shape = checked(x, op.name)->shape;
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
  const auto* impl = checked(x, "sum");
  const Reduced r = reduced("sum", impl->shape, dims);
  // Halves are rounded once, from f64.
  Tensor out = is_half(impl->dtype)
                   ? run(kernels::reduce_sum, x.detach().to(f64), r, keepdim, f64).to(impl->dtype)
                   : run(kernels::reduce_sum, x, r, keepdim, is_floating(impl->dtype) ? impl->dtype : i64);
  internal::tape_with(op, out, {{x}}, SumAttribute{impl->shape, r.kept_as_one});
  return out;
}

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  const std::int64_t terms = reduced("mean", checked(x, "mean")->shape, dims).terms;
  return in_real("mean", x, [&](const Tensor& real) { return sum(real, dims, keepdim) / static_cast<double>(terms); });
}

Tensor max(const Tensor& x, const Dims& dims, bool keepdim) {
  static constexpr OpInfo op{"max", &extreme_derivative};
  return extreme(op, kernels::reduce_max, x, dims, keepdim);
}

Tensor min(const Tensor& x, const Dims& dims, bool keepdim) {
  static constexpr OpInfo op{"min", &extreme_derivative};
  return extreme(op, kernels::reduce_min, x, dims, keepdim);
}

namespace {
Tensor choose(const char* name, const kernels::KernelSlot<kernels::ReduceFn>& kernel, const Tensor& x, int dim,
              bool keepdim) {
  const Shape& shape = checked(x, name)->shape;
  const Reduced r = reduced(name, shape, {dim});
  if (r.terms == 0) throw_shape(name, "at least one element to choose from", to_string(shape));
  return run(kernel, is_half(x.dtype()) ? x.detach().to(f32) : x, r, keepdim, i64);
}
}  // namespace

Tensor argmax(const Tensor& x, int dim, bool keepdim) {
  return choose("argmax", kernels::reduce_argmax, x, dim, keepdim);
}
Tensor argmin(const Tensor& x, int dim, bool keepdim) {
  return choose("argmin", kernels::reduce_argmin, x, dim, keepdim);
}

namespace {

// Of floating types as they are, halves in f32; other ones as i64.
Tensor summed(const Tensor& x) {
  const DType dtype = x.dtype();
  return is_half(dtype) ? x.to(f32) : is_floating(dtype) ? x : x.to(i64);
}
Tensor rounded(const Tensor& result, const Tensor& x) { return is_half(x.dtype()) ? result.to(x.dtype()) : result; }

}  // namespace

Tensor prod(const Tensor& x, const Dims& dims, bool keepdim) {
  const Reduced r = reduced("prod", checked(x, "prod")->shape, dims);
  const Shape& result = keepdim ? r.kept_as_one : r.without;
  if (r.terms == 0) return sum(x, dims, keepdim) + 1;  // taped, with a gradient of no elements
  // What is kept first, then the terms in logical order, as one dimension.
  Dims order;
  for (bool last : {false, true}) {
    for (int d = 0; d < x.dim(); ++d) {
      if (r.dim[d] == last) order.push_back(d);
    }
  }
  std::int64_t kept = 1;
  for (std::int64_t size : r.without) kept *= size;
  Tensor product = summed(x).permute(order).reshape({kept, r.terms}), rest;
  for (std::int64_t n = r.terms; n > 1; n /= 2) {
    if (n % 2 != 0) {
      const Tensor last = product.slice(1, n - 1, n);
      rest = rest.defined() ? last * rest : last;
    }
    product = product.slice(1, 0, n / 2) * product.slice(1, n / 2, n / 2 * 2);
  }
  return apart(rounded((rest.defined() ? product * rest : product).reshape(result), x), x);
}

namespace {
Tensor flags(const Tensor& x) { return x.dtype() == boolean ? x : x != false; }
}  // namespace

Tensor any(const Tensor& x, const Dims& dims, bool keepdim) {
  const Reduced r = reduced("any", checked(x, "any")->shape, dims);
  if (r.terms == 0) return full(keepdim ? r.kept_as_one : r.without, false, boolean, x.device());
  return max(flags(x), dims, keepdim);
}

Tensor all(const Tensor& x, const Dims& dims, bool keepdim) {
  const Reduced r = reduced("all", checked(x, "all")->shape, dims);
  if (r.terms == 0) return full(keepdim ? r.kept_as_one : r.without, true, boolean, x.device());
  return min(flags(x), dims, keepdim);
}

Tensor count_nonzero(const Tensor& x, const Dims& dims, bool keepdim) {
  reduced("count_nonzero", checked(x, "count_nonzero")->shape, dims);
  return sum(x != false, dims, keepdim);
}

Tensor nansum(const Tensor& x, const Dims& dims, bool keepdim) {
  reduced("nansum", checked(x, "nansum")->shape, dims);
  return is_floating(x.dtype()) ? sum(where(isnan(x), 0, x), dims, keepdim) : sum(x, dims, keepdim);
}

Tensor nanmean(const Tensor& x, const Dims& dims, bool keepdim) {
  reduced("nanmean", checked(x, "nanmean")->shape, dims);
  if (is_half(x.dtype())) return nanmean(x.to(f32), dims, keepdim).to(x.dtype());
  const Tensor counted = sum(x == x, dims, keepdim);
  const Tensor total = nansum(real(x), dims, keepdim);
  return total / counted.to(total.dtype());
}

namespace {
struct VarianceAttribute {
  Dims dims;
  Shape kept_as_one;
  double divisor;
};
}  // namespace

// About a mean that is rounded; by how much is seen in what is left of the sum (Chan, Golub and LeVeque 1983).
Tensor var(const Tensor& x, const Dims& dims, const VarianceOptions& options) {
  static constexpr OpInfo op{"var", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<VarianceAttribute>();
                               const Tensor x = node.saved(0), centred = x - mean(x.detach(), a.dims, true);
                               out[0] =
                                   g.reshape(a.kept_as_one) * (2 / a.divisor) * (centred - mean(centred, a.dims, true));
                             }};
  const Reduced r = reduced("var", checked(x, "var")->shape, dims);
  if (is_half(x.dtype())) return var(x.to(f32), dims, options).to(x.dtype());
  const Tensor input = real(x), values = input.detach();
  Tensor centred = values - mean(values, dims, true);
  const Tensor rest = sum(centred, dims, options.keepdim);
  const double terms = static_cast<double>(r.terms), divisor = std::max(terms - options.correction, 0.0);
  Tensor squares = sum(centred.mul_(centred), dims, options.keepdim);
  squares.add_(square(rest), -1 / terms);
  const Tensor out = relu(squares) / divisor;
  internal::tape_with(op, out, {{input, true}}, VarianceAttribute{dims, r.kept_as_one, divisor});
  return out;
}

namespace {
// f where x > 0, elsewhere x itself, 0 or NaN, with a derivative of 0: roots are too steep there.
template <class F>
Tensor where_positive(const Tensor& x, F f) {
  const Tensor safe = x > 0;
  return where(safe, f(where(safe, x, 1)), x.detach());
}
}  // namespace

Tensor std(const Tensor& x, const Dims& dims, const VarianceOptions& options) {
  reduced("std", checked(x, "std")->shape, dims);
  if (is_half(x.dtype())) return std(x.to(f32), dims, options).to(x.dtype());
  return where_positive(var(x, dims, options), [](const Tensor& v) { return sqrt(v); });
}

Tensor norm(const Tensor& x, const Dims& dims, const NormOptions& options) {
  const double p = options.p, infinity = std::numeric_limits<double>::infinity();
  const Reduced r = reduced("norm", checked(x, "norm")->shape, dims);
  if (std::isnan(p)) internal::throw_value("norm", "a number p", "NaN");
  if (std::isinf(p) && r.terms == 0) throw_shape("norm", "at least one element", to_string(x.shape()));
  if (is_half(x.dtype())) return norm(x.to(f32), dims, options).to(x.dtype());
  const Tensor input = real(x);
  const auto total = [&](const Tensor& terms) { return sum(terms, dims, options.keepdim); };
  if (p == infinity) return max(abs(input), dims, options.keepdim);
  if (p == -infinity) return min(abs(input), dims, options.keepdim);
  if (p == 0) return total(where(input == 0, 0 * input, 1));
  if (p == 1) return total(abs(input));
  if (p == 2) return where_positive(total(square(input)), [](const Tensor& s) { return sqrt(s); });
  const Tensor zero = input == 0;
  const Tensor powers = where(zero, p > 0 ? 0 : infinity, pow(where(zero, 1, abs(input)), p));
  return where_positive(total(powers), [=](const Tensor& s) { return pow(s, 1 / p); });
}

namespace {

Tensor running_sum(const Tensor& x, int dim, bool reverse);

struct Running {
  int dim;
  bool reverse;
};

// The gradient runs the other way.
Tensor running_sum(const Tensor& x, int dim, bool reverse) {
  static constexpr OpInfo op{"cumsum", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<Running>();
                               out[0] = running_sum(g, a.dim, !a.reverse);
                             }};
  const Tensor from = x.contiguous();
  const Shape& shape = from.shape();
  Tensor out = internal::new_tensor(shape, from.dtype(), from.device());
  kernels::CumulateArgs args{1, size_of_any(shape, dim), 1, from.impl()->data, out.impl()->data, reverse};
  for (int d = 0; d < dim; ++d) args.outer *= shape[d];
  for (int d = dim + 1; d < shape.size(); ++d) args.inner *= shape[d];
  kernels::cumsum(from.device(), from.dtype(), args);
  internal::tape_with(op, out, {{from}}, Running{dim, reverse});
  return out;
}

}  // namespace

Tensor cumsum(const Tensor& x, int dim) {
  dim = wrap_any_dim("cumsum", dim, checked(x, "cumsum")->shape.size());
  return rounded(running_sum(summed(x), dim, false), x);
}

Tensor cumprod(const Tensor& x, int dim) {
  const Shape& shape = checked(x, "cumprod")->shape;
  dim = wrap_any_dim("cumprod", dim, shape.size());
  const std::int64_t n = size_of_any(shape, dim);
  // Every element takes in the one `step` before it, which holds as many factors.
  Tensor product = summed(x);
  for (std::int64_t step = 1; step < n; step *= 2) {
    const Tensor next = product.slice(dim, step, n) * product.slice(dim, 0, n - step);
    product = cat({product.slice(dim, 0, step), next}, dim);
  }
  return apart(rounded(product, x), x);
}

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  const Reduced r = reduced("logsumexp", checked(x, "logsumexp")->shape, dims);
  if (r.terms == 0) throw_shape("logsumexp", "at least one element", to_string(x.shape()));
  if (is_half(x.dtype())) return logsumexp(x.to(f32), dims, keepdim).to(x.dtype());
  const Tensor input = real(x);
  const Tensor largest = max(input.detach(), dims, true);
  // No row is shifted by an infinity: ∞ - ∞ would be NaN.
  const double most = input.dtype() == f64 ? std::numeric_limits<double>::max() : std::numeric_limits<float>::max();
  const Tensor shift = clamp(largest, -most, most);
  const Tensor result = log(sum(exp(input - shift), dims, true)) + shift;
  return keepdim ? result : result.reshape(r.without);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  const Shape& from = checked(x, "sum_to")->shape;
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
Tensor Tensor::sum(const Dims& dims, bool keepdim) const { return tern::sum(*this, dims, keepdim); }
Tensor Tensor::mean() const { return tern::mean(*this); }
Tensor Tensor::mean(const Dims& dims, bool keepdim) const { return tern::mean(*this, dims, keepdim); }
Tensor Tensor::max() const { return tern::max(*this); }
Tensor Tensor::max(int dim, bool keepdim) const { return tern::max(*this, {dim}, keepdim); }
Tensor Tensor::min() const { return tern::min(*this); }
Tensor Tensor::min(int dim, bool keepdim) const { return tern::min(*this, {dim}, keepdim); }
Tensor Tensor::prod() const { return tern::prod(*this); }
Tensor Tensor::prod(int dim, bool keepdim) const { return tern::prod(*this, {dim}, keepdim); }
Tensor Tensor::any() const { return tern::any(*this); }
Tensor Tensor::any(int dim, bool keepdim) const { return tern::any(*this, {dim}, keepdim); }
Tensor Tensor::all() const { return tern::all(*this); }
Tensor Tensor::all(int dim, bool keepdim) const { return tern::all(*this, {dim}, keepdim); }
Tensor Tensor::var() const { return tern::var(*this); }
Tensor Tensor::var(int dim, bool keepdim) const { return tern::var(*this, {dim}, {.keepdim = keepdim}); }
Tensor Tensor::std() const { return tern::std(*this); }
Tensor Tensor::std(int dim, bool keepdim) const { return tern::std(*this, {dim}, {.keepdim = keepdim}); }
Tensor Tensor::norm() const { return tern::norm(*this); }
Tensor Tensor::argmin() const {
  checked(*this, "argmin");
  return tern::argmin(reshape({-1}), 0);
}
Tensor Tensor::argmin(int dim, bool keepdim) const { return tern::argmin(*this, dim, keepdim); }
Tensor Tensor::argmax() const {
  checked(*this, "argmax");
  return tern::argmax(reshape({-1}), 0);
}
Tensor Tensor::argmax(int dim, bool keepdim) const { return tern::argmax(*this, dim, keepdim); }

}  // namespace tern
