#pragma once

#include <concepts>
#include <string>

#include "tern/base/export.h"

namespace tern::internal {

/// The shortest text that reads back as the same number, for messages and files: std::to_string has six decimals, so
/// that 1e-9 is 0 and 1e300 has 301 digits.
TERN_API std::string number_text(double value);
TERN_API std::string number_text(float value);
template <std::integral T>
std::string number_text(T value) {
  return std::to_string(value);
}

/// A name between quotes for a message, no more than its first 80 bytes.
TERN_API std::string in_quotes(const std::string& name);

}  // namespace tern::internal
