#include "tensor/foreign.h"

#include <algorithm>
#include <memory>

#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern {
namespace internal {

Tensor new_foreign(const char* where, void* data, const Shape& shape, const std::int64_t* strides, DType dtype,
                   const Foreign& foreign) {
  std::int64_t own_strides[kMaxDims];
  const std::int64_t numel = checked_numel(where, shape);
  contiguous_strides(shape, own_strides);
  if (strides) std::copy(strides, strides + shape.size(), own_strides);
  const auto width = static_cast<std::int64_t>(size_of(dtype));
  std::int64_t reach = width;  // bytes from the first element to the end of the last
  for (int d = 0; d < shape.size(); ++d) {
    std::int64_t span;
    if (own_strides[d] < 0) throw_value(where, "strides of at least 0", std::to_string(own_strides[d]));
    if (__builtin_mul_overflow(std::max<std::int64_t>(shape[d] - 1, 0) * width, own_strides[d], &span) ||
        __builtin_add_overflow(reach, span, &reach)) {
      throw_value(where, "memory within 2^63 bytes", "a stride of " + std::to_string(own_strides[d]));
    }
  }
  if (numel > 0 && !data) throw_value(where, "memory for " + std::to_string(numel) + " elements", "a null pointer");
  if (reinterpret_cast<std::uintptr_t>(data) % size_of(dtype) != 0) {
    throw_value(where, "memory aligned to " + std::to_string(width) + " bytes", "an address between");
  }
  const Tensor base = new_tensor({0}, dtype, cpu());
  auto owned = std::make_unique<Foreign>();
  base.impl()->data = base.impl()->storage->data = static_cast<char*>(data);
  Tensor out = new_view(base, shape, own_strides, 0);
  *owned = foreign;
  base.impl()->storage->foreign = owned.release();
  return out;
}

}  // namespace internal

Tensor from_blob(void* data, const Shape& shape, DType dtype, const BlobOptions& options) {
  const Shape& strides = options.strides;
  if (!strides.empty() && strides.size() != shape.size()) {
    internal::throw_shape("from_blob", std::to_string(shape.size()) + " strides", to_string(strides));
  }
  return internal::new_foreign("from_blob", data, shape, strides.empty() ? nullptr : strides.begin(), dtype,
                               {options.deleter, options.context, options.read_only});
}

}  // namespace tern
