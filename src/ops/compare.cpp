#include "tern/ops/compare.h"

#include "base/number_text.h"
#include "operands.h"
#include "slots/elementwise.h"
#include "tensor_loop.h"
#include "tern/ops/binary.h"
#include "tern/ops/reduce.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::checked;
using internal::wrap;
using Slot = kernels::KernelSlot<kernels::LoopFn>;

// Neither taped nor differentiable: a kernel over the promoted operands.
Tensor run(const char* name, const Slot& kernel, const Tensor& a, const Tensor& b, DType dtype, DType result) {
  const Tensor left = a.detach().to(dtype), right = b.detach().to(dtype);
  Tensor out = internal::new_result(broadcast_shapes(name, a.shape(), b.shape()), result, a.impl(), b.impl());
  kernel(out.device(), dtype, internal::make_loop(out, &left, &right));
  return out;
}

Tensor compare(const char* name, const Slot& kernel, const Tensor& a, const Tensor& b) {
  return run(name, kernel, a, b, promote(checked(a, name)->dtype, checked(b, name)->dtype), boolean);
}

Tensor bitwise(const char* name, const Slot& kernel, const Tensor& a, const Tensor& b, bool booleans = true) {
  const DType dtype = promote(checked(a, name)->dtype, checked(b, name)->dtype);
  if (is_floating(dtype) || (dtype == boolean && !booleans)) {
    internal::throw_dtype(name, booleans ? "integers or booleans" : "integers",
                          std::string(tern::name(a.dtype())) + " and " + std::string(tern::name(b.dtype())));
  }
  internal::check_together(name, {&a, &b});  // the kernel has the name of its own op
  return run(name, kernel, a, b, dtype, dtype);
}

Tensor truth(const char* where, const Tensor& x) {
  return checked(x, where)->dtype == boolean ? x.detach() : x != false;
}

// Beside integers that cannot hold the number, all are compared as i64, or as f64 when that cannot hold it either;
// beside half types that round it, as f32.
Tensor wrap_exactly(const char* where, Scalar value, const Tensor& beside) {
  if (internal::rounds(beside, value)) return scalar(value, f32);
  const DType dtype = value.promoted(checked(beside, where)->dtype);
  return scalar(value, internal::fits(value, dtype) ? dtype : internal::fits(value, i64) ? i64 : f64);
}

Tensor wrap_truth(const char* /*where*/, Scalar value, const Tensor& /*beside*/) {
  return scalar(value.real() != 0, boolean);
}

// A number of bits that the type does not hold is as good as 64.
Tensor wrap_count(const char* where, Scalar value, const Tensor& beside) {
  const DType dtype = checked(beside, where)->dtype;
  const bool beyond = value.promoted(dtype) == dtype && !internal::fits(value, dtype);
  return wrap(where, beyond ? Scalar(64) : value, beside);
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", kernels::binary_eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", kernels::binary_ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", kernels::binary_lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", kernels::binary_le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", kernels::binary_gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", kernels::binary_ge, a, b); }

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return bitwise("logical_and", kernels::binary_bitwise_and, truth("logical_and", a), truth("logical_and", b));
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return bitwise("logical_or", kernels::binary_bitwise_or, truth("logical_or", a), truth("logical_or", b));
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return bitwise("logical_xor", kernels::binary_bitwise_xor, truth("logical_xor", a), truth("logical_xor", b));
}

Tensor bitwise_and(const Tensor& a, const Tensor& b) {
  return bitwise("bitwise_and", kernels::binary_bitwise_and, a, b);
}
Tensor bitwise_or(const Tensor& a, const Tensor& b) { return bitwise("bitwise_or", kernels::binary_bitwise_or, a, b); }
Tensor bitwise_xor(const Tensor& a, const Tensor& b) {
  return bitwise("bitwise_xor", kernels::binary_bitwise_xor, a, b);
}
Tensor bitwise_not(const Tensor& a) {
  const DType dtype = checked(a, "bitwise_not")->dtype;
  if (is_floating(dtype)) {
    internal::throw_dtype("bitwise_not", "integers or booleans", std::string(name(dtype)));
  }
  return a ^ scalar(dtype == u8 ? 255 : -1, dtype);
}
Tensor bitwise_left_shift(const Tensor& a, const Tensor& b) {
  return bitwise("bitwise_left_shift", kernels::binary_bitwise_left_shift, a, b, false);
}
Tensor bitwise_right_shift(const Tensor& a, const Tensor& b) {
  return bitwise("bitwise_right_shift", kernels::binary_bitwise_right_shift, a, b, false);
}

