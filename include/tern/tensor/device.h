#pragma once

#include <cstdint>

namespace tern {

enum class DeviceKind : std::uint8_t { cpu };

/// Number of device kinds; kernel slots are indexed by it.
inline constexpr int kDeviceKinds = 1;

/// Where a tensor's memory lies.
struct Device {
  DeviceKind kind = DeviceKind::cpu;
  std::int8_t index = 0;
  friend constexpr bool operator==(Device, Device) = default;
};

constexpr Device cpu() { return {}; }

}  // namespace tern
