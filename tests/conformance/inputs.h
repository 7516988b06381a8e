#pragma once

#include "conformance/row.h"
#include "tern/tensor/device.h"

// Inputs of a row: drawn as arrays of doubles, laid out as tensors of any type, strides and device, and read back.
namespace conformance {

/// SplitMix64: the inputs of large cases are most of what this program computes.
struct Draws {
  std::uint64_t state;
  double uniform() {
    std::uint64_t bits = state += 0x9e3779b97f4a7c15;
    bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9;
    bits = (bits ^ bits >> 27) * 0x94d049bb133111eb;
    return static_cast<double>((bits ^ bits >> 31) >> 11) * 0x1p-53;
  }
};

Tensor tensor_of(const Array& a, DType dtype);
Array values_of(const Tensor& x);

/// The number that the type holds in the place of `x`.
double rounded(double x, DType dtype);
/// From 1 to the next number: results that are computed exactly enough and rounded once differ by no more.
double step_of(DType half);

/// The real values of a call are one shuffled grid with jitter: none equals another or a kink.
Arrays draw(const Row& row, const Case& c, const Shapes& shapes, DType dtype, std::uint64_t seed);

enum class Layout { contiguous, transposed, sliced };
/// The arrays as tensors; with other strides than contiguous ones the gaps hold something else.
Tensors tensors_of(const Case& c, const Arrays& arrays, DType dtype, Layout layout = Layout::contiguous,
                   bool with_grad = false, tern::Device device = tern::cpu());

}  // namespace conformance
