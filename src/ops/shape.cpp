#include "tern/ops/shape.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "autograd/node.h"
#include "operands.h"
#include "ops/index.h"
#include "tensor_loop.h"
#include "tern/base/error.h"
#include "tern/ops/binary.h"
#include "tern/ops/index.h"
#include "tern/tensor/creation.h"

namespace tern {

using internal::checked;
using internal::Node;
using internal::OpInfo;
using internal::throw_shape;
using internal::wrap_any_dim;
using internal::wrap_dim;

namespace {
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
  Shape shape = checked(tensors[0], "cat")->shape;
  dim = wrap_dim("cat", dim, shape.size());
  DType dtype = tensors[0].dtype();
  shape[dim] = 0;
  for (const Tensor& x : tensors) {
    Shape other = checked(x, "cat")->shape;
    internal::check_devices("cat", tensors[0], x);
    const std::int64_t size = dim < other.size() ? other[dim] : 0;
    if (dim < other.size()) other[dim] = 0;
    Shape fixed = shape;
    fixed[dim] = 0;
    if (!(other == fixed)) {
      throw_shape("cat",
                  "shapes equal to " + to_string(tensors[0].shape()) + " but in dimension " + std::to_string(dim),
                  to_string(x.shape()));
    }
    if (__builtin_add_overflow(shape[dim], size, &shape[dim]))
      throw_shape("cat", "a size that fits", to_string(x.shape()));
    dtype = promote(dtype, x.dtype());
  }
  Tensor out = internal::new_tensor(shape, dtype, tensors[0].device(), "cat");
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
  const Shape& shape = checked(tensors[0], "stack")->shape;
  dim = wrap_dim("stack", dim, shape.size() + 1);
  internal::check_dims("stack", shape.size() + 1);
  std::vector<Tensor> rows;
  rows.reserve(tensors.size());
  for (const Tensor& x : tensors) {
    if (!(checked(x, "stack")->shape == shape)) {
      throw_shape("stack", "tensors of shape " + to_string(shape), to_string(x.shape()));
    }
    internal::check_devices("stack", tensors[0], x);
    rows.push_back(x.unsqueeze(dim));
  }
  return cat(rows, dim);
}

Tensor unflatten(const Tensor& x, int dim, const Shape& sizes) {
  const Shape& from = checked(x, "unflatten")->shape;
  dim = wrap_dim("unflatten", dim, from.size());
  Shape shape, open = sizes;
  std::int64_t known = 1;
  int at = -1;
  for (int i = 0; i < open.size(); ++i) {
    if (open[i] == -1 && at < 0) {
      at = i;
    } else if (open[i] < 0 || __builtin_mul_overflow(known, open[i], &known)) {
      known = -1;
      break;
    }
  }
  if (at >= 0 && known > 0) open[at] = from[dim] / known;
  if (known < 0 || (at >= 0 ? known == 0 || open[at] * known != from[dim] : known != from[dim])) {
    throw_shape("unflatten", "sizes of " + std::to_string(from[dim]) + " elements", to_string(sizes));
  }
  internal::check_dims("unflatten", from.size() - 1 + open.size());
  for (int d = 0; d < from.size(); ++d) {
    if (d != dim) {
      shape.push_back(from[d]);
    } else {
      for (std::int64_t size : open) shape.push_back(size);
    }
  }
  return x.reshape(shape);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  const Shape& from = checked(x, "broadcast_to")->shape;
  if (!(broadcast_shapes("broadcast_to", from, shape) == shape)) {
    throw_shape("broadcast_to", "a shape that " + to_string(from) + " broadcasts to", to_string(shape));
  }
  return x.expand(shape);
}

Tensor expand_as(const Tensor& x, const Tensor& other) { return x.expand(checked(other, "expand")->shape); }

Tensor movedim(const Tensor& x, const Dims& from, const Dims& to) {
  const int dims = checked(x, "movedim")->shape.size();
  if (from.size() != to.size()) {
    throw_shape("movedim", "as many places as dimensions", to_string(from) + " and " + to_string(to));
  }
  Dims order;
  int source[kMaxDims];  // of each place
  bool moved[kMaxDims] = {};
  std::fill(std::begin(source), std::end(source), -1);
  for (int i = 0; i < from.size(); ++i) {
    const int d = wrap_any_dim("movedim", from[i], dims);
    const int place = wrap_any_dim("movedim", to[i], dims);
    if (moved[d] || source[place] >= 0) {
      throw_shape("movedim", "each dimension and each place once", to_string(from) + " and " + to_string(to));
    }
    moved[d] = true;
    source[place] = d;
  }
  int next = 0;
  for (int place = 0; place < dims; ++place) {
    while (source[place] < 0 && moved[next]) ++next;
    order.push_back(source[place] < 0 ? next++ : source[place]);
  }
  return x.permute(order);
}

Tensor movedim(const Tensor& x, int from, int to) { return movedim(x, Dims{from}, Dims{to}); }

Tensor narrow(const Tensor& x, int dim, std::int64_t begin, std::int64_t length) {
  const Shape& shape = checked(x, "narrow")->shape;
  dim = wrap_dim("narrow", dim, shape.size());
  const std::int64_t size = shape[dim], first = begin < 0 ? begin + size : begin;
  if (first < 0 || length < 0 || first > size || length > size - first) {
    throw IndexError("[narrow] expected a range within the " + std::to_string(size) + " indices of dimension " +
                     std::to_string(dim) + ", got " + std::to_string(length) + " from " + std::to_string(begin) +
                     " on");
  }
  return x.slice(dim, first, first + length);
}

namespace {
// An empty list for so many parts, whose handles are the C++ library's memory.
std::vector<Tensor> room_for(const char* where, std::int64_t parts) {
  std::vector<Tensor> room;
  try {
    room.reserve(static_cast<std::size_t>(parts));
  } catch (const std::exception&) {
    throw MemoryError("[" + std::string(where) + "] expected memory for " + std::to_string(parts) +
                      " tensors, got none");
  }
  return room;
}
}  // namespace

std::vector<Tensor> split(const Tensor& x, std::int64_t size, int dim) {
  const Shape& shape = checked(x, "split")->shape;
  dim = wrap_dim("split", dim, shape.size());
  if (size < 1) internal::throw_value("split", "a size of at least 1", std::to_string(size));
  std::vector<Tensor> parts = room_for("split", std::max<std::int64_t>(shape[dim], 1) / size);
  std::int64_t at = 0;
  do {
    const std::int64_t end = at + std::min(size, shape[dim] - at);
    parts.push_back(x.slice(dim, at, end));
    at = end;
  } while (at < shape[dim]);
  return parts;
}

std::vector<Tensor> split_with_sizes(const Tensor& x, const std::vector<std::int64_t>& sizes, int dim) {
  const Shape& shape = checked(x, "split_with_sizes")->shape;
  dim = wrap_dim("split_with_sizes", dim, shape.size());
  std::int64_t total = 0;
  bool good = true;
  for (std::int64_t size : sizes) good = good && size >= 0 && !__builtin_add_overflow(total, size, &total);
  if (!good || total != shape[dim]) {
    std::string got;
    for (std::int64_t size : sizes) got += (got.empty() ? "" : ", ") + std::to_string(size);
    throw_shape("split_with_sizes", "sizes that add up to " + std::to_string(shape[dim]), "[" + got + "]");
  }
  std::vector<Tensor> parts;
  parts.reserve(sizes.size());
  total = 0;
  for (std::int64_t size : sizes) {
    parts.push_back(x.slice(dim, total, total + size));
    total += size;
  }
  return parts;
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, int dim) {
  const Shape& shape = checked(x, "chunk")->shape;
  dim = wrap_dim("chunk", dim, shape.size());
  if (chunks < 1) internal::throw_value("chunk", "at least 1 chunk", std::to_string(chunks));
  if (shape[dim] == 0) {  // as many empty ones as were asked for
    std::vector<Tensor> parts = room_for("chunk", chunks);
    for (std::int64_t i = 0; i < chunks; ++i) parts.push_back(x.slice(dim, 0, 0));
    return parts;
  }
  return split(x, shape[dim] / chunks + (shape[dim] % chunks != 0 ? 1 : 0), dim);
}

std::vector<Tensor> unbind(const Tensor& x, int dim) {
  const Shape& shape = checked(x, "unbind")->shape;
  dim = wrap_dim("unbind", dim, shape.size());
  std::vector<Tensor> parts = room_for("unbind", shape[dim]);
  for (std::int64_t i = 0; i < shape[dim]; ++i) parts.push_back(x.select(dim, i));
  return parts;
}

namespace {

struct Diagonal {
  Shape shape;  // of what has the diagonal
  std::int64_t offset;
  int dim1, dim2;
};

// The view, without history.
Tensor diagonal_view(const char* where, const Tensor& x, std::int64_t offset, int dim1, int dim2) {
  const auto* impl = checked(x, where);
  Shape shape = impl->shape;
  dim1 = wrap_dim(where, dim1, shape.size());
  dim2 = wrap_dim(where, dim2, shape.size());
  if (dim1 == dim2) throw_shape(where, "two dimensions", std::to_string(dim1) + " twice");
  const std::int64_t rows = shape[dim1], columns = shape[dim2];
  // Clamped first: an offset past a corner gives nothing, however far.
  const std::int64_t by = std::clamp(offset, -rows, columns);
  const std::int64_t length =
      std::max<std::int64_t>(by >= 0 ? std::min(rows, columns - by) : std::min(rows + by, columns), 0);
  const std::int64_t *from = impl->strides, step = from[dim1] + from[dim2];
  const std::int64_t start = length == 0 ? 0 : by >= 0 ? by * from[dim2] : -by * from[dim1];
  Shape out;
  std::int64_t strides[kMaxDims];
  for (int d = 0; d < shape.size(); ++d) {
    if (d == dim1 || d == dim2) continue;
    strides[out.size()] = from[d];
    out.push_back(shape[d]);
  }
  strides[out.size()] = step;
  out.push_back(length);
  return internal::new_view(x, out, strides, start);
}

}  // namespace

Tensor diagonal(const Tensor& x, std::int64_t offset, int dim1, int dim2) {
  static constexpr OpInfo op{"diagonal", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<Diagonal>();
                               out[0] =
                                   diagonal_scatter(zeros(a.shape, g.dtype(), g.device()), g, a.offset, a.dim1, a.dim2);
                             }};
  Tensor out = diagonal_view("diagonal", x, offset, dim1, dim2);
  internal::tape_with(op, out, {{x}}, Diagonal{x.shape(), offset, dim1, dim2});
  return out;
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Indexing indexing) {
  if (tensors.empty()) internal::throw_value("meshgrid", "at least one tensor", "none");
  internal::check_dims("meshgrid", static_cast<int>(std::min<std::size_t>(tensors.size(), kMaxDims + 1)));
  Shape shape;
  for (const Tensor& x : tensors) {
    if (checked(x, "meshgrid")->shape.size() > 1)
      throw_shape("meshgrid", "tensors of one dimension", to_string(x.shape()));
    shape.push_back(x.numel());
  }
  internal::checked_numel("meshgrid", shape);
  const bool swapped = indexing == Indexing::xy && tensors.size() > 1;
  if (swapped) std::swap(shape[0], shape[1]);
  std::vector<Tensor> grids;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const int d = static_cast<int>(swapped && i < 2 ? 1 - i : i);
    Shape along;
    for (int k = 0; k < shape.size(); ++k) along.push_back(k == d ? shape[d] : 1);
    grids.push_back(tensors[i].reshape(along).expand(shape));
  }
  return grids;
}

