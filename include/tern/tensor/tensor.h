#pragma once

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/tensor/device.h"
#include "tern/tensor/dtype.h"
#include "tern/tensor/scalar.h"
#include "tern/tensor/shape.h"

namespace tern {

class Index;
class HookHandle;
class Tensor;
struct BackwardOptions;

namespace internal {
struct TensorImpl;

// A reference count; the sole owner releases without a read-modify-write.
struct RefCount {
  std::atomic<std::int32_t> value{1};
  TERN_API void add();
  /// True when the caller held the last reference.
  bool drop() { return unique() || drop_shared(); }
  bool unique() const { return value.load(std::memory_order_acquire) == 1; }
  TERN_API bool drop_shared();
};

TERN_API void destroy(TensorImpl* impl) noexcept;
}  // namespace internal

/// A strided array of one element type on one device: a cheap, reference-counted handle. Copying a handle shares the
/// tensor; `clone` copies the elements. Views (reshape, slice, t, …) share memory and form a family that counts the
/// writes to it. Every member but `defined` throws StateError on an undefined tensor.
class TERN_API Tensor {
 public:
  /// An undefined tensor.
  Tensor() = default;
  Tensor(const Tensor& other) : impl_(other.impl_) {
    if (impl_) count()->add();
  }
  Tensor(Tensor&& other) noexcept : impl_(other.release()) {}
  /// Of a handle that has a name: `x[0] = y` would write nothing, and does not compile (x[0].copy_(y), x.index_put_,
  /// x.masked_fill_ write).
  Tensor& operator=(const Tensor& other) & {
    Tensor copy(other);
    const Tensor old(release());
    impl_ = copy.release();
    return *this;
  }
  Tensor& operator=(Tensor&& other) & noexcept {
    if (this != &other) {
      const Tensor old(release());
      impl_ = other.release();
    }
    return *this;
  }
  ~Tensor() {
    if (impl_ && count()->drop()) internal::destroy(impl_);
  }

  bool defined() const { return impl_ != nullptr; }
  int dim() const;
  /// Size of dimension `d`, negative counted from the end. Throws IndexError.
  std::int64_t size(int d) const;
  const Shape& shape() const;
  /// Strides in elements.
  std::span<const std::int64_t> strides() const;
  std::int64_t numel() const;
  DType dtype() const;
  Device device() const;
  bool is_contiguous() const;
  /// True when both handles name the same tensor.
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }

  /// The only element, converted to T, fractions cut off; waits for the device. Throws ShapeError when there is not
  /// exactly one, ValueError when it is outside the range of an integer T.
  template <class T>
  T item() const {
    constexpr bool counts = std::is_integral_v<T> && !std::is_same_v<T, bool>;
    using Limits = std::numeric_limits<T>;
    if (!is_floating(dtype())) {
      const std::int64_t value = item_integer();
      if (counts && !((value >= 0 || Limits::is_signed) && static_cast<std::int64_t>(static_cast<T>(value)) == value)) {
        throw_unheld(static_cast<double>(value));
      }
      return static_cast<T>(value);
    }
    const double value = item_real();
    if constexpr (counts) {
      constexpr auto least = static_cast<double>(Limits::min()),
                     most = 2.0 * static_cast<double>(std::uint64_t{1} << (Limits::digits - 1));
      if (!((value >= least || value > least - 1) && value < most)) throw_unheld(value);
    }
    return static_cast<T>(value);
  }
  /// The elements of a contiguous tensor on the CPU. Throws DTypeError on another element type, ValueError when not
  /// contiguous, DeviceError on another device.
  template <class T>
  std::span<const T> span() const {
    return {static_cast<const T*>(data_for(dtype_of<T>(), false)), static_cast<std::size_t>(numel())};
  }
  /// The same for writing: counts as one in-place write, made now, so it throws StateError on a tensor that needs a
  /// gradient outside NoGrad. What is written through a span taken before an op goes unseen by that op's backward.
  template <class T>
  std::span<T> mutable_span() {
    return {static_cast<T*>(data_for(dtype_of<T>(), true)), static_cast<std::size_t>(numel())};
  }
  /// The elements in logical order, whatever the strides. Throws DTypeError on another element type.
  template <class T>
  std::vector<T> to_vector() const {
    const Tensor flat = detach().contiguous().to(cpu());
    const auto elements = flat.span<T>();
    return std::vector<T>(elements.begin(), elements.end());
  }

  /// This tensor if it is contiguous, else a contiguous copy.
  Tensor contiguous() const;
  /// A contiguous copy.
  Tensor clone() const;
  /// A view without history: needs no gradient, shares memory and version.
  Tensor detach() const;
  /// The elements converted; this tensor when it has that type.
  Tensor to(DType dtype) const;
  /// A copy on that device; this tensor when it lies there. To a device the copy joins the device's queue, and this
  /// tensor may be written at once. From a device it waits, unless `non_blocking`: then the result lies in page-locked
  /// memory and is to be read after synchronize(device) only. Throws DeviceError when the device is not there.
  Tensor to(Device device, bool non_blocking = false) const;

