#include "autograd/flat.h"

#include <cstring>
#include <string>
#include <unordered_set>
#include <utility>

#include "tensor/impl.h"
#include "tensor/thread_state.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::internal {

namespace {
constexpr std::int64_t kAlign = 16;
constexpr std::size_t kMostKept = 64;

bool shares_memory(const TensorImpl* p) {
  const Storage* storage = p->storage;
  return !storage->refs.unique() || (storage->foreign && storage->foreign->lent);
}

bool is_kept(const Tensor& lent) { return !lent.impl()->refs.unique() || !lent.impl()->storage->refs.unique(); }
}  // namespace

FlatParameters::FlatParameters(std::vector<Tensor> parameters) : parameters_(std::move(parameters)) {
  if (parameters_.empty()) return;
  const DType dtype = parameters_[0].dtype();
  std::unordered_set<const TensorImpl*> seen;
  for (const Tensor& p : parameters_) {
    const TensorImpl* impl = checked(p, "optimizer");
    if (impl->dtype != dtype || !is_floating(dtype)) {
      throw_dtype("optimizer", "parameters of one floating type",
                  std::string(name(dtype)) + (impl->dtype == dtype ? "" : " and " + std::string(name(impl->dtype))));
    }
    check_devices("optimizer", parameters_[0], p);
    if (impl->node) throw StateError("[optimizer] expected parameters that are leaves, got the result of an op");
    if (!seen.insert(impl).second) throw_value("optimizer", "each parameter once", "one twice");
    offsets_.push_back(numel_);
    held_.push_back(p.requires_grad() && !shares_memory(impl));
    if (held_.back()) numel_ += (impl->numel + kAlign - 1) / kAlign * kAlign;
  }
  values_ = zeros({numel_}, dtype, parameters_[0].device());
  gradients_ = zeros_like(values_);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (!held_[i]) continue;
    Tensor& p = parameters_[i];
    Tensor member = new_member_view(values_, p.shape(), offsets_[i]);
    member.copy_(p.detach());
    take_elements(p.impl(), member.impl(), false);
    Tensor buffer = new_member_view(gradients_, p.shape(), offsets_[i]);
    const Tensor before = p.grad();
    if (before.defined()) buffer.copy_(before.detach());
    p.set_grad_buffer(buffer);
    if (before.defined()) p.impl()->grad_present = true;
  }
}

// Whether a parameter's elements are still those of values_: `to` gives it others.
bool FlatParameters::has_values(std::size_t i) const {
  const TensorImpl* impl = parameters_[i].impl();
  return held_[i] && impl->dtype == values_.impl()->dtype &&
         impl->data == values_.impl()->data + offsets_[i] * static_cast<std::int64_t>(size_of(impl->dtype));
}

void FlatParameters::clear_gradients() {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    Tensor& p = parameters_[i];
    p.clear_grad();
    // Gradients that were set, or made with a graph of their own, took the buffer's place.
    if (has_values(i) && !p.impl()->grad_buffer) {
      p.set_grad_buffer(new_member_view(gradients_, p.shape(), offsets_[i]));
    }
  }
}

const FlatParameters::Segment& FlatParameters::segment(std::size_t first, std::size_t last) {
  for (const Segment& kept : kept_) {
    if (kept.first == first && kept.last == last) return kept;
  }
  const std::int64_t end = last < parameters_.size() ? offsets_[last] : numel_;
  const Shape length{end - offsets_[first]};
  if (kept_.size() == kMostKept) kept_.clear();
  kept_.push_back({first, last, offsets_[first], new_member_view(values_, length, offsets_[first]),
                   new_member_view(gradients_, length, offsets_[first])});
  return kept_.back();
}

void FlatParameters::visit_segments(std::size_t from, std::size_t to, void (*visit)(void*, const Segment&),
                                    void* body) {
  if (from > to || to > parameters_.size()) {
    throw_value("for_each_segment", "parameters within [0, " + std::to_string(parameters_.size()) + ")",
                "[" + std::to_string(from) + ", " + std::to_string(to) + ")");
  }
  const auto in_place = [&](std::size_t i) {
    const TensorImpl* impl = parameters_[i].impl();
    return has_values(i) && impl->grad->data == gradients_.impl()->data + (impl->data - values_.impl()->data);
  };
  for (std::size_t i = from; i < to;) {
    TensorImpl* impl = parameters_[i].impl();
    if (!impl->grad_present) {
      ++i;
      continue;
    }
    if (!in_place(i)) {
      count_write(parameters_[i]);
      const Tensor place = parameters_[i].detach(), value = place.contiguous().reshape({impl->numel});
      visit(body, {i, i + 1, offsets_[i], value, parameters_[i].grad().detach().contiguous().reshape({impl->numel})});
      if (value.impl()->storage != impl->storage) Tensor(place).copy_(value.reshape(impl->shape));  // strided
      ++i;
      continue;
    }
    std::size_t last = i;
    while (last < to && parameters_[last].impl()->grad_present && in_place(last)) {
      count_write(parameters_[last++]);
    }
    const Segment& run = segment(i, last);
    visit(body, run);
    const bool recorded = thread_state.written != nullptr;  // which keeps what is written
    if (!recorded && (is_kept(run.value) || is_kept(run.gradient))) {
      throw StateError("[for_each_segment] expected the tensors of a run to be let go of after it, got one kept");
    }
    i = last;
  }
}

}  // namespace tern::internal