Tensor isclose(const Tensor& a, const Tensor& b, const IsCloseOptions& options) {
  if (!(options.rtol >= 0 && options.atol >= 0)) {
    internal::throw_value("isclose", "tolerances of at least 0",
                          internal::number_text(options.rtol) + " and " + internal::number_text(options.atol));
  }
  const DType promoted = promote(checked(a, "isclose")->dtype, checked(b, "isclose")->dtype),
              dtype = is_floating(promoted) ? promoted : f64;
  internal::broadcast("isclose", {&a, &b});
  const Tensor x = a.detach().to(dtype), y = b.detach().to(dtype), apart = abs(x - y);
  const Tensor close = (x == y) | (isfinite(apart) & (apart <= options.atol + abs(options.rtol * y)));
  return options.equal_nan ? close | (isnan(x) & isnan(y)) : close;
}

bool allclose(const Tensor& a, const Tensor& b, const IsCloseOptions& options) {
  internal::broadcast("allclose", {&a, &b});
  const Tensor close = isclose(a, b, options);
  return close.numel() == 0 || close.min().item<bool>();
}

bool equal(const Tensor& a, const Tensor& b) {
  if (!(checked(a, "equal")->shape == checked(b, "equal")->shape)) return false;
  internal::check_together("equal", {&a, &b});
  return a.numel() == 0 || eq(a, b).min().item<bool>();
}

#define TERN_WITH_NUMBERS(function, wrap)                                                   \
  Tensor function(const Tensor& a, Scalar b) { return function(a, wrap(#function, b, a)); } \
  Tensor function(Scalar a, const Tensor& b) { return function(wrap(#function, a, b), b); }
#define TERN_OPERATOR(symbol, function, wrap)                                         \
  TERN_WITH_NUMBERS(function, wrap)                                                   \
  Tensor operator symbol(const Tensor& a, const Tensor& b) { return function(a, b); } \
  Tensor operator symbol(const Tensor& a, Scalar b) { return function(a, b); }        \
  Tensor operator symbol(Scalar a, const Tensor& b) { return function(a, b); }
TERN_OPERATOR(==, eq, wrap_exactly)
TERN_OPERATOR(!=, ne, wrap_exactly)
TERN_OPERATOR(<, lt, wrap_exactly)
TERN_OPERATOR(<=, le, wrap_exactly)
TERN_OPERATOR(>, gt, wrap_exactly)
TERN_OPERATOR(>=, ge, wrap_exactly)
TERN_OPERATOR(&, bitwise_and, wrap)
TERN_OPERATOR(|, bitwise_or, wrap)
TERN_OPERATOR(^, bitwise_xor, wrap)
TERN_WITH_NUMBERS(logical_and, wrap_truth)
TERN_WITH_NUMBERS(logical_or, wrap_truth)
TERN_WITH_NUMBERS(logical_xor, wrap_truth)
#undef TERN_OPERATOR
#undef TERN_WITH_NUMBERS

Tensor bitwise_left_shift(const Tensor& a, Scalar b) {
  return bitwise_left_shift(a, wrap_count("bitwise_left_shift", b, a));
}
Tensor bitwise_left_shift(Scalar a, const Tensor& b) { return bitwise_left_shift(wrap("bitwise_left_shift", a, b), b); }
Tensor bitwise_right_shift(const Tensor& a, Scalar b) {
  return bitwise_right_shift(a, wrap_count("bitwise_right_shift", b, a));
}
Tensor bitwise_right_shift(Scalar a, const Tensor& b) {
  return bitwise_right_shift(wrap("bitwise_right_shift", a, b), b);
}

Tensor isclose(const Tensor& a, Scalar b, const IsCloseOptions& options) {
  return isclose(a, wrap_exactly("isclose", b, a), options);
}
Tensor isclose(Scalar a, const Tensor& b, const IsCloseOptions& options) {
  return isclose(wrap_exactly("isclose", a, b), b, options);
}

Tensor operator!(const Tensor& a) { return logical_not(a); }
Tensor operator~(const Tensor& a) { return bitwise_not(a); }

}  // namespace tern