  // Views, each with its gradient.
  /// The elements in another shape, one size of which may be -1; a view when the strides allow, else a copy.
  Tensor reshape(const Shape& shape) const;
  Tensor transpose(int a, int b) const;
  /// Transpose of a matrix (a tensor of fewer dimensions is returned as it is). Throws ShapeError above two dimensions.
  Tensor t() const;
  Tensor permute(const Dims& order) const;
  /// Repeats dimensions of size 1 without copying; -1 keeps a size.
  Tensor expand(const Shape& shape) const;
  /// Without dimension `d`, which must be of size 1.
  Tensor squeeze(int d) const;
  /// With a dimension of size 1 before `d`.
  Tensor unsqueeze(int d) const;
  /// Dimensions `first` … `last` as one.
  Tensor flatten(int first = 0, int last = -1) const;
  /// Indices begin, begin + step, … before `end` of dimension `d`; negative ones count from the end, and both are
  /// clamped to the dimension as in NumPy. `step` is positive.
  Tensor slice(int d, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const;
  /// Index `i` of dimension `d`, without that dimension. Throws IndexError.
  Tensor select(int d, std::int64_t i) const;
  /// select(0, i). A template, as a braced list is of indices: x[{1}].
  template <class I, class = std::enable_if_t<std::is_integral_v<I>>>
  Tensor operator[](I i) const {
    return select(0, static_cast<std::int64_t>(i));
  }
  /// x[{Slice{0, 3}, -1, ellipsis}]: an index for each dimension from the first on (see Index), as in PyTorch. A view
  /// when all are numbers, slices, `ellipsis` or `new_axis`; with tensors among them, a copy whose indexed dimensions
  /// take the place of the first one if they are neighbours, else lead. Throws IndexError, ShapeError, DTypeError.
  Tensor operator[](std::initializer_list<Index> indices) const;
  /// One index of any kind: x[Slice{.step = 2}], x[mask].
  Tensor operator[](const Index& index) const;

  // In place. Each throws StateError on a tensor that needs a gradient outside NoGrad, ValueError on elements that
  // share memory (an expanded view), and the arithmetic ones DTypeError on booleans and on a floating number for
  // integers.
  /// this += alpha * x, broadcasting x. Throws ValueError when integers cannot hold alpha.
  Tensor& add_(const Tensor& x, double alpha = 1);
  Tensor& add_(Scalar x);
  Tensor& sub_(const Tensor& x);
  Tensor& sub_(Scalar x);
  Tensor& mul_(const Tensor& x);
  Tensor& mul_(Scalar x);
  /// Throws DTypeError unless this tensor is floating.
  Tensor& div_(const Tensor& x);
  Tensor& div_(Scalar x);
  Tensor& operator+=(const Tensor& x) { return add_(x); }
  Tensor& operator+=(Scalar x) { return add_(x); }
  Tensor& operator-=(const Tensor& x) { return sub_(x); }
  Tensor& operator-=(Scalar x) { return sub_(x); }
  Tensor& operator*=(const Tensor& x) { return mul_(x); }
  Tensor& operator*=(Scalar x) { return mul_(x); }
  Tensor& operator/=(const Tensor& x) { return div_(x); }
  Tensor& operator/=(Scalar x) { return div_(x); }
  /// Takes x's elements, broadcast and converted, from whichever device.
  Tensor& copy_(const Tensor& x);
  Tensor& fill_(Scalar value);
  Tensor& zero_() { return fill_(0); }
  /// `value` where `mask`, boolean and broadcast, holds.
  Tensor& masked_fill_(const Tensor& mask, Scalar value);
  /// (*this)[indices] = values, broadcast, or += (`accumulate`); of several at one place the last counts.
  Tensor& index_put_(std::initializer_list<Index> indices, const Tensor& values, bool accumulate = false);

  bool requires_grad() const;
  /// Marks a leaf as needing a gradient, or not. Throws DTypeError unless floating, StateError on an op's result.
  Tensor& requires_grad_(bool on = true);
  /// True for a tensor that no taped op produced.
  bool is_leaf() const;
  /// The gradient that backward accumulated, undefined when there is none. One of rows alone (ops/rows.h) stays so:
  /// this is a dense copy of it, for reading.
  Tensor grad() const;
  /// Presets the gradient of a leaf; backward accumulates into this very tensor, in place, if it is contiguous, and
  /// into a copy if not. Throws ShapeError or DTypeError unless it matches.
  void set_grad(const Tensor& gradient);
  /// Names where backward is to write the gradient (a view of a flat buffer, say) without there being one yet: the
  /// first accumulation overwrites what lies there. Throws ValueError unless contiguous.
  void set_grad_buffer(const Tensor& buffer);
  /// There is no gradient any more; a buffer set before stays in use. Missing is not zero: optimizers skip it.
  void clear_grad();
  /// Keeps the gradient of an op's result, which would be dropped: backward accumulates it, as a leaf's, in the tensor
  /// that this handle names. Nothing changes for a leaf. Throws StateError unless the tensor needs a gradient.
  void retain_grad();
  /// Calls `hook` with this tensor's gradient, or replaces it by what that returns (autograd/hooks.h).
  template <class F>
  HookHandle register_hook(F hook) const;
  /// Accumulates d(this)/d(leaf) into the gradient of every leaf that needs one; this tensor must have one element
  /// unless a gradient is given. Throws StateError when the graph is released or needs none: when called on one tensor
  /// again, before any gradient changes; when the graph of another shares a released part, after some may have.
  void backward() const;
  void backward(const BackwardOptions& options) const;

  // Reductions (ops/reduce.h).
  Tensor sum() const;
  Tensor sum(const Dims& dims, bool keepdim = false) const;
  template <class I, class = std::enable_if_t<std::is_integral_v<I> && !std::is_same_v<I, bool>>>
  Tensor sum(I dim, bool keepdim = false) const {
    return sum(Dims{static_cast<std::int64_t>(dim)}, keepdim);
  }
  Tensor mean() const;
  Tensor mean(const Dims& dims, bool keepdim = false) const;
  template <class I, class = std::enable_if_t<std::is_integral_v<I> && !std::is_same_v<I, bool>>>
  Tensor mean(I dim, bool keepdim = false) const {
    return mean(Dims{static_cast<std::int64_t>(dim)}, keepdim);
  }
  Tensor max() const;
  Tensor max(int dim, bool keepdim = false) const;
  Tensor min() const;
  Tensor min(int dim, bool keepdim = false) const;
  /// Index of the first largest element of the flattened tensor, i64.
  Tensor argmax() const;
  Tensor argmax(int dim, bool keepdim = false) const;
  /// Index of the first smallest element of the flattened tensor, i64.
  Tensor argmin() const;
  Tensor argmin(int dim, bool keepdim = false) const;
  Tensor prod() const;
  Tensor prod(int dim, bool keepdim = false) const;
  Tensor any() const;
  Tensor any(int dim, bool keepdim = false) const;
  Tensor all() const;
  Tensor all(int dim, bool keepdim = false) const;
  /// Of a sample: with a correction of 1.
  Tensor var() const;
  Tensor var(int dim, bool keepdim = false) const;
  Tensor std() const;
  Tensor std(int dim, bool keepdim = false) const;
  /// A bool is no dimension: `keepdim` comes after one, and VarianceOptions of tern::var and tern::std have the
  /// correction.
  template <std::same_as<bool> B>
  Tensor max(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor min(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor argmax(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor argmin(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor prod(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor any(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor all(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor var(B, bool = false) const = delete;
  template <std::same_as<bool> B>
  Tensor std(B, bool = false) const = delete;
  /// The Euclidean norm of all elements.
  Tensor norm() const;
  /// A number could be p or a dimension: tern::norm(x, dims, options) names both.
  Tensor norm(double, bool = false) const = delete;

  // For the library's own rooms.
  explicit Tensor(internal::TensorImpl* adopted) : impl_(adopted) {}
  internal::TensorImpl* impl() const { return impl_; }
  internal::TensorImpl* release() {
    internal::TensorImpl* const released = impl_;
    impl_ = nullptr;
    return released;
  }

 private:
  internal::RefCount* count() const { return reinterpret_cast<internal::RefCount*>(impl_); }
  double item_real() const;
  [[noreturn]] static void throw_unheld(double value);
  std::int64_t item_integer() const;
  void* data_for(DType dtype, bool writing) const;

  internal::TensorImpl* impl_ = nullptr;
};

/// Indices begin, begin + step, … before `end`; negative ones count from the end, and both are clamped. `step` is
/// positive: flip (ops/shape.h) turns a dimension round.
struct Slice {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
  std::int64_t step = 1;
};

/// In a list of indices: all the dimensions that it leaves out, or a new one of size 1.
enum class Axis : std::uint8_t { ellipsis, new_axis };
inline constexpr Axis ellipsis = Axis::ellipsis;
inline constexpr Axis new_axis = Axis::new_axis;

/// One index of x[{…}]: a number (which takes its dimension away), a Slice, `ellipsis`, `new_axis`, a tensor of indices
/// (i64, negative ones from the end; several broadcast together), or a boolean mask of as many dimensions as it stands
/// for.
class Index {
 public:
  enum class Kind : std::uint8_t { number, slice, axis, tensor };

  template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
  Index(T i) : slice_{static_cast<std::int64_t>(i)} {}
  Index(const Slice& slice) : kind_(Kind::slice), slice_(slice) {}
  Index(Axis axis) : kind_(Kind::axis), axis_(axis) {}
  Index(Tensor tensor) : kind_(Kind::tensor), tensor_(std::move(tensor)) {}

  Kind kind() const { return kind_; }
  std::int64_t number() const { return slice_.begin; }
  const Slice& slice() const { return slice_; }
  Axis axis() const { return axis_; }
  const Tensor& tensor() const { return tensor_; }

 private:
  Kind kind_ = Kind::number;
  Axis axis_ = Axis::ellipsis;
  Slice slice_{};
  Tensor tensor_{};
};

/// Options of Tensor::backward.
struct BackwardOptions {
  bool retain_graph = false;  ///< keep what was saved, for another backward through the same graph
  /// Tape the backward itself, for higher derivatives; implies retain_graph. The gradients left in leaves then belong
  /// to graphs that hold the leaves: a circle, which keeps its memory, as in PyTorch, until clear_grad() of the leaf.
  /// `grad` (autograd/autograd.h) makes none.
  bool create_graph = false;
  Tensor gradient{};  ///< d(loss)/d(this tensor); ones for a tensor of one element when undefined
};

/// Shape, type and values; long dimensions are elided in the middle.
TERN_API std::string to_string(const Tensor& tensor);

/// Number of writes seen by the tensor's view family.
TERN_API std::uint64_t version(const Tensor& tensor);

// Arithmetic and comparisons, broadcasting and promoting (ops/binary.h, ops/compare.h).
TERN_API Tensor operator-(const Tensor& a);
TERN_API Tensor operator+(const Tensor& a, const Tensor& b);
TERN_API Tensor operator+(const Tensor& a, Scalar b);
TERN_API Tensor operator+(Scalar a, const Tensor& b);
TERN_API Tensor operator-(const Tensor& a, const Tensor& b);
TERN_API Tensor operator-(const Tensor& a, Scalar b);
TERN_API Tensor operator-(Scalar a, const Tensor& b);
TERN_API Tensor operator*(const Tensor& a, const Tensor& b);
TERN_API Tensor operator*(const Tensor& a, Scalar b);
TERN_API Tensor operator*(Scalar a, const Tensor& b);
TERN_API Tensor operator/(const Tensor& a, const Tensor& b);
TERN_API Tensor operator/(const Tensor& a, Scalar b);
TERN_API Tensor operator/(Scalar a, const Tensor& b);
TERN_API Tensor operator==(const Tensor& a, const Tensor& b);
TERN_API Tensor operator==(const Tensor& a, Scalar b);
TERN_API Tensor operator==(Scalar a, const Tensor& b);
TERN_API Tensor operator!=(const Tensor& a, const Tensor& b);
TERN_API Tensor operator!=(const Tensor& a, Scalar b);
TERN_API Tensor operator!=(Scalar a, const Tensor& b);
TERN_API Tensor operator<(const Tensor& a, const Tensor& b);
TERN_API Tensor operator<(const Tensor& a, Scalar b);
TERN_API Tensor operator<(Scalar a, const Tensor& b);
TERN_API Tensor operator<=(const Tensor& a, const Tensor& b);
TERN_API Tensor operator<=(const Tensor& a, Scalar b);
TERN_API Tensor operator<=(Scalar a, const Tensor& b);
TERN_API Tensor operator>(const Tensor& a, const Tensor& b);
TERN_API Tensor operator>(const Tensor& a, Scalar b);
TERN_API Tensor operator>(Scalar a, const Tensor& b);
TERN_API Tensor operator>=(const Tensor& a, const Tensor& b);
TERN_API Tensor operator>=(const Tensor& a, Scalar b);
TERN_API Tensor operator>=(Scalar a, const Tensor& b);
// Of integers and booleans (ops/compare.h).
TERN_API Tensor operator&(const Tensor& a, const Tensor& b);
TERN_API Tensor operator&(const Tensor& a, Scalar b);
TERN_API Tensor operator&(Scalar a, const Tensor& b);
TERN_API Tensor operator|(const Tensor& a, const Tensor& b);
TERN_API Tensor operator|(const Tensor& a, Scalar b);
TERN_API Tensor operator|(Scalar a, const Tensor& b);
TERN_API Tensor operator^(const Tensor& a, const Tensor& b);
TERN_API Tensor operator^(const Tensor& a, Scalar b);
TERN_API Tensor operator^(Scalar a, const Tensor& b);
TERN_API Tensor operator~(const Tensor& a);
/// True where an element is 0.
TERN_API Tensor operator!(const Tensor& a);

}  // namespace tern
