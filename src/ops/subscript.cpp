#include <algorithm>
#include <string>
#include <vector>

#include "autograd/node.h"
#include "operands.h"
#include "ops/index.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/index.h"
#include "tern/ops/shape.h"
#include "tern/tensor/creation.h"

// x[{…}]: numbers, slices and axes give a view; tensors then choose rows of its neighbouring dimensions, merged.
namespace tern {
namespace {

using internal::checked;
using internal::throw_shape;

struct Selection {
  Tensor base;                  // the view
  std::vector<int> dims;        // of it that tensors index, ascending
  std::vector<Tensor> indices;  // i64, not yet wrapped
};

int dims_of(const char* where, const Index& index) {
  switch (index.kind()) {
    case Index::Kind::axis:
      return 0;
    case Index::Kind::tensor:
      return checked(index.tensor(), where)->dtype == boolean ? index.tensor().dim() : 1;
    default:
      return 1;
  }
}

// An index tensor, or what a mask stands for, takes the dimensions of the view from `d` on.
void add_tensor(const char* where, Selection& s, const Tensor& index, int d) {
  if (index.dtype() == i64 || index.dtype() == i32) {
    s.dims.push_back(d);
    s.indices.push_back(index.detach().to(i64));
    return;
  }
  if (index.dtype() != boolean) {
    internal::throw_dtype(where, "index tensors of type i64, i32 or bool", std::string(name(index.dtype())));
  }
  const Shape& mask = index.shape();
  for (int i = 0; i < mask.size(); ++i) {
    if (mask[i] != s.base.size(d + i)) {
      throw_shape(where,
                  "a mask of the sizes of dimension " + std::to_string(d) + " on of " + to_string(s.base.shape()),
                  to_string(mask));
    }
  }
  if (mask.empty()) throw_shape(where, "a mask of at least one dimension", "a mask of none");
  for (const Tensor& each : tern::where(index)) {
    s.dims.push_back(d++);
    s.indices.push_back(each);
  }
}

Selection selection_of(const char* where, const Tensor& x, const Index* indices, std::size_t count) {
  int named = 0, ellipses = 0, axes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    named += dims_of(where, indices[i]);
    axes += indices[i].kind() == Index::Kind::axis && indices[i].axis() == new_axis ? 1 : 0;
    ellipses += indices[i].kind() == Index::Kind::axis && indices[i].axis() == ellipsis ? 1 : 0;
  }
  const int dims = checked(x, where)->shape.size();
  if (ellipses > 1) throw_shape(where, "at most one ellipsis", std::to_string(ellipses));
  if (named > dims) {
    throw IndexError("[" + std::string(where) + "] expected indices for at most " + std::to_string(dims) +
                     " dimensions, got " + std::to_string(named));
  }
  internal::check_dims(where, dims + axes);
  Selection s{x, {}, {}};
  int d = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Index& index = indices[i];
    switch (index.kind()) {
      case Index::Kind::number:
        s.base = internal::select(where, s.base, d, index.number());
        break;
      case Index::Kind::slice:
        s.base = s.base.slice(d++, index.slice().begin, index.slice().end, index.slice().step);
        break;
      case Index::Kind::axis:
        if (index.axis() == new_axis) {
          s.base = s.base.unsqueeze(d++);
        } else {
          d += dims - named;
        }
        break;
      case Index::Kind::tensor:
        add_tensor(where, s, index.tensor(), d);
        d += dims_of(where, index);
        break;
    }
  }
  return s;
}

// What tensors index, as rows of one merged dimension.
struct Rows {
  Tensor merged;       // the view, its indexed dimensions brought together and made one
  int dim;             // that one
  Tensor index;        // [rows]
  Shape selected;      // the result's shape
  bool moved = false;  // the dimensions were not neighbours, and now lead
};

// Index i, into a dimension of `length` elements, counted from the front and where x lies. One that comes from the CPU,
// or goes there, is looked at here; of others a kernel finds what is out of bounds, for the next wait to throw: that of
// index_select, or, when there are several, of which one number is made, one before.
Tensor from_front(const char* where, const Selection& s, std::size_t i, const Tensor& x, std::int64_t length) {
  const Tensor& index = s.indices[i];
  if (index.device() != cpu() && x.device() != cpu()) {
    Tensor wrapped = tern::where(index < 0, index + length, index).to(x.device());
    if (s.indices.size() == 1) return wrapped;
    return index_select(arange(length, i64, x.device()), 0, wrapped.reshape({-1})).reshape(wrapped.shape());
  }
  Tensor wrapped = index.to(cpu()).clone();
  std::int64_t at = 0;
  for (std::int64_t& value : wrapped.mutable_span<std::int64_t>()) {
    if (value < -length || value >= length) {
      throw IndexError("[" + std::string(where) + "] expected indices in [" + std::to_string(-length) + ", " +
                       std::to_string(length) + ") of dimension " + std::to_string(s.dims[i]) + ", got " +
                       std::to_string(value) + " at position " + std::to_string(at));
    }
    if (value < 0) value += length;
    ++at;
  }
  return wrapped.to(x.device());
}

