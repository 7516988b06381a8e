#include "tern/ops/index.h"

#include "ops/index.h"

#include <algorithm>
#include <string>

#include "autograd/node.h"
#include "operands.h"
#include "slots/elementwise.h"
#include "slots/index.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

namespace tern {

using internal::checked;
using internal::checked_index;
using internal::index_args;
using internal::Node;
using internal::OpInfo;
using internal::size_of_any;
using internal::throw_dtype;
using internal::throw_shape;
using internal::wrap_any_dim;
using internal::wrap_dim;

Tensor internal::checked_index(const char* where, const Tensor& index, std::int64_t size) {
  const auto* impl = checked(index, where);
  if (impl->dtype != i64 && impl->dtype != i32) {
    throw_dtype(where, "an index of type i64 or i32", std::string(name(impl->dtype)));
  }
  Tensor flat = index.detach().to(i64).contiguous();
  if (flat.device() != cpu()) return flat;  // its kernels look as they go, and synchronize() throws
  const auto all = flat.span<std::int64_t>();
  bool outside = false;
  for (std::int64_t i : all) outside |= static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(size);
  if (!outside) return flat;
  std::int64_t at = 0;
  while (all[static_cast<std::size_t>(at)] >= 0 && all[static_cast<std::size_t>(at)] < size) ++at;
  Shape place = impl->shape;
  std::int64_t rest = at;
  for (int d = place.size() - 1; d >= 0; --d) {
    const std::int64_t length = impl->shape[d];
    place[d] = rest % length;
    rest /= length;
  }
  throw IndexError("[" + std::string(where) + "] expected indices in [0, " + std::to_string(size) + "), got " +
                   std::to_string(all[static_cast<std::size_t>(at)]) + " at " + to_string(place));
}

kernels::IndexArgs internal::index_args(const Shape& shape, int dim, std::int64_t count, const Tensor& index) {
  const auto* at = reinterpret_cast<const std::int64_t*>(index.impl()->data);
  kernels::IndexArgs args{1, size_of_any(shape, dim), 1, count, at, nullptr, nullptr};
  for (int d = 0; d < dim; ++d) args.outer *= shape[d];
  for (int d = dim + 1; d < shape.size(); ++d) args.inner *= shape[d];
  return args;
}

void internal::check_kind(const char* where, DType dtype, Scalar value) {
  if (value.promoted(dtype) != dtype) {
    throw_dtype(where, "a value of the kind of " + std::string(name(dtype)), std::string(name(value.promoted(dtype))));
  }
  check_fits(where, value, dtype);
}

namespace {

using Slot = kernels::KernelSlot<kernels::IndexFn>;

struct DimAttribute {
  int dim;
};

struct IndexAttribute {
  Shape shape;
  int dim;
};

// The index of rows of x's dimension `dim`, whose number `shape`, x's, gets there. Of no dimensions, x is one row.
Tensor checked_rows(const char* where, const Tensor& x, int dim, const Tensor& index, Shape& shape) {
  internal::check_devices(where, x, index);
  const Shape& sizes = checked(index, where)->shape;
  if (sizes.size() != 1) throw_shape(where, "an index of one dimension", to_string(sizes));
  if (shape.empty() && sizes[0] != 1) throw_shape(where, "an index of one element", to_string(sizes));
  Tensor rows = checked_index(where, index, size_of_any(shape, dim));
  if (!shape.empty()) shape[dim] = sizes[0];
  return rows;
}

// A copy of x that the kernel has written `source` into.
Tensor written(const Slot& kernel, const Tensor& x, const Tensor& source, kernels::IndexArgs args) {
  const Tensor from = source.detach().contiguous();
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  internal::copy_elements(out, x);
  args.from = from.impl()->data;
  args.to = out.impl()->data;
  kernel(x.device(), x.dtype(), args);
  return out;
}

// The rows that index_add or index_copy put into x.
Tensor with_rows(const OpInfo& op, const Slot& kernel, const Tensor& x, int dim, const Tensor& index,
                 const Tensor& source) {
  Shape expected = checked(x, op.name)->shape;
  dim = wrap_any_dim(op.name, dim, expected.size());
  const Tensor rows = checked_rows(op.name, x, dim, index, expected);
  internal::check_source(op.name, expected, x, source);
  if (is_half(x.dtype()) && &kernel == &kernels::index_add) {
    return with_rows(op, kernel, x.to(f32), dim, rows, source.to(f32)).to(x.dtype());
  }
  Tensor out = written(kernel, x, source, index_args(x.shape(), dim, rows.numel(), rows));
  internal::tape_with(op, out, {{x}, {rows, true}, {source}}, DimAttribute{dim});
  return out;
}

}  // namespace

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  static constexpr OpInfo op{"index_select", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<IndexAttribute>();
                               out[0] = index_add(zeros(a.shape, g.dtype(), g.device()), a.dim, node.saved(1), g);
                             }};
  Shape shape = checked(x, "index_select")->shape;
  dim = wrap_any_dim("index_select", dim, shape.size());
  const Tensor rows = checked_rows("index_select", x, dim, index, shape);
  kernels::IndexArgs args = index_args(x.shape(), dim, rows.numel(), rows);
  Tensor out = internal::new_tensor(shape, x.dtype(), x.device(), "index_select");
  const Tensor from = x.detach().contiguous();
  args.from = from.impl()->data;
  args.to = out.impl()->data;
  kernels::index_select(x.device(), x.dtype(), args);
  internal::tape_with(op, out, {{x}, {rows, true}}, IndexAttribute{x.shape(), dim});
  return out;
}

