#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tern/base/export.h"
#include "tern/tensor/shape.h"

namespace tern::nn {

/// The value of a module's option.
using AttributeValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>>;

/// A module's options by name, in the order in which they were set: what its architecture records, and what a factory
/// is handed to make it again.
class TERN_API Attributes {
 public:
  Attributes();
  Attributes(const Attributes& other);
  Attributes(Attributes&& other) noexcept;
  Attributes& operator=(const Attributes& other);
  Attributes& operator=(Attributes&& other) noexcept;
  ~Attributes();

  /// Adds an option. Throws ValueError on a name that is there already.
  Attributes& set(std::string name, AttributeValue value);

  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const std::vector<std::pair<std::string, AttributeValue>>& values() const { return values_; }

  // The option `name`. Each throws FormatError when it is missing or of another type.
  bool get_bool(std::string_view name) const;
  std::int64_t get_int(std::string_view name) const;
  /// An integer is taken too.
  double get_double(std::string_view name) const;
  const std::string& get_string(std::string_view name) const;
  /// A list of integers, or an integer as a list of one.
  Shape get_shape(std::string_view name) const;

 private:
  const AttributeValue* find(std::string_view name) const;
  const AttributeValue& at(std::string_view name) const;

  std::vector<std::pair<std::string, AttributeValue>> values_;
};

}  // namespace tern::nn
