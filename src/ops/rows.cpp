#include "ops/rows.h"

#include <string>
#include <utility>
#include <vector>

#include "autograd/extras.h"
#include "autograd/node.h"
#include "ops/index.h"
#include "slots/index.h"
#include "tern/ops/index.h"
#include "tern/ops/shape.h"
#include "tern/ops/sort.h"
#include "tern/tensor/creation.h"

namespace tern {

using internal::TensorImpl;

void internal::drop_rows(TensorImpl* leaf) noexcept {
  leaf->extras->row_index = leaf->extras->row_values = Tensor();
  leaf->grad_rows = false;
}

void internal::add_rows(TensorImpl* leaf, const Tensor& index, const Tensor& values) {
  const GradMode off(false);
  RowGradient rows{index, values};
  Extras& extras = extras_of(leaf->extras);
  if (leaf->grad_rows) rows = {cat({extras.row_index, index}), cat({extras.row_values, values})};
  const Distinct distinct = unique(rows.index);
  Shape shape = rows.values.shape();
  shape[0] = distinct.values.numel();
  extras.row_values = index_add(zeros(shape, values.dtype(), values.device()), 0, distinct.inverse, rows.values);
  extras.row_index = distinct.values;
  leaf->grad_rows = true;
}

namespace {
Tensor spread(const TensorImpl* leaf, const RowGradient& rows) {
  return index_add(zeros(leaf->shape, leaf->dtype, leaf->device), 0, rows.index, rows.values);
}
}  // namespace

Tensor internal::dense_gradient(const TensorImpl* leaf) {
  const GradMode off(false);
  const Tensor dense = spread(leaf, {leaf->extras->row_index, leaf->extras->row_values});
  Tensor all = leaf->grad_present ? dense + Tensor(share(leaf->grad)) : dense;
  // Whoever writes to a gradient means that of the leaf, which this is not.
  Foreign*& foreign = all.impl()->storage->foreign;
  if (!foreign) foreign = new Foreign{nullptr, nullptr, true, false};
  foreign->read_only = true;
  return all;
}

void internal::merge_rows(TensorImpl* leaf) {
  const GradMode off(false);
  const RowGradient rows{leaf->extras->row_index, leaf->extras->row_values};
  drop_rows(leaf);
  const Tensor dense = spread(leaf, rows);
  if (!leaf->grad) {
    leaf->grad = Tensor(dense).release();
  } else if (!leaf->grad_present) {
    Tensor(share(leaf->grad)).copy_(dense);
  } else {
    Tensor(share(leaf->grad)).add_(dense);
  }
  leaf->grad_present = true;
}

void step_rows(Tensor value, const RowGradient& gradient, const std::vector<Tensor>& states, const RowStep& step) {
  const auto* impl = internal::checked(value, "step_rows");
  Shape shape = impl->shape;
  if (shape.empty() || internal::checked(gradient.index, "step_rows")->shape.size() != 1) {
    internal::throw_shape("step_rows", "a value of rows and an index of one dimension",
                          to_string(shape) + " and " + to_string(gradient.index.shape()));
  }
  const Tensor index = internal::checked_index("step_rows", gradient.index, shape[0]);
  shape[0] = index.numel();
  if (!(internal::checked(gradient.values, "step_rows")->shape == shape)) {
    internal::throw_shape("step_rows", "a gradient of shape " + to_string(shape), to_string(gradient.values.shape()));
  }
  internal::check_devices("step_rows", value, gradient.index);
  internal::check_devices("step_rows", value, gradient.values);
  std::vector<Tensor> all{value};
  all.insert(all.end(), states.begin(), states.end());
  for (const Tensor& x : all) {
    if (!(internal::checked(x, "step_rows")->shape == impl->shape) || !x.is_contiguous()) {
      internal::throw_shape("step_rows", "contiguous tensors of shape " + to_string(impl->shape),
                            to_string(x.shape()) + (x.is_contiguous() ? "" : ", strided"));
    }
    internal::check_devices("step_rows", value, x);
    const bool state = &x != &all[0];
    if (x.dtype() != (state && is_half(impl->dtype) ? f32 : impl->dtype) || gradient.values.dtype() != impl->dtype) {
      internal::throw_dtype("step_rows", "one type, but f32 for the states of a half type",
                            std::string(name(impl->dtype)) + " beside " + std::string(name(x.dtype())) + " and " +
                                std::string(name(gradient.values.dtype())));
    }
  }
  for (const Tensor& x : all) internal::begin_write("step_rows", x);
  std::vector<Tensor> rows;
  for (const Tensor& x : all) rows.push_back(index_select(x.detach(), 0, index).reshape({-1}));
  step(rows[0], gradient.values.detach().contiguous().reshape({-1}), {rows.begin() + 1, rows.end()});
  for (std::size_t i = 0; i < all.size(); ++i) {
    kernels::IndexArgs args = internal::index_args(impl->shape, 0, index.numel(), index);
    args.from = rows[i].impl()->data;
    args.to = all[i].impl()->data;
    kernels::index_copy(value.device(), all[i].dtype(), args);
  }
}

RowGradient row_gradient(const Tensor& leaf) {
  TensorImpl* impl = internal::checked(leaf, "row_gradient");
  if (impl->grad_rows && impl->grad_present) internal::merge_rows(impl);
  if (!impl->grad_rows) return {};
  return {impl->extras->row_index, impl->extras->row_values};
}

}  // namespace tern
