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
}

void register_kernels_once() {
  static std::once_flag once;
  std::call_once(once, [] { register_cpu_kernels(); });
}

void throw_no_kernel(const char* name, DeviceKind kind, DType dtype) {
  const char* device = kind == DeviceKind::cpu ? "CPU" : "unknown";
  std::string message("[");
  message.append(name)
      .append("] expected a type with a ")
      .append(device)
      .append(" kernel, got ")
      .append(tern::name(dtype));
  throw DTypeError(message);
}

}  // namespace tern::kernels
