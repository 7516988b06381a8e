#include "operands.h"

#include <string>

#include "autograd/node.h"
#include "base/number_text.h"
#include "tern/base/error.h"

namespace tern {

void internal::throw_unfit(const char* where, Scalar value, DType dtype) {
  throw_value(where, "a number that " + std::string(name(dtype)) + " holds",
              value.promoted(i64) == i64 ? std::to_string(value.integer()) : internal::number_text(value.real()));
}

bool internal::is_rounded(Scalar number, DType half) {
  const double exact = number.real();
  return exact != (half == f16 ? static_cast<double>(Half(exact)) : static_cast<double>(BFloat16(exact)));
}

void internal::check_untaped(const char* where, const Tensor& x) {
  if (!needs_grad(x)) return;
  throw StateError(
      "[" + std::string(where) +
      "] expected an operand that needs no gradient, or a NoGrad scope, for a write in place, got one that "
      "needs a gradient: " +
      describe(x));
}

void internal::check_source(const char* where, const Shape& shape, const Tensor& x, const Tensor& source) {
  if (!(checked(source, where)->shape == shape)) {
    throw_shape(where, "a source of shape " + to_string(shape), to_string(source.shape()));
  }
  check_devices(where, x, source);
  if (source.dtype() != x.dtype()) {
    throw_dtype(where, "a source of type " + std::string(name(x.dtype())), std::string(name(source.dtype())));
  }
}

}  // namespace tern
