#include "tern/nn/containers.h"

#include <algorithm>

#include "tern/base/error.h"

namespace tern::nn {

Tensor ModuleList::forward(const Tensor&) {
  throw StateError("[ModuleList] expected its parts to be called one by one, got a call of the list");
}

ModuleDict::ModuleDict() = default;
ModuleDict::ModuleDict(ModuleDict&&) noexcept = default;
ModuleDict& ModuleDict::operator=(ModuleDict&&) noexcept = default;
ModuleDict::~ModuleDict() = default;

ModuleDict& ModuleDict::insert(std::string name, std::unique_ptr<Module> part) {
  if (!part) throw ValueError("[ModuleDict.insert] expected a module, got none");
  if (name.empty() || name.find('.') != std::string::npos || contains(name)) {
    throw ValueError("[ModuleDict.insert] expected a new name without a dot, got \"" + name + "\"");
  }
  list_.emplace_back(std::move(name), std::move(part));
  return *this;
}

std::size_t ModuleDict::size() const { return list_.size(); }

bool ModuleDict::contains(std::string_view name) const {
  return std::any_of(list_.begin(), list_.end(), [&](const auto& entry) { return entry.first == name; });
}

std::vector<std::string> ModuleDict::names() const {
  std::vector<std::string> names;
  for (const auto& [name, part] : list_) names.push_back(name);
  return names;
}

Module& ModuleDict::operator[](std::string_view name) {
  for (const auto& [key, part] : list_) {
    if (key == name) return *part;
  }
  throw ValueError("[ModuleDict] expected the name of a part, got \"" + std::string(name) + "\"");
}

std::vector<Part> ModuleDict::parts() {
  std::vector<Part> parts;
  for (const auto& [name, part] : list_) parts.push_back({.name = name, .module = part.get()});
  return parts;
}

Tensor ModuleDict::forward(const Tensor&) {
  throw StateError("[ModuleDict] expected its parts to be called one by one, got a call of the dictionary");
}

}  // namespace tern::nn
