#include "tern/tensor/device.h"

#include <atomic>
#include <charconv>

#include "tensor/device_runtime.h"
#include "tern/base/error.h"

namespace tern {
namespace internal {

namespace {
constinit std::atomic<DeviceRuntime*> replacement{nullptr};
}  // namespace

void replace_cuda_runtime(DeviceRuntime* runtime) { replacement.store(runtime, std::memory_order_release); }

DeviceRuntime* runtime_of(DeviceKind kind) {
  if (kind != DeviceKind::cuda) return nullptr;
  DeviceRuntime* const other = replacement.load(std::memory_order_acquire);
  return other ? other : cuda_runtime();
}

DeviceRuntime& runtime(Device device) {
  require_device(device);
  return *runtime_of(device.kind);
}

void throw_devices(const char* where, const std::string& got) {
  throw DeviceError("[" + std::string(where) + "] expected tensors on one device, got " + got);
}

}  // namespace internal

std::string to_string(Device device) {
  return device.kind == DeviceKind::cpu ? "cpu" : "cuda:" + std::to_string(device.index);
}

Device device_from(std::string_view name) {
  if (name == "cpu") return cpu();
  if (name == "cuda") return cuda();
  constexpr std::string_view prefix = "cuda:";
  int index = -1;
  if (name.substr(0, prefix.size()) == prefix) {
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, index);
    if (error == std::errc() && rest == end && index >= 0 && index < 128) return cuda(index);
  }
  throw ValueError("[device_from] expected cpu, cuda or cuda:N, got \"" + std::string(name) + "\"");
}

int device_count(DeviceKind kind) {
  if (kind == DeviceKind::cpu) return 1;
  internal::DeviceRuntime* const runtime = internal::runtime_of(kind);
  return runtime ? runtime->count() : 0;
}

void require_device(Device device) {
  if (device.kind == DeviceKind::cpu) return;
  internal::DeviceRuntime* const runtime = internal::runtime_of(device.kind);
  const int count = runtime ? runtime->count() : 0;
  if (device.index >= 0 && device.index < count) return;
  throw DeviceError("[device] expected " + to_string(device) + ", got " +
                    (runtime ? runtime->missing(device.index) : "a build without CUDA (TERN_CUDA=OFF)"));
}

MemoryStatistics memory_statistics(Device device) {
  if (device.kind == DeviceKind::cpu) return memory_statistics();
  return internal::runtime(device).statistics(device.index);
}

void empty_cache(Device device) {
  if (device.kind == DeviceKind::cpu) return empty_cache();
  internal::runtime(device).empty_cache(device.index);
}

void synchronize(Device device) {
  if (device.kind != DeviceKind::cpu) internal::runtime(device).synchronize(device.index);
}

}  // namespace tern
