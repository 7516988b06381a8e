#include "tern/ops/shape.h"

#include <algorithm>

#include "autograd/node.h"
#include "slots.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern {

using internal::checked;
using internal::Node;
using internal::OpInfo;
using internal::throw_shape;
using internal::wrap_dim;

namespace {
struct DimAttribute {
  int dim;
};
struct CatAttribute {
  int dim;
  std::vector<std::int64_t> sizes;
};
}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, int dim) {
  static constexpr OpInfo op{"cat",
                             [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& [dim, sizes] = node.attributes<CatAttribute>();
                               std::int64_t at = 0;
                               for (std::size_t i = 0; i < sizes.size(); ++i) {
                                 if (node.wants(static_cast<int>(i))) out[i] = g.slice(dim, at, at + sizes[i]);
                                 at += sizes[i];
                               }
                             },
                             nullptr, &internal::drop_attributes<CatAttribute>};
  if (tensors.empty()) internal::throw_value("cat", "at least one tensor", "none");
  Shape shape = checked(tensors[0])->shape;
  dim = wrap_dim("cat", dim, shape.size());
  DType dtype = tensors[0].dtype();
  shape[dim] = 0;
  for (const Tensor& x : tensors) {
    Shape other = checked(x)->shape;
    const std::int64_t size = dim < other.size() ? other[dim] : 0;
    if (dim < other.size()) other[dim] = 0;
    Shape fixed = shape;
    fixed[dim] = 0;
    if (!(other == fixed)) {
      throw_shape("cat",
                  "shapes equal to " + to_string(tensors[0].shape()) + " but in dimension " + std::to_string(dim),
                  to_string(x.shape()));
    }
    shape[dim] += size;
    dtype = promote(dtype, x.dtype());
  }
  Tensor out = internal::new_tensor(shape, dtype);
  std::vector<Tensor> converted;
  converted.reserve(tensors.size());
  std::vector<internal::In> inputs;
  inputs.reserve(tensors.size());
  std::int64_t at = 0;
  for (const Tensor& x : tensors) {
    converted.push_back(x.to(dtype));
    const std::int64_t size = x.size(dim);
    if (size > 0) internal::copy_elements(out.slice(dim, at, at + size), converted.back());
    at += size;
  }
  for (const Tensor& x : converted) inputs.push_back({x, false});
  Node* node = internal::tape(op, out, inputs.data(), inputs.size(), false, sizeof(CatAttribute));
  if (node) {
    auto* attribute = new (node->attribute_memory()) CatAttribute{dim, {}};
    node->has_attributes = true;
    for (const Tensor& x : tensors) attribute->sizes.push_back(x.size(dim));
  }
  return out;
}

Tensor stack(const std::vector<Tensor>& tensors, int dim) {
  if (tensors.empty()) internal::throw_value("stack", "at least one tensor", "none");
  const Shape& shape = checked(tensors[0])->shape;
  dim = wrap_dim("stack", dim, shape.size() + 1);
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (const Tensor& x : tensors) {
    if (!(checked(x)->shape == shape)) {
      throw_shape("stack", "tensors of shape " + to_string(shape), to_string(x.shape()));
    }
    rows.push_back(x.unsqueeze(dim));
  }
  return cat(rows, dim);
}

namespace {

Tensor checked_index(const char* where, const Tensor& index, std::int64_t size) {
  const auto* impl = checked(index);
  if (impl->dtype != i64) internal::throw_dtype(where, "an index of type i64", std::string(name(impl->dtype)));
  if (impl->shape.size() != 1) throw_shape(where, "an index of one dimension", to_string(impl->shape));
  Tensor flat = index.contiguous();
  for (std::int64_t i : flat.span<std::int64_t>()) {
    if (i < 0 || i >= size) {
      throw IndexError("[" + std::string(where) + "] expected indices in [0, " + std::to_string(size) + "), got " +
                       std::to_string(i));
    }
  }
  return flat;
}

kernels::IndexArgs index_args(const Shape& shape, int dim, const Tensor& index) {
  kernels::IndexArgs args{1, shape[dim], 1, index.numel(), index.span<std::int64_t>().data(), nullptr, nullptr};
  for (int d = 0; d < dim; ++d) args.outer *= shape[d];
  for (int d = dim + 1; d < shape.size(); ++d) args.inner *= shape[d];
  return args;
}

struct IndexAttribute {
  Shape shape;
  int dim;
};

}  // namespace