Rows rows_of(const char* where, const Selection& s) {
  Rows r;
  Shape index_shape;
  for (const Tensor& index : s.indices) index_shape = broadcast_shapes(where, index_shape, index.shape());
  const int count = static_cast<int>(s.dims.size());
  internal::check_dims(where, s.base.dim() - count + index_shape.size());
  r.moved = s.dims.back() - s.dims.front() + 1 != count;
  r.dim = r.moved ? 0 : s.dims.front();
  Tensor base = s.base;
  if (r.moved) {
    Dims from, to;
    for (int i = 0; i < count; ++i) {
      from.push_back(s.dims[static_cast<std::size_t>(i)]);
      to.push_back(i);
    }
    base = movedim(base, from, to);
  }
  Tensor linear = zeros({}, i64, base.device());
  Shape merged;
  for (int d = 0; d < r.dim; ++d) merged.push_back(base.size(d));
  r.selected = merged;
  std::int64_t size = 1;
  for (int i = 0; i < count; ++i) {
    const std::int64_t length = base.size(r.dim + i);
    linear = linear * length + from_front(where, s, static_cast<std::size_t>(i), base, length);
    size *= length;
  }
  r.index = linear.expand(index_shape).reshape({-1});
  merged.push_back(size);
  for (std::int64_t length : index_shape) r.selected.push_back(length);
  for (int d = r.dim + count; d < base.dim(); ++d) {
    merged.push_back(base.size(d));
    r.selected.push_back(base.size(d));
  }
  r.merged = base.reshape(merged);
  return r;
}

Tensor taken(const char* where, const Tensor& x, const Index* indices, std::size_t count) {
  const Selection s = selection_of(where, x, indices, count);
  if (s.indices.empty()) return s.base;
  const Rows r = rows_of(where, s);
  return index_select(r.merged, r.dim, r.index).reshape(r.selected);
}

void check_values(const char* where, const Tensor& x, const Tensor& values, const Shape& selected) {
  if (checked(values, where)->dtype != checked(x, where)->dtype) {
    internal::throw_dtype(where, "values of type " + std::string(name(x.dtype())), std::string(name(values.dtype())));
  }
  if (!internal::is_number(values.impl())) internal::check_devices(where, x, values);
  if (!(broadcast_shapes(where, selected, values.shape()) == selected)) {
    throw_shape(where, "values that broadcast to " + to_string(selected), to_string(values.shape()));
  }
}

}  // namespace

Tensor Tensor::operator[](std::initializer_list<Index> indices) const {
  return taken("index", *this, indices.begin(), indices.size());
}

Tensor Tensor::operator[](const Index& index) const { return taken("index", *this, &index, 1); }

Tensor index_put(const Tensor& x, std::initializer_list<Index> indices, const Tensor& values, bool accumulate) {
  const Selection s =
      selection_of("index_put", checked(x, "index_put") ? x.detach() : x, indices.begin(), indices.size());
  const auto put = [&](const Tensor& to, int dim, const Tensor& index, const Tensor& source) {
    return accumulate ? index_add(to, dim, index, source) : index_copy(to, dim, index, source);
  };
  if (!s.indices.empty()) {
    const Rows r = rows_of("index_put", s);
    check_values("index_put", x, values, r.selected);
    if (!r.moved && s.base.shape() == x.shape()) {
      Shape rows = r.merged.shape();
      rows[r.dim] = r.index.numel();
      const Tensor source = values.to(x.device()).expand(r.selected).reshape(rows);
      return put(x.reshape(r.merged.shape()), r.dim, r.index, source).reshape(x.shape());
    }
  }
  // In general: where each selected element lies in a flattened x.
  const Tensor places =
      taken("index_put", arange(x.numel(), i64, x.device()).reshape(x.shape()), indices.begin(), indices.size());
  check_values("index_put", x, values, places.shape());
  const Tensor source = values.to(x.device()).expand(places.shape()).reshape({-1});
  return put(x.reshape({-1}), 0, places.reshape({-1}), source).reshape(x.shape());
}

Tensor& Tensor::index_put_(std::initializer_list<Index> indices, const Tensor& values, bool accumulate) {
  checked(values, "index_put_");
  internal::check_untaped("index_put_", values);
  const Selection s =
      selection_of("index_put_", checked(*this, "index_put_") ? detach() : *this, indices.begin(), indices.size());
  if (s.indices.empty()) {
    check_values("index_put_", *this, values, s.base.shape());
    internal::begin_write("index_put_", *this);
    Tensor part = s.base;
    accumulate ? part.add_(values) : part.copy_(values);
    return *this;
  }
  const Rows r = rows_of("index_put_", s);
  check_values("index_put_", *this, values, r.selected);
  internal::begin_write("index_put_", *this);
  Shape rows = r.merged.shape();
  rows[r.dim] = r.index.numel();
  const DType computed = accumulate && is_half(impl_->dtype) ? f32 : impl_->dtype;
  const Tensor source = values.detach().to(impl_->device).expand(r.selected).reshape(rows).clone().to(computed);
  // A copy where the chosen part does not lie in one piece, or is not what sums are computed in.
  Tensor to = r.merged.to(computed).contiguous();
  kernels::IndexArgs args = internal::index_args(to.shape(), r.dim, r.index.numel(), r.index);
  args.from = source.impl()->data;
  args.to = to.impl()->data;
  (accumulate ? kernels::index_add : kernels::index_copy)(impl_->device, computed, args);
  if (accumulate) internal::check_in_anomaly("index_put_", to);
  if (to.impl()->storage != impl_->storage) {
    Tensor base = s.base;
    if (r.moved) {
      Dims from, back;
      for (std::size_t i = 0; i < s.dims.size(); ++i) {
        from.push_back(s.dims[i]);
        back.push_back(static_cast<std::int64_t>(i));
      }
      base = movedim(base, from, back);
    }
    base.copy_(to.reshape(base.shape()));
  }
  return *this;
}

}  // namespace tern