Tensor flip(const Tensor& x, const Dims& dims) {
  static constexpr OpInfo op{
      "flip", [](const Node& node, const Tensor& g, Tensor* out) { out[0] = flip(g, node.attributes<Dims>()); }};
  const auto* impl = checked(x, "flip");
  std::int64_t strides[kMaxDims], start = 0;
  std::copy(impl->strides, impl->strides + impl->shape.size(), strides);
  bool seen[kMaxDims] = {};
  for (std::int64_t dim : dims) {
    const int d = wrap_any_dim("flip", dim, impl->shape.size());
    if (std::exchange(seen[d], true)) throw_shape("flip", "each dimension once", to_string(dims));
    if (impl->shape.empty()) continue;
    start += (impl->shape[d] - 1) * strides[d];
    strides[d] = -strides[d];
  }
  Tensor out = internal::new_tensor(impl->shape, impl->dtype, impl->device);
  if (impl->numel > 0) internal::copy_elements(out, internal::new_view(x, impl->shape, strides, start));
  internal::tape_with(op, out, {{x}}, dims);
  return out;
}

Tensor roll(const Tensor& x, std::int64_t shift, int dim) {
  const Shape& shape = checked(x, "roll")->shape;
  dim = wrap_dim("roll", dim, shape.size());
  const std::int64_t size = shape[dim];
  if (size == 0) return x.clone();
  const std::int64_t by = shift % size, cut = by > 0 ? size - by : -by;
  return cut == 0 ? x.clone() : cat({x.slice(dim, cut, size), x.slice(dim, 0, cut)}, dim);
}

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims) {
  checked(x, "roll");
  if (shifts.size() != (dims.empty() ? 1 : dims.size())) {
    throw_shape("roll", "a shift for each dimension", to_string(shifts) + " for " + to_string(dims));
  }
  if (dims.empty()) return roll(x.reshape({-1}), shifts[0], 0).reshape(x.shape());
  Tensor out = x;
  for (int i = 0; i < dims.size(); ++i) out = roll(out, shifts[i], wrap_dim("roll", dims[i], x.dim()));
  return out;
}

