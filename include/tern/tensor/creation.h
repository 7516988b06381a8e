#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

/// Uninitialised elements. Throws ShapeError on a negative size, MemoryError when memory is short, DeviceError when the
/// device is not there. Functions below without a device make tensors on the CPU, to be moved by `to`.
TERN_API Tensor empty(const Shape& shape, DType dtype = f32, Device device = cpu());
TERN_API Tensor zeros(const Shape& shape, DType dtype = f32, Device device = cpu());
TERN_API Tensor ones(const Shape& shape, DType dtype = f32, Device device = cpu());
TERN_API Tensor full(const Shape& shape, Scalar value, DType dtype = f32, Device device = cpu());
/// Of x's shape, type and device, as those that follow.
TERN_API Tensor empty_like(const Tensor& x);
TERN_API Tensor zeros_like(const Tensor& x);
TERN_API Tensor ones_like(const Tensor& x);
TERN_API Tensor full_like(const Tensor& x, Scalar value);

/// begin, begin + step, … before `end`, in f32 if no type is told. Throws ValueError when step is 0.
TERN_API Tensor arange(double begin, double end, double step = 1, DType dtype = f32);
/// 0, 1, …, count - 1, in i64 if no type is told.
TERN_API Tensor arange(std::int64_t count, DType dtype = i64, Device device = cpu());
/// 0, 1, … before `end`, as arange(0, end).
template <std::floating_point T>
Tensor arange(T end, DType dtype = f32) {
  return arange(0, static_cast<double>(end), 1, dtype);
}
/// `count` numbers from `begin` to `end`, both included, evenly spaced. Throws ValueError on a negative count.
TERN_API Tensor linspace(double begin, double end, std::int64_t count, DType dtype = f32);
/// Powers of ten, the exponents evenly spaced from `begin` to `end`.
TERN_API Tensor logspace(double begin, double end, std::int64_t count, DType dtype = f32);
/// The n × n identity.
TERN_API Tensor eye(std::int64_t n, DType dtype = f32);

namespace internal {
TERN_API Tensor copy_in(const char* where, const void* elements, std::size_t count, const Shape& shape, DType dtype);
/// Whole numbers or reals in `dtype`. Throws ValueError for a number outside its range.
TERN_API Tensor narrowed(const Tensor& wide, DType dtype);
TERN_API Tensor from_scalars(const Scalar* values, std::size_t count, DType dtype);
}  // namespace internal

/// A copy of `elements` in `shape`. Throws ShapeError when the counts differ.
template <class T>
Tensor from_span(std::span<const T> elements, const Shape& shape) {
  return internal::copy_in("from_span", elements.data(), elements.size(), shape, dtype_of<T>());
}
template <class T>
Tensor from_vector(const std::vector<T>& elements, const Shape& shape) {
  const std::span<const T> all(elements);  // a std::vector<bool> has none
  return internal::copy_in("from_vector", all.data(), all.size(), shape, dtype_of<T>());
}
template <class T>
Tensor from_vector(const std::vector<T>& elements) {
  return from_vector(elements, {static_cast<std::int64_t>(elements.size())});
}

struct BlobOptions {
  Shape strides{};                           ///< in elements; contiguous when empty
  void (*deleter)(void* context) = nullptr;  ///< called once, from the thread that lets go of the last tensor
  void* context = nullptr;                   ///< what the deleter is given
  bool read_only = false;                    ///< writes in place throw StateError
};
/// A tensor over the caller's memory, of which nothing is copied: it must stay until the deleter is called. Booleans
/// are bytes 0 and 1; others give anything. Two tensors over one memory do not know of each other: what saved one does
/// not see writes to the other (take a view of the first instead). Throws ShapeError on a shape that cannot be held,
/// ValueError on a null pointer, memory that is not aligned to its elements, or a negative stride; then the deleter is
/// not called.
TERN_API Tensor from_blob(void* data, const Shape& shape, DType dtype = f32, const BlobOptions& options = {});

/// A vector of the given numbers, of any C++ types. (A template, so that braces around single numbers mean rows.)
template <int = 0>
Tensor tensor(std::initializer_list<Scalar> values, DType dtype = f32) {
  return internal::from_scalars(values.begin(), values.size(), dtype);
}
/// The same for numbers of one type. Throws ValueError for one outside the range of `dtype`.
template <class T>
Tensor tensor(std::initializer_list<T> values, DType dtype = f32) {
  if constexpr (std::is_unsigned_v<T> && sizeof(T) == 8) {  // which no type of a tensor holds
    const std::vector<Scalar> all(values.begin(), values.end());
    return internal::from_scalars(all.data(), all.size(), dtype);
  }
  using Wide = std::conditional_t<std::is_integral_v<T>, std::int64_t, double>;
  Tensor wide = empty({static_cast<std::int64_t>(values.size())}, dtype_of<Wide>());
  Wide* to = wide.template mutable_span<Wide>().data();
  for (const T value : values) *to++ = static_cast<Wide>(value);
  return internal::narrowed(wide, dtype);
}
/// A matrix of the given rows, or [0] for none. Throws ShapeError when they differ in length.
TERN_API Tensor tensor(std::initializer_list<std::initializer_list<Scalar>> rows, DType dtype = f32);
/// A tensor of no dimensions.
TERN_API Tensor scalar(Scalar value, DType dtype = f32);

// Random tensors, drawn from the calling thread's default_generator() by logical index: the same bits at any number of
// threads. The generator's offset counts 32-bit words: one a float, two a double or an integer (from an even word),
// four a normal (from a multiple of four). f16 and bf16 take the draws of f32 and round them.
/// Uniform in [0, 1).
TERN_API Tensor rand(const Shape& shape, DType dtype = f32, Device device = cpu());
/// Uniform in [low, high).
TERN_API Tensor uniform(const Shape& shape, double low, double high, DType dtype = f32, Device device = cpu());
/// Standard normal (Box and Muller 1958), by logarithms and cosines that have the same bits on every processor and GPU.
TERN_API Tensor randn(const Shape& shape, DType dtype = f32, Device device = cpu());
/// Normal with this mean and standard deviation. Throws ValueError unless both are finite and stddev ≥ 0.
TERN_API Tensor normal(const Shape& shape, double mean, double stddev, DType dtype = f32);
/// Of the shape, type and device of x.
TERN_API Tensor rand_like(const Tensor& x);
TERN_API Tensor randn_like(const Tensor& x);
/// Uniform integers in [low, high). Throws ValueError unless low < high, and when `dtype` does not hold them all
/// exactly (a floating type holds whole numbers up to 2 to the number of its digits).
TERN_API Tensor randint(std::int64_t low, std::int64_t high, const Shape& shape, DType dtype = i64);
/// 0, …, n - 1 in a random order, i64.
TERN_API Tensor randperm(std::int64_t n);
/// 1 with the probability that each element of x names, else 0, of x's type. Throws ValueError outside [0, 1].
TERN_API Tensor bernoulli(const Tensor& x);
/// `count` indices, i64 [..., count], with probabilities in proportion to the weights [..., n] of each row; without
/// `replacement` each index once (Efraimidis and Spirakis, IPL 97, 2006). Throws ValueError on a weight that is
/// negative or not finite, or when a row has too few above 0.
TERN_API Tensor multinomial(const Tensor& weights, std::int64_t count, bool replacement = false);

}  // namespace tern
