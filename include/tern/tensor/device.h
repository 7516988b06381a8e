#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tern/base/export.h"

namespace tern {

enum class DeviceKind : std::uint8_t { cpu, cuda };

/// Number of device kinds; kernel slots are indexed by it.
inline constexpr int kDeviceKinds = 2;

/// Where a tensor's memory lies.
struct Device {
  DeviceKind kind = DeviceKind::cpu;
  std::int8_t index = 0;
  friend constexpr bool operator==(Device, Device) = default;
};

constexpr Device cpu() { return {}; }
/// The GPU of that number, as the driver counts them.
constexpr Device cuda(int index = 0) { return {DeviceKind::cuda, static_cast<std::int8_t>(index)}; }

/// "cpu", "cuda:0".
TERN_API std::string to_string(Device device);
/// The device of such a name, or of "cuda", which is "cuda:0". Throws ValueError on another text. Whether the device is
/// there shows when memory is asked of it.
TERN_API Device device_from(std::string_view name);

/// How many devices of a kind this process can use: one CPU; no GPU in a build without CUDA or on a machine without a
/// driver.
TERN_API int device_count(DeviceKind kind);
inline bool cuda_available() { return device_count(DeviceKind::cuda) > 0; }
/// Throws DeviceError, which says what is missing, unless the device is there.
TERN_API void require_device(Device device);

/// Waits until the device has done all that it was given. Throws what its kernels found meanwhile: IndexError for an
/// index out of bounds. Throws DeviceError when the device is not there or failed.
TERN_API void synchronize(Device device);

}  // namespace tern
