#pragma once

#include <atomic>
#include <type_traits>
#include <utility>

#include "loop.h"
#include "tern/base/export.h"
#include "tern/tensor/device.h"
#include "tern/tensor/dtype.h"

namespace tern::kernels {

/// Registers every kernel of a device: one call a family. That of GPUs does nothing in a build without CUDA.
void register_cpu_kernels();
void register_cuda_kernels();

/// Registers what this build has, once.
void register_kernels_once();
/// Runs kernels of the CPU in place of another device's, between the two calls, or null: for tests of what is above.
struct StandIn {
  void (*enter)();
  void (*leave)();
};
TERN_API void set_stand_in(const StandIn* stand_in);
const StandIn* stand_in();

/// The device of the kernel that this thread calls, unless it is the CPU, and the kernel's name.
TERN_API Device& device_of_call();
TERN_API const char*& name_of_call();

[[noreturn]] TERN_COLD void throw_mixed(const char* name, const Loop& loop);
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

  bool has(Device device, DType dtype) const {
    register_kernels_once();
    return at(device.kind, dtype).load(std::memory_order_acquire) != nullptr;
  }

  /// Runs the kernel. Throws DTypeError when there is none, DeviceError when operands of a loop lie apart.
  void operator()(Device device, DType dtype, Args... args) const {
    (check(args), ...);
    if (device.kind != DeviceKind::cpu) [[unlikely]]
      return run_elsewhere(device, dtype, args...);
    Fn fn = at(device.kind, dtype).load(std::memory_order_acquire);
    if (!fn) [[unlikely]]
      fn = missing(device.kind, dtype);
    fn(args...);
  }

 private:
  template <class T>
  void check(const T& argument) const {
    if constexpr (std::is_same_v<T, Loop>) {
      if (argument.mixed) [[unlikely]]
        throw_mixed(name_, argument);
    }
  }
  TERN_COLD void run_elsewhere(Device device, DType dtype, Args... args) const {
    if (const StandIn* const other = stand_in()) {
      struct Within {
        const StandIn* other;
        ~Within() { other->leave(); }
      } within{other};
      other->enter();
      return (*this)(Device{}, dtype, args...);
    }
    Fn fn = at(device.kind, dtype).load(std::memory_order_acquire);
    if (!fn) fn = missing(device.kind, dtype);
    device_of_call() = device;
    const char* const caller = std::exchange(name_of_call(), name_);
    fn(args...);
    name_of_call() = caller;
  }
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
