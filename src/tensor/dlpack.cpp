#include "tern/tensor/dlpack.h"

#include <algorithm>
#include <memory>
#include <string>

#include "tensor/foreign.h"
#include "tern/base/error.h"

namespace tern {
namespace {

using internal::checked;
using internal::throw_value;

constexpr std::int32_t kCpu = 1;
constexpr DlVersion kVersion{1, 1};

struct Type {
  DType dtype;
  std::uint8_t code, bits;
};
constexpr Type kTypes[] = {{f64, 2, 64}, {f32, 2, 32}, {f16, 2, 16}, {bf16, 4, 16},
                           {i64, 0, 64}, {i32, 0, 32}, {u8, 1, 8},   {boolean, 6, 8}};

// What an exported tensor lives in until its deleter is called.
template <class Managed>
struct Lent {
  Managed managed{};
  Tensor tensor;
  std::int64_t shape[kMaxDims], strides[kMaxDims];
};

template <class Managed>
void give_back(Managed* managed) {
  delete static_cast<Lent<Managed>*>(managed->context);
}

// Tern's own tensor that comes home as it went, or an undefined one. Over its own storage, so that writes to either are
// counted for both.
template <class Managed>
Tensor come_home(Managed* managed, DType dtype, bool read_only) {
  if (managed->deleter != &give_back<Managed>) return {};
  const auto* lent = static_cast<Lent<Managed>*>(managed->context);
  const auto* impl = lent->tensor.impl();
  const DlTensor& from = managed->tensor;
  const bool same = from.data == impl->data && from.byte_offset == 0 && dtype == impl->dtype &&
                    from.ndim == impl->shape.size() && from.strides &&
                    read_only == internal::is_read_only(impl->storage) &&
                    std::equal(impl->shape.begin(), impl->shape.end(), from.shape) &&
                    std::equal(from.strides, from.strides + from.ndim, impl->strides);
  if (!same) return {};
  Tensor home = lent->tensor;
  managed->deleter(managed);
  return home;
}

template <class Managed>
Lent<Managed>* lend(const Tensor& x) {
  const auto* impl = checked(x, "to_dlpack");
  if (impl->requires_grad) {
    throw StateError("[to_dlpack] expected a tensor that needs no gradient, got one that does; detach() it first");
  }
  if (impl->device.kind != DeviceKind::cpu) {
    throw DeviceError("[to_dlpack] expected a tensor on the CPU, got one on " + to_string(impl->device));
  }
  auto lent = std::make_unique<Lent<Managed>>();
  lent->tensor = x.detach();  // which x may part from, as a parameter does that an optimizer moves
  std::copy(impl->shape.begin(), impl->shape.end(), lent->shape);
  std::copy(impl->strides, impl->strides + impl->shape.size(), lent->strides);
  const Type& type =
      *std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) { return t.dtype == impl->dtype; });
  lent->managed.tensor = {impl->data,    {kCpu, 0}, impl->shape.size(), {type.code, type.bits, 1}, lent->shape,
                          lent->strides, 0};
  lent->managed.context = lent.get();
  lent->managed.deleter = &give_back<Managed>;
  impl->storage->lent.store(true, std::memory_order_relaxed);
  return lent.release();
}

template <class Managed>
Tensor take(Managed* managed, bool read_only) {
  const DlTensor& from = managed->tensor;
  if (from.device.type != kCpu) {
    throw_value("from_dlpack", "memory of the CPU (device type 1)", "device type " + std::to_string(from.device.type));
  }
  const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& t) {
    return t.code == from.dtype.code && t.bits == from.dtype.bits && from.dtype.lanes == 1;
  });
  if (type == std::end(kTypes)) {
    internal::throw_dtype("from_dlpack", "f64, f32, f16, bf16, i64, i32, u8 or bool",
                          "code " + std::to_string(from.dtype.code) + " of " + std::to_string(from.dtype.bits) +
                              " bits and " + std::to_string(from.dtype.lanes) + " lanes");
  }
  if (from.ndim < 0 || from.ndim > kMaxDims) {
    internal::throw_shape("from_dlpack", "at most " + std::to_string(kMaxDims) + " dimensions",
                          std::to_string(from.ndim));
  }
  if (Tensor home = come_home(managed, type->dtype, read_only); home.defined()) return home;
  const auto release = [](void* context) {
    auto* owned = static_cast<Managed*>(context);
    if (owned->deleter) owned->deleter(owned);
  };
  char* data = from.data ? static_cast<char*>(from.data) + from.byte_offset : nullptr;
  const Shape shape(from.shape, static_cast<std::size_t>(from.ndim));
  if (type->dtype == boolean) {
    const Tensor bytes = internal::new_foreign("from_dlpack", data, shape, from.strides, u8, {});
    const int most = bytes.numel() > 0 ? bytes.max().item<int>() : 0;
    if (most > 1) throw_value("from_dlpack", "booleans of bytes 0 and 1", std::to_string(most));
  }
  return internal::new_foreign("from_dlpack", data, shape, from.strides, type->dtype, {release, managed, read_only});
}

}  // namespace

DlManagedTensorVersioned* to_dlpack(const Tensor& x) {
  auto* lent = lend<DlManagedTensorVersioned>(x);
  lent->managed.version = kVersion;
  if (internal::is_read_only(x.impl()->storage)) lent->managed.flags |= kDlReadOnly;
  return &lent->managed;
}

DlManagedTensor* to_dlpack_unversioned(const Tensor& x) {
  if (internal::is_read_only(checked(x, "to_dlpack")->storage)) {
    throw StateError(
        "[to_dlpack] expected memory that may be written, got memory that was lent for reading; use the "
        "versioned form, which says so, or clone() it");
  }
  return &lend<DlManagedTensor>(x)->managed;
}

Tensor from_dlpack(DlManagedTensorVersioned* managed) {
  if (!managed) throw_value("from_dlpack", "a tensor", "a null pointer");
  if (managed->version.major != kVersion.major) {
    throw_value("from_dlpack", "major version 1", std::to_string(managed->version.major));
  }
  return take(managed, (managed->flags & kDlReadOnly) != 0);
}

Tensor from_dlpack(DlManagedTensor* managed) {
  if (!managed) throw_value("from_dlpack", "a tensor", "a null pointer");
  return take(managed, false);
}

}  // namespace tern
