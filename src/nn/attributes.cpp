#include "tern/nn/attributes.h"

#include "tern/base/error.h"

namespace tern::nn {

namespace {
template <class T>
const T& typed(std::string_view name, const AttributeValue& value, const char* wanted) {
  const T* found = std::get_if<T>(&value);
  if (!found) {
    static constexpr const char* kinds[] = {"a boolean", "an integer", "a number", "a string", "a list of integers"};
    throw FormatError("[attributes] expected " + std::string(wanted) + " as \"" + std::string(name) + "\", got " +
                      kinds[value.index()]);
  }
  return *found;
}
}  // namespace

Attributes::Attributes() = default;
Attributes::Attributes(const Attributes& other) = default;
Attributes::Attributes(Attributes&& other) noexcept = default;
Attributes& Attributes::operator=(const Attributes& other) = default;
Attributes& Attributes::operator=(Attributes&& other) noexcept = default;
Attributes::~Attributes() = default;

Attributes& Attributes::set(std::string name, AttributeValue value) {
  if (find(name)) throw ValueError("[attributes] expected distinct names, got \"" + name + "\" twice");
  values_.emplace_back(std::move(name), std::move(value));
  return *this;
}

const AttributeValue* Attributes::find(std::string_view name) const {
  for (const auto& [key, value] : values_) {
    if (key == name) return &value;
  }
  return nullptr;
}

const AttributeValue& Attributes::at(std::string_view name) const {
  const AttributeValue* found = find(name);
  if (!found) throw FormatError("[attributes] expected an option \"" + std::string(name) + "\", got none");
  return *found;
}

bool Attributes::get_bool(std::string_view name) const { return typed<bool>(name, at(name), "a boolean"); }

std::int64_t Attributes::get_int(std::string_view name) const {
  return typed<std::int64_t>(name, at(name), "an integer");
}

double Attributes::get_double(std::string_view name) const {
  const AttributeValue& value = at(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
  return typed<double>(name, value, "a number");
}

const std::string& Attributes::get_string(std::string_view name) const {
  return typed<std::string>(name, at(name), "a string");
}

Shape Attributes::get_shape(std::string_view name) const {
  const AttributeValue& value = at(name);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return {*integer};
  const auto& list = typed<std::vector<std::int64_t>>(name, value, "a list of integers");
  if (list.size() > static_cast<std::size_t>(kMaxDims)) {
    throw FormatError("[attributes] expected at most " + std::to_string(kMaxDims) + " integers as \"" +
                      std::string(name) + "\", got " + std::to_string(list.size()));
  }
  return Shape(list);
}

}  // namespace tern::nn
