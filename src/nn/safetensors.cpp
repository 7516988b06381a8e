#include "tern/nn/safetensors.h"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/number_text.h"
#include "tensor/bytes.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/file.h"

namespace tern::nn {
namespace {

using tern::internal::in_quotes;

void check_equal(const Tensor& a, const Tensor& b, const std::string& name) {
  if (a.dtype() == b.dtype() &&
      tern::internal::bytes_of(a.contiguous().to(cpu())) == tern::internal::bytes_of(b.contiguous().to(cpu())))
    return;
  throw FormatError("[load_weights] expected the same values under every name of a tied parameter, got others under " +
                    in_quotes(name));
}

// Collects what differs, and says it in one error.
class Complaints {
 public:
  void add(const std::string& text) {
    constexpr int shown = 20;
    if (++count_ > shown) return;
    text_ += (text_.empty() ? "" : "; ") + text;
  }
  void raise() const {
    if (count_ == 0) return;
    throw FormatError("[load_weights] expected the module's parameters, got " + std::to_string(count_) +
                      " differences: " + text_ + (count_ > 20 ? "; …" : ""));
  }

 private:
  int count_ = 0;
  std::string text_;
};

}  // namespace

TensorFile weights_of(const Module& module) { return {.tensors = module.named_parameters()}; }

void load_weights(Module& module, const TensorFile& file, const LoadOptions& options) {
  std::unordered_map<std::string_view, const Tensor*> given;
  for (const auto& [name, tensor] : file.tensors) given[name] = &tensor;

  struct Slot {
    Tensor parameter;
    std::string first;  // of its names
    const Tensor* source = nullptr;
  };
  std::vector<Slot> slots;
  std::unordered_map<const void*, std::size_t> slot_of;
  std::unordered_set<std::string_view> known;
  Complaints complaints;
  const NamedTensors named = all_named_parameters(module);
  for (const auto& [name, p] : named) {
    const auto [at, added] = slot_of.try_emplace(p.impl(), slots.size());
    if (added) slots.push_back({p, name});
    Slot& slot = slots[at->second];
    known.insert(name);
    const auto found = given.find(name);
    if (found == given.end()) continue;
    const Tensor& source = *found->second;
    if (source.shape() != p.shape()) {
      complaints.add("shape " + to_string(source.shape()) + " instead of " + to_string(p.shape()) + " as " +
                     in_quotes(name));
    } else if (!is_floating(source.dtype())) {
      complaints.add(std::string(tern::name(source.dtype())) + " instead of " + std::string(tern::name(p.dtype())) +
                     " as " + in_quotes(name));
    } else if (slot.source) {
      check_equal(*slot.source, source, name);
    } else {
      slot.source = &source;
    }
  }
  if (options.strict) {
    for (const Slot& slot : slots) {
      bool mentioned = slot.source != nullptr || given.contains(slot.first);
      if (!mentioned) complaints.add(in_quotes(slot.first) + " missing");
    }
    for (const auto& [name, tensor] : file.tensors) {
      if (!known.contains(name)) complaints.add(in_quotes(name) + " unexpected");
    }
  }
  complaints.raise();
  NoGrad no_grad;
  for (Slot& slot : slots) {
    if (slot.source) slot.parameter.copy_(*slot.source);
  }
}

void save_weights(const Module& module, const std::string& path) {
  write_file(path, to_safetensors(weights_of(module)));
}

void load_weights(Module& module, const std::string& path, const LoadOptions& options) {
  load_weights(module, from_safetensors(read_file(path)), options);
}

}  // namespace tern::nn
