#pragma once

#include <cstdint>

#include "tern/nn/module.h"

namespace tern::nn {

struct EmbeddingOptions {
  std::int64_t count = 0;     ///< of rows, at least 1
  std::int64_t width = 0;     ///< of a row, at least 1
  std::int64_t padding = -1;  ///< a row that starts at 0 and gets no gradient; -1: none
  bool sparse = false;        ///< backward leaves the rows that were looked up, and optimizers move those alone
  DType dtype = f32;          ///< of the rows
};

/// The rows of a table that indices name: [...] of i64 to [..., width] (ops/embedding.h says what `sparse` means). The
/// rows start standard normal, PyTorch's default, drawn from the calling thread's default_generator().
class TERN_API Embedding : public Module {
 public:
  /// Throws ValueError on sizes below 1 or too large to index or a padding that is no row, DTypeError unless the type
  /// is floating.
  explicit Embedding(const EmbeddingOptions& options);
  Embedding(std::int64_t count, std::int64_t width) : Embedding(EmbeddingOptions{.count = count, .width = width}) {}

  TERN_MODULE(Embedding, weight)
  /// Throws DTypeError unless the indices are i64 or i32, IndexError on one outside [0, count).
  Tensor forward(const Tensor& indices) override;
  Attributes attributes() const override;

  Tensor weight;  ///< [count, width]

 private:
  std::int64_t padding_;
  bool sparse_;
};

}  // namespace tern::nn