Tensor index_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  static constexpr OpInfo op{"index_add", [](const Node& node, const Tensor& g, Tensor* out) {
                               if (node.wants(0)) out[0] = g;
                               if (node.wants(2)) {
                                 out[2] = index_select(g, node.attributes<DimAttribute>().dim, node.saved(1));
                               }
                             }};
  return with_rows(op, kernels::index_add, x, dim, index, source);
}

Tensor index_copy(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  static constexpr OpInfo op{"index_copy", [](const Node& node, const Tensor& g, Tensor* out) {
                               const int dim = node.attributes<DimAttribute>().dim;
                               const Tensor rows = node.saved(1);
                               if (node.wants(0)) out[0] = index_fill(g, dim, rows, 0);
                               if (node.wants(2)) {
                                 const std::int64_t size = size_of_any(g.shape(), dim);
                                 // Of rows at one index, the last alone reached the result.
                                 const Tensor order = arange(rows.numel(), i64, g.device());
                                 const Tensor last =
                                     index_select(index_copy(zeros({size}, i64, g.device()), 0, rows, order), 0, rows);
                                 Shape along;
                                 for (int d = 0; d < g.dim(); ++d) along.push_back(d == dim ? rows.numel() : 1);
                                 out[2] = where((last == order).reshape(along), index_select(g, dim, rows), 0);
                               }
                             }};
  return with_rows(op, kernels::index_copy, x, dim, index, source);
}

Tensor index_fill(const Tensor& x, int dim, const Tensor& index, Scalar value) {
  Shape shape = checked(x, "index_fill")->shape;
  dim = wrap_any_dim("index_fill", dim, shape.size());
  const Tensor rows = checked_rows("index_fill", x, dim, index, shape);
  internal::check_kind("index_fill", x.dtype(), value);
  return index_copy(x, dim, rows, full({}, value, x.dtype(), x.device()).expand(shape));
}