namespace {

// x with its elements as [outer, size, inner], `size` those of dimension d.
Tensor three_dims(const Tensor& x, int d) {
  const Shape& shape = x.shape();
  std::int64_t outer = 1, inner = 1;
  for (int i = 0; i < d; ++i) outer *= shape[i];
  for (int i = d + 1; i < shape.size(); ++i) inner *= shape[i];
  return x.reshape({outer, shape[d], inner});
}

// Dimension d `count` times, whole or each index on its own.
Tensor repeated(const char* where, const Tensor& x, int d, std::int64_t count, bool each) {
  Shape shape = x.shape();
  const std::int64_t size = shape[d];
  if (count < 0 || __builtin_mul_overflow(size, count, &shape[d])) {
    internal::throw_value(where, "a number of repeats of at least 0 that fits", std::to_string(count));
  }
  internal::checked_numel(where, shape);
  if (count == 1 || size == 0) return x;
  const Tensor flat = three_dims(x, d);
  const Tensor spread = flat.unsqueeze(each ? 2 : 1);
  const Shape& apart = flat.shape();
  const Shape wide = each ? Shape{apart[0], size, count, apart[2]} : Shape{apart[0], count, size, apart[2]};
  return spread.expand(wide).reshape(shape);
}

// Every dimension as often as said, the last ones those of x.
Tensor repeated(const char* where, const Tensor& x, const Shape& repeats) {
  Shape shape = x.shape();
  for (std::int64_t count : repeats) {
    if (count < 0) throw_shape(where, "repeats of at least 0", to_string(repeats));
  }
  while (shape.size() < repeats.size()) shape.insert(0, 1);
  Tensor out = x.reshape(shape);
  for (int d = 0; d < shape.size(); ++d) out = repeated(where, out, d, repeats[d], false);
  return internal::apart(out, x);
}

}  // namespace

