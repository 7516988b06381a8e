#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "tern/nn/module.h"

namespace tern::nn {

/// A list of modules whose parts are named "0", "1", …; what it computes, a derived type says.
class TERN_API Container : public Module {
 public:
  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container() override;
  /// Adds a part at the end. Throws ValueError on none.
  void append(std::unique_ptr<Module> part);
  template <class M>
  requires(std::is_base_of_v<Module, M> && !std::is_reference_v<M>) void append(M&& part) {
    adopt(new M(std::forward<M>(part)));
  }
  std::size_t size() const;
  /// Part `i`. Throws IndexError.
  Module& operator[](std::size_t i);
  const Module& operator[](std::size_t i) const { return const_cast<Container&>(*this)[i]; }
  std::vector<Part> parts() override;

 protected:
  Container();
  std::vector<std::unique_ptr<Module>> list_;

  std::vector<bool> fuses_;  ///< whether part i is a Linear and i + 1 a Relu, of these very types

 private:
  void adopt(Module* part);
};

/// Each part applied to the result of the one before: `Sequential{Linear(10, 64), Relu(), Linear(64, 1)}`. Parts are
/// handed over by value (std::move a named one). Without parts, the identity.
class TERN_API Sequential : public Container {
 public:
  Sequential() = default;
  template <class First, class... Rest>
  requires(std::is_base_of_v<Module, First> && (std::is_base_of_v<Module, Rest> && ...) &&
           (sizeof...(Rest) > 0 || !std::is_same_v<First, Sequential>)) explicit Sequential(First&& first,
                                                                                            Rest&&... rest) {
    append(std::forward<First>(first));
    (append(std::forward<Rest>(rest)), ...);
  }
  std::string_view type_name() const override { return "Sequential"; }
  /// A Linear takes a Relu right behind it along, unless one of the two has hooks: the same bits in one pass.
  Tensor forward(const Tensor& x) override;
};

/// The sum of what its parts give for the same input: `Sum{Linear(10, 1), Sequential{…}}` is a network beside a linear
/// model, as in "Wide & Deep Learning" (Cheng et al., arXiv 1606.07792).
class TERN_API Sum : public Container {
 public:
  Sum() = default;
  template <class First, class... Rest>
  requires(std::is_base_of_v<Module, First> && (std::is_base_of_v<Module, Rest> && ...) &&
           (sizeof...(Rest) > 0 || !std::is_same_v<First, Sum>)) explicit Sum(First&& first, Rest&&... rest) {
    append(std::forward<First>(first));
    (append(std::forward<Rest>(rest)), ...);
  }
  std::string_view type_name() const override { return "Sum"; }
  /// Throws StateError when there is no part.
  Tensor forward(const Tensor& x) override;
};

}  // namespace tern::nn