namespace {

// `x` cut to the sizes of `index` in every other dimension.
Tensor cut(const char* where, const Tensor& x, int dim, const Tensor& index) {
  const Shape &shape = checked(x, where)->shape, &sizes = checked(index, where)->shape;
  if (shape.size() != sizes.size()) {
    throw_shape(where, "an index of " + std::to_string(shape.size()) + " dimensions", to_string(sizes));
  }
  Tensor out = x;
  for (int d = 0; d < shape.size(); ++d) {
    if (d == dim || sizes[d] == shape[d]) continue;
    if (sizes[d] > shape[d]) {
      throw_shape(where, "an index no larger than " + to_string(shape) + " but in dimension " + std::to_string(dim),
                  to_string(sizes));
    }
    out = out.slice(d, 0, sizes[d]);
  }
  return out;
}

// x with `part`, cut from it, replaced.
Tensor put_back(const Tensor& x, const Tensor& part, int d) {
  for (; d < x.dim(); ++d) {
    if (x.size(d) != part.size(d)) break;
  }
  if (d == x.dim()) return part;
  const std::int64_t size = part.size(d);
  return slice_scatter(x, put_back(x.slice(d, 0, size), part, d + 1), d, 0, size);
}

// scatter and scatter_add.
Tensor with_elements(const OpInfo& op, const Slot& kernel, const Tensor& x, int dim, const Tensor& index,
                     const Tensor& source) {
  dim = wrap_any_dim(op.name, dim, checked(x, op.name)->shape.size());
  const Tensor part = cut(op.name, x, dim, index);
  internal::check_devices(op.name, x, index);
  const Tensor places = checked_index(op.name, index, size_of_any(x.shape(), dim));
  const Shape& sizes = index.shape();
  Tensor from = source;
  if (checked(source, op.name)->shape.size() == sizes.size()) {
    for (int d = 0; d < sizes.size(); ++d) from = from.slice(d, 0, sizes[d]);
  }
  internal::check_source(op.name, sizes, x, from);
  if (is_half(x.dtype()) && &kernel == &kernels::scatter_add) {
    return with_elements(op, kernel, x.to(f32), dim, places, source.to(f32)).to(x.dtype());
  }
  const std::int64_t count = size_of_any(sizes, dim);
  Tensor out = written(kernel, part, from, index_args(part.shape(), dim, count, places));
  internal::tape_with(op, out, {{part}, {places, true}, {from}}, DimAttribute{dim});
  return put_back(x, out, 0);
}

}  // namespace

Tensor gather(const Tensor& x, int dim, const Tensor& index) {
  static constexpr OpInfo op{"gather", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<IndexAttribute>();
                               out[0] = scatter_add(zeros(a.shape, g.dtype(), g.device()), a.dim, node.saved(1), g);
                             }};
  dim = wrap_any_dim("gather", dim, checked(x, "gather")->shape.size());
  const Tensor part = cut("gather", x, dim, index);
  internal::check_devices("gather", x, index);
  const Tensor places = checked_index("gather", index, size_of_any(x.shape(), dim));
  const Tensor from = part.detach().contiguous();
  Tensor out = internal::new_tensor(index.shape(), x.dtype(), x.device());
  kernels::IndexArgs args = index_args(part.shape(), dim, size_of_any(index.shape(), dim), places);
  args.from = from.impl()->data;
  args.to = out.impl()->data;
  kernels::gather(x.device(), x.dtype(), args);
  internal::tape_with(op, out, {{part}, {places, true}}, IndexAttribute{part.shape(), dim});
  return out;
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, int dim) {
  Shape of_x = checked(x, "take_along_dim")->shape, of_index = checked(index, "take_along_dim")->shape;
  dim = wrap_dim("take_along_dim", dim, of_x.size());
  if (of_x.size() != of_index.size()) {
    throw_shape("take_along_dim", "an index of " + std::to_string(of_x.size()) + " dimensions", to_string(of_index));
  }
  const std::int64_t size = of_x[dim], count = of_index[dim];
  of_x[dim] = of_index[dim] = 1;
  Shape both = broadcast_shapes("take_along_dim", of_x, of_index);
  checked_index("take_along_dim", index, size);
  internal::check_devices("take_along_dim", x, index);
  both[dim] = size;
  const Tensor wide = x.expand(both);
  both[dim] = count;
  return gather(wide, dim, index.expand(both));
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  static constexpr OpInfo op{"scatter", [](const Node& node, const Tensor& g, Tensor* out) {
                               const int dim = node.attributes<DimAttribute>().dim;
                               const Tensor places = node.saved(1);
                               if (node.wants(0)) out[0] = scatter(g, dim, places, 0);
                               if (node.wants(2)) {
                                 // Of elements at one place, the last alone reached the result.
                                 const Tensor order = arange(places.numel(), i64, g.device()).reshape(places.shape());
                                 const Tensor last = gather(
                                     scatter(zeros(g.shape(), i64, g.device()), dim, places, order), dim, places);
                                 out[2] = where(last == order, gather(g, dim, places), 0);
                               }
                             }};
  return with_elements(op, kernels::scatter, x, dim, index, source);
}

