#include "ops/dot.h"

#include "operands.h"
#include "slots/reduce.h"
#include "tensor/impl.h"

namespace tern::internal {

Tensor dot(const Tensor& a, const Tensor& b) {
  if (is_half(a.dtype())) return dot(a.detach().to(f32), b.detach().to(f32));
  const Tensor x = a.detach().contiguous(), y = b.detach().contiguous();
  Tensor out = new_tensor({}, f64, x.device());
  kernels::dot(x.device(), x.dtype(),
               {x.numel(), x.impl()->data, y.impl()->data, reinterpret_cast<double*>(out.impl()->data)});
  return out;
}

}  // namespace tern::internal