Tensor repeat(const Tensor& x, const Shape& repeats) {
  const int dims = checked(x, "repeat")->shape.size();
  if (repeats.size() < dims) {
    throw_shape("repeat", "at least " + std::to_string(dims) + " repeats", to_string(repeats));
  }
  return repeated("repeat", x, repeats);
}

Tensor tile(const Tensor& x, const Shape& repeats) {
  Shape all = repeats;
  for (int missing = checked(x, "tile")->shape.size() - repeats.size(); missing > 0; --missing) all.insert(0, 1);
  return repeated("tile", x, all);
}

Tensor repeat_interleave(const Tensor& x, std::int64_t repeats, int dim) {
  dim = wrap_dim("repeat_interleave", dim, checked(x, "repeat_interleave")->shape.size());
  return internal::apart(repeated("repeat_interleave", x, dim, repeats, true), x);
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, int dim) {
  const Shape& shape = checked(x, "repeat_interleave")->shape;
  dim = wrap_dim("repeat_interleave", dim, shape.size());
  if (checked(repeats, "repeat_interleave")->dtype != i64 && repeats.dtype() != i32) {
    internal::throw_dtype("repeat_interleave", "repeats of type i64 or i32", std::string(name(repeats.dtype())));
  }
  if (!(repeats.shape() == Shape{shape[dim]})) {
    throw_shape("repeat_interleave", "repeats of shape [" + std::to_string(shape[dim]) + "]",
                to_string(repeats.shape()));
  }
  const std::vector<std::int64_t> counts = repeats.to(i64).to_vector<std::int64_t>();
  std::int64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < 0) {
      internal::throw_value("repeat_interleave", "repeats of at least 0",
                            std::to_string(counts[i]) + " at " + std::to_string(i));
    }
    if (__builtin_add_overflow(total, counts[i], &total)) total = INT64_MAX;
  }
  Shape result = shape;
  result[dim] = total;
  internal::checked_numel("repeat_interleave", result);
  Tensor rows = internal::new_tensor({total}, i64, cpu());
  std::int64_t* next = rows.mutable_span<std::int64_t>().data();
  for (std::size_t i = 0; i < counts.size(); ++i) next = std::fill_n(next, counts[i], static_cast<std::int64_t>(i));
  return index_select(x, dim, rows.to(x.device()));
}