Tensor scatter(const Tensor& x, int dim, const Tensor& index, Scalar value) {
  internal::check_kind("scatter", checked(x, "scatter")->dtype, value);
  return scatter(x, dim, index, full({}, value, x.dtype(), x.device()).expand(checked(index, "scatter")->shape));
}

Tensor scatter_add(const Tensor& x, int dim, const Tensor& index, const Tensor& source) {
  static constexpr OpInfo op{"scatter_add", [](const Node& node, const Tensor& g, Tensor* out) {
                               if (node.wants(0)) out[0] = g;
                               if (node.wants(2)) {
                                 out[2] = gather(g, node.attributes<DimAttribute>().dim, node.saved(1));
                               }
                             }};
  return with_elements(op, kernels::scatter_add, x, dim, index, source);
}

namespace {

void check_mask(const char* where, const Shape& shape, const Tensor& mask) {
  if (checked(mask, where)->dtype != boolean) {
    throw_dtype(where, "a mask of type bool", std::string(name(mask.dtype())));
  }
  if (!(broadcast_shapes(where, shape, mask.shape()) == shape)) {
    throw_shape(where, "a mask that broadcasts to " + to_string(shape), to_string(mask.shape()));
  }
}

// Indices [count, dims] of what `flags`, boolean and contiguous, has set among elements of `shape`.
Tensor set_indices(const Tensor& flags, const Shape& shape) {
  std::int64_t count = 0;
  kernels::NonzeroArgs args{shape, flags.impl()->data, nullptr, &count};
  kernels::nonzero(flags.device(), boolean, args);
  Tensor out = internal::new_tensor({count, shape.size()}, i64, flags.device());
  args.indices = reinterpret_cast<std::int64_t*>(out.impl()->data);
  if (count > 0) kernels::nonzero(flags.device(), boolean, args);
  return out;
}

// The mask's places in a flattened x.
Tensor places_of(const Tensor& mask, const Shape& shape) {
  const Tensor flags = mask.expand(shape).contiguous();
  return set_indices(flags, {flags.numel()}).reshape({-1});
}

}  // namespace

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  check_mask("masked_fill", checked(x, "masked_fill")->shape, mask);
  internal::check_kind("masked_fill", x.dtype(), value);
  internal::check_together("masked_fill", {&x, &mask});
  return where(mask, value, x);
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value) {
  check_mask("masked_fill", checked(x, "masked_fill")->shape, mask);
  if (!checked(value, "masked_fill")->shape.empty()) {
    throw_shape("masked_fill", "a value of no dimensions", to_string(value.shape()));
  }
  if (value.dtype() != x.dtype()) {
    throw_dtype("masked_fill", "a value of type " + std::string(name(x.dtype())), std::string(name(value.dtype())));
  }
  internal::check_together("masked_fill", {&x, &mask, &value});
  return where(mask, value, x);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  const Shape shape =
      broadcast_shapes("masked_select", checked(x, "masked_select")->shape, checked(mask, "masked_select")->shape);
  check_mask("masked_select", shape, mask);
  internal::check_devices("masked_select", x, mask);
  return index_select(x.expand(shape).reshape({-1}), 0, places_of(mask, shape));
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  check_mask("masked_scatter", checked(x, "masked_scatter")->shape, mask);
  internal::check_devices("masked_scatter", x, mask);
  internal::check_devices("masked_scatter", x, source);
  const Tensor places = places_of(mask, x.shape());
  if (checked(source, "masked_scatter")->numel < places.numel()) {
    throw_shape("masked_scatter", "a source of at least " + std::to_string(places.numel()) + " elements",
                to_string(source.shape()));
  }
  if (source.dtype() != x.dtype()) {
    throw_dtype("masked_scatter", "a source of type " + std::string(name(x.dtype())),
                std::string(name(source.dtype())));
  }
  const Tensor taken = source.reshape({-1}).slice(0, 0, places.numel());
  return index_copy(x.reshape({-1}), 0, places, taken).reshape(x.shape());
}

Tensor nonzero(const Tensor& x) {
  const Tensor flags = checked(x, "nonzero")->dtype == boolean ? x.detach().contiguous() : x.detach() != 0;
  return set_indices(flags.contiguous(), x.shape());
}

