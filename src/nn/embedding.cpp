#include "tern/nn/embedding.h"

#include <string>

#include "nn/fields.h"
#include "tern/nn/init.h"
#include "tern/ops/embedding.h"
#include "tern/tensor/creation.h"

namespace tern::nn {

Embedding::Embedding(const EmbeddingOptions& options) : padding_(options.padding), sparse_(options.sparse) {
  constexpr std::int64_t limit = std::int64_t{1} << 40;
  if (options.count < 1 || options.width < 1 || options.count > limit / options.width) {
    throw ValueError("[embedding] expected count and width of at least 1 and at most 2^40 weights, got count " +
                     std::to_string(options.count) + ", width " + std::to_string(options.width));
  }
  if (options.padding < -1 || options.padding >= options.count) {
    throw ValueError("[embedding] expected padding in [0, " + std::to_string(options.count) + "), or -1, got " +
                     std::to_string(options.padding));
  }
  if (!is_floating(options.dtype)) {
    throw DTypeError("[embedding] expected a floating type, got " + std::string(name(options.dtype)));
  }
  weight = empty({options.count, options.width}, options.dtype);
  init::normal_(weight);
  if (padding_ >= 0) init::zeros_(weight[padding_]);
  weight.requires_grad_();
}

Tensor Embedding::forward(const Tensor& indices) {
  return embedding(weight, indices, {.padding_idx = padding_, .sparse = sparse_});
}

Attributes Embedding::attributes() const {
  return internal::to_attributes(
      EmbeddingOptions{.count = weight.size(0), .width = weight.size(1), .padding = padding_, .sparse = sparse_});
}

}  // namespace tern::nn
