#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/nn/module.h"

namespace tern::nn {

/// How to make modules of types that are not Tern's own.
class TERN_API ModuleRegistry {
 public:
  /// Makes a module with the given options; parameters may hold anything, weights are loaded over them.
  using Factory = std::function<std::unique_ptr<Module>(const Attributes&)>;

  ModuleRegistry();
  ModuleRegistry(const ModuleRegistry& other);
  ModuleRegistry(ModuleRegistry&& other) noexcept;
  ModuleRegistry& operator=(const ModuleRegistry& other);
  ModuleRegistry& operator=(ModuleRegistry&& other) noexcept;
  ~ModuleRegistry();

  /// Adds a type by the name that TERN_MODULE gave it. Throws ValueError on a name that is there already or Tern's own.
  ModuleRegistry& add(std::string type, Factory make);
  /// The factory of `type`, null when there is none.
  const Factory* find(std::string_view type) const;

 private:
  std::vector<std::pair<std::string, Factory>> factories_;
};

/// Bounds on what `make_module` builds, checked before anything is allocated.
struct ArchitectureLimits {
  std::int64_t max_parameters = std::int64_t{1} << 28;  ///< elements of all parameters of Tern's own modules
  std::int64_t max_modules = 4096;
  int max_depth = 32;
};

/// The types, options, parts, ties and element type of a module as JSON of format 1. Throws ValueError when a part that
/// is not Tern's own bears the name of one that is, or when parameters differ in type.
TERN_API std::string architecture(const Module& module);

/// The module that `json` describes, in training mode, its weights as after construction; the thread's generator is
/// left as it was. Throws FormatError on JSON that breaks the format or a limit, and on a type that neither Tern nor
/// `extra` can make.
TERN_API std::unique_ptr<Module> make_module(std::string_view json, const ModuleRegistry& extra = {},
                                             const ArchitectureLimits& limits = {});

/// A module of its own with the same parts, values, ties, modes and needs for gradients; gradients are not taken along.
/// Throws FormatError on a type that neither Tern nor `extra` can make.
TERN_API std::unique_ptr<Module> clone(const Module& module, const ModuleRegistry& extra = {});

}  // namespace tern::nn
