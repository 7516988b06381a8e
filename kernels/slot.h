#pragma once

#include <atomic>

#include "tern/base/export.h"
#include "tern/tensor/device.h"
#include "tern/tensor/dtype.h"

namespace tern::kernels {

/// Registers every CPU kernel: one call a family.
void register_cpu_kernels();

/// Registers what this build has, once.
void register_kernels_once();
[[noreturn]] TERN_COLD void throw_no_kernel(const char* name, DeviceKind kind, DType dtype);

template <class Fn>
class KernelSlot;

/// A kernel of one name, a function for each device and element type.
template <class... Args>
class KernelSlot<void(Args...)> {
 public:
  using Fn = void (*)(Args...);
  constexpr explicit KernelSlot(const char* name) : name_(name) {}

  void set(DeviceKind kind, DType dtype, Fn fn) { at(kind, dtype).store(fn, std::memory_order_release); }

  /// Runs the kernel. Throws DTypeError when there is none.
  void operator()(Device device, DType dtype, Args... args) const {
    Fn fn = at(device.kind, dtype).load(std::memory_order_acquire);
    if (!fn) [[unlikely]]
      fn = missing(device.kind, dtype);
    fn(args...);
  }

 private:
  std::atomic<Fn>& at(DeviceKind kind, DType dtype) const {
    return table_[static_cast<int>(kind)][static_cast<int>(dtype)];
  }
  TERN_COLD Fn missing(DeviceKind kind, DType dtype) const {
    register_kernels_once();
    const Fn fn = at(kind, dtype).load(std::memory_order_acquire);
    if (!fn) throw_no_kernel(name_, kind, dtype);
    return fn;
  }

  const char* name_;
  mutable std::atomic<Fn> table_[kDeviceKinds][kMaxDTypes]{};
};

}  // namespace tern::kernels
