#pragma once

#include <cstdint>

#include "tern/tensor/tensor.h"

// Initialisers. Each overwrites a floating tensor in place, outside the tape, with numbers drawn from the calling
// thread's default_generator(), and throws DTypeError on another type. Fans are those of a weight [out, in, …]: in ·
// rest and out · rest; ShapeError on fewer than two dimensions.
namespace tern::nn::init {

TERN_API void constant_(Tensor t, double value);
TERN_API void zeros_(Tensor t);
TERN_API void ones_(Tensor t);
/// 1 on the diagonal of a matrix, 0 elsewhere. Throws ShapeError unless there are two dimensions.
TERN_API void eye_(Tensor t);
/// Uniform in [low, high).
TERN_API void uniform_(Tensor t, double low = 0, double high = 1);
TERN_API void normal_(Tensor t, double mean = 0, double stddev = 1);

struct TruncNormalOptions {
  double mean = 0;
  double stddev = 1;  ///< of the normal before it is cut, above 0
  double low = -2;    ///< bounds of what is drawn
  double high = 2;
};
/// Normal, given that it lies within [low, high]; by inversion. Throws ValueError unless low < high and stddev > 0.
TERN_API void trunc_normal_(Tensor t, const TruncNormalOptions& options = {});

/// What follows the layer; its gain keeps the variance of what passes through.
enum class Nonlinearity : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };
/// The recommended gain, PyTorch's; `slope` is that of leaky_relu.
TERN_API double calculate_gain(Nonlinearity nonlinearity, double slope = 0.01);

/// Uniform in ±gain · sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, AISTATS 2010).
TERN_API void xavier_uniform_(Tensor t, double gain = 1);
/// Normal of deviation gain · sqrt(2 / (fan_in + fan_out)).
TERN_API void xavier_normal_(Tensor t, double gain = 1);

enum class Fan : std::uint8_t { in, out };
struct KaimingOptions {
  Fan fan = Fan::in;  ///< in keeps the variance of the forward pass, out that of the backward pass
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
  double slope = 0;  ///< of leaky_relu
};
/// Uniform in ±gain · sqrt(3 / fan) (He et al., arXiv 1502.01852).
TERN_API void kaiming_uniform_(Tensor t, const KaimingOptions& options = {});
/// Normal of deviation gain / sqrt(fan).
TERN_API void kaiming_normal_(Tensor t, const KaimingOptions& options = {});

/// Orthonormal rows or columns, whichever are fewer, times gain (Saxe et al., arXiv 1312.6120).
TERN_API void orthogonal_(Tensor t, double gain = 1);

/// Normal of deviation `stddev`, with a share of `sparsity`, rounded up, of the elements of each column 0 (Martens,
/// ICML 2010). Throws ShapeError unless there are two dimensions, ValueError unless 0 <= sparsity <= 1.
TERN_API void sparse_(Tensor t, double sparsity, double stddev = 0.01);

}  // namespace tern::nn::init