namespace {

struct Pads {
  std::int64_t before[kMaxDims], after[kMaxDims];
  Scalar value;
};

Shape padded_shape(const Shape& shape, const Pads& pads) {
  Shape out = shape;
  for (int d = 0; d < shape.size(); ++d) {
    if (__builtin_add_overflow(out[d], pads.before[d], &out[d]) ||
        __builtin_add_overflow(out[d], pads.after[d], &out[d]) || out[d] < 0) {
      throw_shape("pad", "a size of at least 0 in dimension " + std::to_string(d),
                  std::to_string(shape[d]) + " with " + std::to_string(pads.before[d]) + " before and " +
                      std::to_string(pads.after[d]) + " after");
    }
  }
  return out;
}

Tensor pad_constant(const Tensor& x, const Pads& pads) {
  static constexpr OpInfo op{"pad", [](const Node& node, const Tensor& g, Tensor* out) {
                               Pads back = node.attributes<Pads>();
                               for (int d = 0; d < g.dim(); ++d) {
                                 back.before[d] = -back.before[d];
                                 back.after[d] = -back.after[d];
                               }
                               back.value = 0;
                               out[0] = pad_constant(g, back);
                             }};
  const Shape shape = padded_shape(x.shape(), pads);
  internal::checked_numel("pad", shape);
  Tensor out = full(shape, pads.value, x.dtype(), x.device());
  Tensor from = x.detach(), to = out;
  for (int d = 0; d < x.dim(); ++d) {
    const std::int64_t cut = std::max<std::int64_t>(-pads.before[d], 0),
                       skip = std::max<std::int64_t>(pads.before[d], 0);
    const std::int64_t kept = std::max<std::int64_t>(
        std::min(x.size(d) - cut - std::max<std::int64_t>(-pads.after[d], 0), out.size(d) - skip), 0);
    from = from.slice(d, cut, cut + kept);
    to = to.slice(d, skip, skip + kept);
  }
  if (from.numel() > 0) internal::copy_elements(to, from);
  internal::tape_with(op, out, {{x}}, pads);
  return out;
}

// Along one dimension: the index of x that each index of the result copies.
Tensor pad_indices(const Shape& shape, int d, std::int64_t before, std::int64_t after, PadMode mode) {
  const std::int64_t size = shape[d], most = mode == PadMode::reflect    ? size - 1
                                             : mode == PadMode::circular ? size
                                                                         : INT64_MAX;
  if (size == 0 || std::max(before, after) > most) {
    throw_shape("pad",
                size == 0 ? "elements to copy from" : "at most " + std::to_string(most) + " on a side in this mode",
                std::to_string(before) + " and " + std::to_string(after) + " around " + to_string(shape));
  }
  Tensor from = internal::new_tensor({before + size + after}, i64, cpu());
  std::int64_t i = -before;
  for (std::int64_t& at : from.mutable_span<std::int64_t>()) {
    if (mode == PadMode::reflect) {
      at = i < 0 ? -i : i < size ? i : 2 * (size - 1) - i;
    } else if (mode == PadMode::replicate) {
      at = std::clamp<std::int64_t>(i, 0, size - 1);
    } else {
      at = i < 0 ? i + size : i < size ? i : i - size;
    }
    ++i;
  }
  return from;
}

}  // namespace