std::vector<Tensor> where(const Tensor& condition) {
  checked(condition, "where");
  return unbind(nonzero(condition), 1);
}

namespace {

// One more than the largest of `index`, at least `least`. Throws IndexError on a negative one.
std::int64_t length_for(const char* where, const Tensor& index, std::int64_t least) {
  checked(index, where);
  const Tensor flat = checked_index(where, index.to(cpu()), INT64_MAX);
  for (std::int64_t i : flat.span<std::int64_t>()) least = std::max(least, i + 1);
  return least;
}

}  // namespace

Tensor one_hot(const Tensor& index, std::int64_t classes) {
  if (classes < -1) internal::throw_value("one_hot", "a number of classes, or -1", std::to_string(classes));
  if (classes == -1) classes = length_for("one_hot", index, 0);
  Shape shape = checked(index, "one_hot")->shape;
  internal::check_dims("one_hot", shape.size() + 1);
  shape.push_back(classes);
  internal::checked_numel("one_hot", shape);
  checked_index("one_hot", index, classes);
  return (index.unsqueeze(-1) == arange(classes, i64, index.device())).to(i64);
}

Tensor bincount(const Tensor& x, std::int64_t min_length) {
  const auto* impl = checked(x, "bincount");
  return bincount(x, ones(impl->shape, i64, impl->device), min_length);
}

Tensor bincount(const Tensor& x, const Tensor& weights, std::int64_t min_length) {
  if (checked(x, "bincount")->shape.size() != 1 || !(checked(weights, "bincount")->shape == x.shape())) {
    throw_shape("bincount", "a vector, and weights of its shape",
                to_string(x.shape()) + " and " + to_string(checked(weights, "bincount")->shape));
  }
  internal::check_devices("bincount", x, weights);
  if (min_length < 0) internal::throw_value("bincount", "a length of at least 0", std::to_string(min_length));
  const std::int64_t length = length_for("bincount", x, min_length);
  internal::checked_numel("bincount", {length});
  return index_add(zeros({length}, weights.dtype(), weights.device()), 0, x, weights);
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool right) {
  const Shape rows = checked(sorted, "searchsorted")->shape, shape = checked(values, "searchsorted")->shape;
  bool fits = rows.size() == 1 || (!rows.empty() && rows.size() == shape.size());
  for (int d = 0; fits && rows.size() > 1 && d < rows.size() - 1; ++d) fits = rows[d] == shape[d];
  if (!fits) {
    throw_shape("searchsorted", "sorted [n], or [..., n] and values [..., m]",
                to_string(rows) + " and " + to_string(shape));
  }
  internal::check_devices("searchsorted", sorted, values);
  if (sorted.dtype() != values.dtype()) {
    throw_dtype("searchsorted", "sorted and values of one type",
                std::string(name(sorted.dtype())) + " and " + std::string(name(values.dtype())));
  }
  if (is_half(sorted.dtype())) return searchsorted(sorted.to(f32), values.to(f32), right);
  const Tensor from = sorted.detach().contiguous(), what = values.detach().contiguous();
  Tensor out = internal::new_tensor(shape, i64, from.device());
  const std::int64_t count = rows.size() == 1 ? what.numel() : shape.back();
  const kernels::SearchArgs args{count == 0 ? 0 : what.numel() / count,
                                 rows.back(),
                                 count,
                                 rows.size() == 1 ? 0 : rows.back(),
                                 from.impl()->data,
                                 what.impl()->data,
                                 reinterpret_cast<std::int64_t*>(out.impl()->data),
                                 right};
  if (args.outer > 0) kernels::searchsorted(from.device(), from.dtype(), args);
  return out;
}

Tensor& Tensor::masked_fill_(const Tensor& mask, Scalar value) {
  check_mask("masked_fill_", checked(*this, "masked_fill_")->shape, mask);
  internal::check_kind("masked_fill_", impl_->dtype, value);
  internal::begin_write("masked_fill_", *this);
  const Tensor filling = full({}, value, impl_->dtype), flags = impl_->dtype == boolean ? mask.clone() : mask;
  kernels::where(impl_->device, impl_->dtype, internal::make_loop(*this, &flags, &filling, this));
  return *this;
}

}  // namespace tern
