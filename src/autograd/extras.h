#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tensor/impl.h"

// What few tensors and nodes have: hooks, a gradient kept or of rows, where an op was called, a function of the user's.
namespace tern::internal {

struct HookList {
  std::vector<std::pair<std::uint64_t, std::function<Tensor(const Tensor&)>>> hooks;  // with their numbers
  std::uint64_t next = 0;
};

struct CallSite {
  static constexpr int kMost = 48;
  std::string scopes;
  void* frames[kMost];
  int count = 0;
};

struct Extras {
  std::shared_ptr<HookList> hooks;         // of the gradient of a leaf or of a node's result
  TensorImpl* retained = nullptr;          // the node's result whose gradient is to be kept, while it lives
  std::unique_ptr<CallSite> called;        // in anomaly mode
  std::shared_ptr<const void> function{};  // that the node's op belongs to
  Tensor row_index{}, row_values{};        // of a leaf's gradient (ops/rows.h)
};

/// The extras of an owner that may have had none.
inline Extras& extras_of(Extras*& extras) {
  if (!extras) extras = new Extras;
  return *extras;
}

/// What the hooks make of a gradient. Throws ShapeError or DTypeError when one gives another shape or type.
Tensor run_hooks(const Extras& extras, Tensor gradient);

/// Where the calling thread is, in anomaly mode; the innermost frames are the library's.
std::unique_ptr<CallSite> call_site();
/// In words, on several lines: the scopes, then the functions as far as their names are known.
std::string describe(const CallSite& site);

}  // namespace tern::internal
