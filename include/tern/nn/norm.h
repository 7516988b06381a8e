#pragma once

#include <cstdint>

#include "tern/nn/module.h"

// Normalisation of each row, the last dimensions of [..., shape], on its own; ops/norm.h defines it.
namespace tern::nn {

struct LayerNormOptions {
  Shape shape = {};    ///< of a row, each size at least 1
  double eps = 1e-5;   ///< added to the variance, at least 0
  bool affine = true;  ///< multiplies by a learned weight
  bool bias = true;    ///< with affine: adds a learned bias
  DType dtype = f32;   ///< of the parameters
};

/// (x - mean) / sqrt(variance + eps) · weight + bias (Ba et al., arXiv 1607.06450); the weight starts at 1, the bias at
/// 0.
class TERN_API LayerNorm : public Module {
 public:
  /// Throws ValueError on no sizes, one below 1 or a bad eps, DTypeError unless the type is floating.
  explicit LayerNorm(const LayerNormOptions& options);
  explicit LayerNorm(std::int64_t size);
  explicit LayerNorm(const Shape& shape);

  TERN_MODULE(LayerNorm, weight, bias)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

  Tensor weight;  ///< [shape]; undefined without affine
  Tensor bias;    ///< [shape]; undefined without affine or bias

 private:
  Shape shape_;
  double eps_;
};

struct RmsNormOptions {
  Shape shape = {};    ///< of a row, each size at least 1
  double eps = 1e-6;   ///< added to the mean of squares, at least 0
  bool affine = true;  ///< multiplies by a learned weight
  DType dtype = f32;   ///< of the weight
};

/// x / sqrt(mean of squares + eps) · weight (Zhang and Sennrich, arXiv 1910.07467); the weight starts at 1.
class TERN_API RmsNorm : public Module {
 public:
  /// Throws ValueError on no sizes, one below 1 or a bad eps, DTypeError unless the type is floating.
  explicit RmsNorm(const RmsNormOptions& options);
  explicit RmsNorm(std::int64_t size);
  explicit RmsNorm(const Shape& shape);

  TERN_MODULE(RmsNorm, weight)
  Tensor forward(const Tensor& x) override;
  Attributes attributes() const override;

  Tensor weight;  ///< [shape]; undefined without affine

 private:
  Shape shape_;
  double eps_;
};

}  // namespace tern::nn
