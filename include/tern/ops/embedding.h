#pragma once

#include <cstdint>

#include "tern/tensor/tensor.h"

namespace tern {

struct EmbeddingOptions {
  std::int64_t padding_idx = -1;  ///< a row that gets no gradient; -1: none
  /// Backward leaves the weight, when it is a leaf, the rows that were looked up (ops/rows.h), which the optimizers
  /// then move alone. That is lazy: the other rows' moments do not decay, and weight decay does not reach them, as in
  /// PyTorch's SparseAdam. The gradient is dense for `grad` and create_graph, in anomaly mode, and where the weight is
  /// no leaf or has hooks.
  bool sparse = false;
};

/// Rows of weight [V, D] at `index` (i64, of any shape): [..., D]. Gradients of repeated rows are added in order of the
/// index. Throws IndexError on an index outside [0, V), ShapeError, DTypeError, ValueError.
TERN_API Tensor embedding(const Tensor& weight, const Tensor& index, const EmbeddingOptions& options = {});

}  // namespace tern