Tensor index_select(const Tensor& x, int dim, const Tensor& index) {
  static constexpr OpInfo op{"index_select", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<IndexAttribute>();
                               out[0] = index_add(zeros(a.shape, g.dtype()), a.dim, node.saved(1), g);
                             }};
  Shape shape = checked(x)->shape;
  dim = wrap_dim("index_select", dim, shape.size());
  const Tensor rows = checked_index("index_select", index, shape[dim]);
  const Tensor from = x.detach().contiguous();
  kernels::IndexArgs args = index_args(shape, dim, rows);
  shape[dim] = rows.numel();
  Tensor out = internal::new_tensor(shape, x.dtype());
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
  const Shape& shape = checked(x)->shape;
  dim = wrap_dim("index_add", dim, shape.size());
  const Tensor rows = checked_index("index_add", index, shape[dim]);
  Shape expected = shape;
  expected[dim] = rows.numel();
  if (!(checked(source)->shape == expected)) {
    throw_shape("index_add", "a source of shape " + to_string(expected), to_string(source.shape()));
  }
  if (source.dtype() != x.dtype()) {
    internal::throw_dtype("index_add", "a source of type " + std::string(name(x.dtype())),
                          std::string(name(source.dtype())));
  }
  const Tensor from = source.detach().contiguous();
  Tensor out = internal::new_tensor(shape, x.dtype());
  internal::copy_elements(out, x);
  kernels::IndexArgs args = index_args(shape, dim, rows);
  args.from = from.impl()->data;
  args.to = out.impl()->data;
  kernels::index_add(x.device(), x.dtype(), args);
  internal::tape_with(op, out, {{x}, {rows, true}, {source}}, DimAttribute{dim});
  return out;
}

Tensor slice_scatter(const Tensor& x, const Tensor& source, int dim, std::int64_t begin, std::int64_t end,
                     std::int64_t step) {
  struct Range {
    std::int64_t dim, begin, end, step;
  };
  static constexpr OpInfo op{"slice_scatter", [](const Node& node, const Tensor& g, Tensor* out) {
                               const Range& r = node.attributes<Range>();
                               const int dim = static_cast<int>(r.dim);
                               const Tensor inside = g.slice(dim, r.begin, r.end, r.step);
                               if (node.wants(0)) {
                                 const Tensor none = zeros(inside.shape(), g.dtype());
                                 out[0] = slice_scatter(g, none, dim, r.begin, r.end, r.step);
                               }
                               if (node.wants(1)) out[1] = inside;
                             }};
  checked(source);
  dim = wrap_dim("slice_scatter", dim, checked(x)->shape.size());
  if (step < 1) internal::throw_value("slice_scatter", "a step of at least 1", std::to_string(step));
  Tensor out = internal::new_tensor(x.shape(), x.dtype());
  const Tensor inside = out.slice(dim, begin, end, step);
  if (!(inside.shape() == source.shape())) {
    throw_shape("slice_scatter", "a source of shape " + to_string(inside.shape()), to_string(source.shape()));
  }
  if (source.dtype() != x.dtype()) {
    internal::throw_dtype("slice_scatter", "a source of type " + std::string(name(x.dtype())),
                          std::string(name(source.dtype())));
  }
  internal::copy_elements(out, x);
  internal::copy_elements(inside, source);
  internal::tape_with(op, out, {{x}, {source}}, Range{dim, begin, end, step});
  return out;
}

}  // namespace tern
