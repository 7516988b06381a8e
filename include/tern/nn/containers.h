#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tern/nn/sequential.h"

namespace tern::nn {

/// Modules that whoever holds the list calls as they please: `for (std::size_t i = 0; i < layers.size(); ++i) x =
/// layers[i](x);`. Parts are handed over by value (std::move a named one).
class TERN_API ModuleList : public Container {
 public:
  ModuleList() = default;
  template <class First, class... Rest>
  requires(std::is_base_of_v<Module, First> && (std::is_base_of_v<Module, Rest> && ...) &&
           (sizeof...(Rest) > 0 || !std::is_same_v<First, ModuleList>)) explicit ModuleList(First&& first,
                                                                                            Rest&&... rest) {
    append(std::forward<First>(first));
    (append(std::forward<Rest>(rest)), ...);
  }
  std::string_view type_name() const override { return "ModuleList"; }
  /// Throws StateError: a list says not what it computes.
  Tensor forward(const Tensor& x) override;
};

/// Modules by name, in the order in which they were added.
class TERN_API ModuleDict : public Module {
 public:
  ModuleDict();
  ModuleDict(ModuleDict&&) noexcept;
  ModuleDict& operator=(ModuleDict&&) noexcept;
  ~ModuleDict() override;

  /// Adds a part. Throws ValueError on none, or on a name that is empty, taken, or has a dot.
  ModuleDict& insert(std::string name, std::unique_ptr<Module> part);
  template <class M>
  requires(std::is_base_of_v<Module, M> && !std::is_reference_v<M>) ModuleDict& insert(std::string name, M&& part) {
    return insert(std::move(name), std::unique_ptr<Module>(new M(std::forward<M>(part))));
  }
  std::size_t size() const;
  bool contains(std::string_view name) const;
  std::vector<std::string> names() const;
  /// Throws ValueError when there is no part of that name.
  Module& operator[](std::string_view name);
  const Module& operator[](std::string_view name) const { return const_cast<ModuleDict&>(*this)[name]; }

  std::string_view type_name() const override { return "ModuleDict"; }
  std::vector<Part> parts() override;
  /// Throws StateError: a dictionary says not what it computes.
  Tensor forward(const Tensor& x) override;

 private:
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> list_;
};

}  // namespace tern::nn