Tensor pad(const Tensor& x, const std::vector<std::int64_t>& amounts, const PadOptions& options) {
  const int dims = checked(x, "pad")->shape.size();
  if (amounts.size() % 2 != 0 || amounts.size() > 2 * static_cast<std::size_t>(dims)) {
    throw_shape("pad", "two amounts for each of at most " + std::to_string(dims) + " dimensions",
                std::to_string(amounts.size()));
  }
  Pads pads{{}, {}, options.value};
  for (std::size_t i = 0; i < amounts.size() / 2; ++i) {
    const std::size_t d = static_cast<std::size_t>(dims) - 1 - i;
    pads.before[d] = amounts[2 * i];
    pads.after[d] = amounts[2 * i + 1];
  }
  if (options.mode == PadMode::constant) {
    if (x.dtype() != boolean) internal::check_kind("pad", x.dtype(), options.value);
    return pad_constant(x, pads);
  }
  internal::checked_numel("pad", padded_shape(x.shape(), pads));
  Tensor out = x;
  for (int d = 0; d < dims; ++d) {
    if (pads.before[d] == 0 && pads.after[d] == 0) continue;
    const Tensor from = pad_indices(out.shape(), d, pads.before[d], pads.after[d], options.mode);
    out = index_select(out, d, from.to(x.device()));
  }
  return out.is_same(x) ? x.clone() : out;
}

namespace {

// True where the column less the row is at most `offset`.
Tensor up_to_diagonal(const char* where, const Tensor& x, std::int64_t offset) {
  const Shape& shape = checked(x, where)->shape;
  const int dims = shape.size();
  if (dims < 2) throw_shape(where, "at least two dimensions", to_string(shape));
  const std::int64_t rows = shape[dims - 2], columns = shape[dims - 1];
  return arange(columns, i64, x.device()) - arange(rows, i64, x.device()).unsqueeze(1) <=
         std::clamp(offset, -rows - 1, columns + 1);
}

}  // namespace

Tensor tril(const Tensor& x, std::int64_t offset) { return where(up_to_diagonal("tril", x, offset), x, false); }

Tensor triu(const Tensor& x, std::int64_t offset) {
  return where(up_to_diagonal("triu", x, std::max(offset, INT64_MIN + 1) - 1), false, x);
}

Tensor diag(const Tensor& x, std::int64_t offset) {
  const Shape& shape = checked(x, "diag")->shape;
  if (shape.size() == 2) return diagonal(x, offset).clone();
  if (shape.size() != 1) throw_shape("diag", "one or two dimensions", to_string(shape));
  std::int64_t size = 0;
  if (offset == INT64_MIN || __builtin_add_overflow(shape[0], std::abs(offset), &size)) {
    internal::throw_value("diag", "an offset that fits", std::to_string(offset));
  }
  internal::checked_numel("diag", {size, size});
  return diagonal_scatter(zeros({size, size}, x.dtype(), x.device()), x, offset);
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
                                 const Tensor none = zeros(inside.shape(), g.dtype(), g.device());
                                 out[0] = slice_scatter(g, none, dim, r.begin, r.end, r.step);
                               }
                               if (node.wants(1)) out[1] = inside;
                             }};
  checked(source, "slice_scatter");
  dim = wrap_dim("slice_scatter", dim, checked(x, "slice_scatter")->shape.size());
  if (step < 1) internal::throw_value("slice_scatter", "a step of at least 1", std::to_string(step));
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  const Tensor inside = out.slice(dim, begin, end, step);
  internal::check_source("slice_scatter", inside.shape(), x, source);
  internal::copy_elements(out, x);
  internal::copy_elements(inside, source);
  internal::tape_with(op, out, {{x}, {source}}, Range{dim, begin, end, step});
  return out;
}

Tensor diagonal_scatter(const Tensor& x, const Tensor& source, std::int64_t offset, int dim1, int dim2) {
  static constexpr OpInfo op{"diagonal_scatter", [](const Node& node, const Tensor& g, Tensor* out) {
                               const auto& a = node.attributes<Diagonal>();
                               const Tensor inside = diagonal(g, a.offset, a.dim1, a.dim2);
                               if (node.wants(0)) {
                                 out[0] = diagonal_scatter(g, zeros(inside.shape(), g.dtype(), g.device()), a.offset,
                                                           a.dim1, a.dim2);
                               }
                               if (node.wants(1)) out[1] = inside;
                             }};
  checked(x, "diagonal_scatter");
  checked(source, "diagonal_scatter");
  Tensor out = internal::new_tensor(x.shape(), x.dtype(), x.device());
  const Tensor inside = diagonal_view("diagonal_scatter", out, offset, dim1, dim2);
  internal::check_source("diagonal_scatter", inside.shape(), x, source);
  internal::copy_elements(out, x);
  internal::copy_elements(inside, source);
  internal::tape_with(op, out, {{x}, {source}}, Diagonal{x.shape(), offset, dim1, dim2});
  return out;
}

}  // namespace tern
