#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "tern/tensor/tensor.h"

namespace tern::internal {

/// Parameters moved into one flat buffer, and their gradients into another, so that an optimizer is one streaming pass.
/// Each parameter keeps its identity and is a view family of its own: writing one does not invalidate what was saved of
/// another. Each starts at a multiple of 16 elements. Gradients that exist are carried over. What needs no gradient at
/// that time stays where it is and takes no room, and so does what shares its memory with another tensor or a lender,
/// who would lose sight of it. No tape may see the buffers themselves: writes to parameters are not counted in them.
class TERN_API FlatParameters {
 public:
  /// A run of neighbouring parameters that have a gradient, as contiguous vectors. `value` and `gradient` are views of
  /// the flat buffers, lent for the visit; `first` … `last` (excluded) are the parameters, `offset` where it starts in
  /// the buffers.
  struct Segment {
    std::size_t first, last;
    std::int64_t offset;
    Tensor value, gradient;
  };

  FlatParameters() = default;
  /// Moves `parameters`, leaves of one floating type, each named once. Throws DTypeError, StateError or ValueError.
  explicit FlatParameters(std::vector<Tensor> parameters);

  const std::vector<Tensor>& parameters() const { return parameters_; }
  /// Where each one starts in the buffers, or would.
  const std::vector<std::int64_t>& offsets() const { return offsets_; }
  /// Whether parameter i was given room in the buffers.
  bool holds(std::size_t i) const { return held_[i]; }
  std::int64_t numel() const { return numel_; }
  const Tensor& values() const { return values_; }
  const Tensor& gradients() const { return gradients_; }

  /// Marks every gradient as missing, without touching memory.
  void clear_gradients();
  /// Calls `f` for each maximal run of parameters from `from` to `to` (excluded) whose gradient is there, and counts a
  /// write to each of them. A parameter that was moved away since, or whose gradient lies elsewhere, is a run of its
  /// own; its value is then a view of itself. Padding inside a run holds zeros. Throws StateError when `f` keeps a
  /// tensor of a run: writes through it, and to it, would go unseen.
  template <class F>
  void for_each_segment(std::size_t from, std::size_t to, F&& f) {
    using Body = std::remove_reference_t<F>;
    visit_segments(
        from, to, [](void* body, const Segment& segment) { (*static_cast<Body*>(body))(segment); },
        const_cast<void*>(static_cast<const void*>(std::addressof(f))));
  }
  template <class F>
  void for_each_segment(F&& f) {
    for_each_segment(0, parameters_.size(), f);
  }

 private:
  void visit_segments(std::size_t from, std::size_t to, void (*visit)(void*, const Segment&), void* body);
  bool has_values(std::size_t i) const;
  const Segment& segment(std::size_t first, std::size_t last);

  std::vector<Tensor> parameters_;
  std::vector<std::int64_t> offsets_;
  std::vector<bool> held_;
  std::int64_t numel_ = 0;
  Tensor values_, gradients_;
  std::vector<Segment> kept_;  // of earlier visits: the same ones come step after step
};

}  // namespace tern::internal
