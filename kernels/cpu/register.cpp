#include <atomic>
#include <mutex>
#include <string>

#include "cpu/families.h"
#include "slot.h"
#include "tern/base/error.h"

namespace tern::kernels {

void register_cpu_kernels() {
  cpu::register_unary();
  cpu::register_binary();
  cpu::register_copy();
  cpu::register_reduce();
  cpu::register_gemm();
  cpu::register_softmax();
  cpu::register_loss();
  cpu::register_index();
  cpu::register_sort();
  cpu::register_norm();
  cpu::register_random();
  cpu::register_optimizer();
  cpu::register_special();
}

void register_kernels_once() {
  static std::once_flag once;
  std::call_once(once, [] {
    register_cpu_kernels();
    register_cuda_kernels();
  });
}

namespace {
constinit std::atomic<const StandIn*> standing_in{nullptr};
}  // namespace
void set_stand_in(const StandIn* stand_in) { standing_in.store(stand_in, std::memory_order_release); }
const StandIn* stand_in() { return standing_in.load(std::memory_order_acquire); }

Device& device_of_call() {
  static constinit thread_local Device device{};
  return device;
}

const char*& name_of_call() {
  static constinit thread_local const char* name = "";
  return name;
}

void throw_mixed(const char* name, const Loop& loop) {
  throw DeviceError("[" + std::string(name) + "] expected tensors on one device, got " + to_string(loop.devices[0]) +
                    " and " + to_string(loop.devices[1]));
}

void throw_no_kernel(const char* name, DeviceKind kind, DType dtype) {
  const char* device = kind == DeviceKind::cpu ? "CPU" : "CUDA";
  std::string message("[");
  message.append(name)
      .append("] expected a type with a ")
      .append(device)
      .append(" kernel, got ")
      .append(tern::name(dtype));
  throw DTypeError(message);
}

}  // namespace tern::kernels
