#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern {

struct GradcheckOptions {
  double epsilon = 1e-6;    ///< half the width of the central difference
  double tolerance = 1e-6;  ///< allowed |difference| / (1 + |derivative|)
};

/// What a gradient check found; true when all derivatives agree.
struct GradcheckResult {
  bool ok = true;
  std::string message{};  ///< the first disagreement: input, element, both values
  double worst = 0;       ///< largest |difference| / (1 + |derivative|)
  explicit operator bool() const { return ok; }
};

using TensorFunction = std::function<Tensor(const std::vector<Tensor>&)>;

/// Compares the gradient of a fixed random projection of `f(inputs)` with central differences, for every element of
/// every f64 input that needs a gradient. Inputs are restored. Throws DTypeError when no such input is given,
/// ValueError when elements of one share memory, as those of an expanded tensor do.
TERN_API GradcheckResult gradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                   const GradcheckOptions& options = {});

/// The same one order higher: checks the derivative of the gradient, taped by create_graph, by the inputs and, in one
/// direction, by the gradient of the result, on which it depends too; a message calls that the input after the last.
TERN_API GradcheckResult gradgradcheck(const TensorFunction& f, const std::vector<Tensor>& inputs,
                                       const GradcheckOptions& options = {});

}  // namespace tern
