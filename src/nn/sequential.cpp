#include "tern/nn/sequential.h"

#include <string>
#include <typeinfo>

#include "tern/base/error.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/ops/matmul.h"

namespace tern::nn {

Container::Container() = default;
Container::Container(Container&&) noexcept = default;
Container& Container::operator=(Container&&) noexcept = default;
Container::~Container() = default;

void Container::adopt(Module* part) { append(std::unique_ptr<Module>(part)); }

std::size_t Container::size() const { return list_.size(); }

void Container::append(std::unique_ptr<Module> part) {
  if (!part) throw ValueError("[" + std::string(type_name()) + ".append] expected a module, got none");
  const Module& added = *part;
  if (!list_.empty()) {
    const Module& before = *list_.back();
    fuses_.back() = typeid(before) == typeid(Linear) && typeid(added) == typeid(Relu);
  }
  fuses_.reserve(list_.size() + 1);
  list_.push_back(std::move(part));
  fuses_.push_back(false);
}

Module& Container::operator[](std::size_t i) {
  if (i >= list_.size()) {
    throw IndexError("[" + std::string(type_name()) + "] expected an index below " + std::to_string(list_.size()) +
                     ", got " + std::to_string(i));
  }
  return *list_[i];
}

std::vector<Part> Container::parts() {
  std::vector<Part> parts;
  parts.reserve(list_.size());
  for (std::size_t i = 0; i < list_.size(); ++i) {
    parts.push_back({.name = std::to_string(i), .module = list_[i].get()});
  }
  return parts;
}

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (std::size_t i = 0; i < list_.size(); ++i) {
    Module& part = *list_[i];
    if (fuses_[i] && !part.has_hooks() && !list_[i + 1]->has_hooks() && !is_anomaly_enabled()) {
      const auto& layer = static_cast<const Linear&>(part);
      y = linear(y, layer.weight_to_read(), layer.bias, Activation::relu);
      ++i;
    } else {
      y = part(y);
    }
  }
  return y;
}

Tensor Sum::forward(const Tensor& x) {
  if (list_.empty()) throw StateError("[Sum] expected at least one part, got none");
  Tensor y = (*list_[0])(x);
  for (std::size_t i = 1; i < list_.size(); ++i) y = y + (*list_[i])(x);
  return y;
}

}  // namespace tern::nn
