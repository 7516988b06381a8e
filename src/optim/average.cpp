#include "tern/optim/average.h"

#include <string>
#include <unordered_map>

#include "base/number_text.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {

// Averages of halves are kept in f32: a small share of a change would be lost in rounding.
DType kept(DType dtype) { return is_half(dtype) ? f32 : dtype; }

void require_own_weights(const char* where, bool swapped) {
  if (swapped) {
    throw StateError("[" + std::string(where) + "] expected the weights in the module, got their averages swapped in");
  }
}

}  // namespace

WeightAverage::WeightAverage(const nn::Module& module, const AverageOptions& options)
    : options_(options), parameters_(module.named_parameters()) {
  if (!(options.decay >= 0 && options.decay < 1)) {
    throw ValueError("[weight_average] expected decay in [0, 1), got " + tern::internal::number_text(options.decay));
  }
}

void WeightAverage::update() {
  require_own_weights("weight_average", swapped_);
  NoGrad no_grad;
  if (updates_ == 0) {
    averages_.clear();
    for (const auto& [name, p] : parameters_) averages_.push_back(p.detach().clone().to(kept(p.dtype())));
  } else {
    const double share =
        options_.kind == AverageOptions::Kind::ema ? 1 - options_.decay : 1 / static_cast<double>(updates_ + 1);
    for (std::size_t i = 0; i < averages_.size(); ++i) {
      averages_[i].add_(parameters_[i].second.detach().to(averages_[i].dtype()) - averages_[i], share);
    }
  }
  ++updates_;
}

void WeightAverage::swap() {
  if (updates_ == 0) throw StateError("[weight_average] expected an update before a swap, got none");
  NoGrad no_grad;
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    Tensor p = parameters_[i].second;
    if (swapped_) {
      p.copy_(weights_[i]);
    } else {
      weights_.push_back(p.detach().clone());
      p.copy_(averages_[i]);
    }
  }
  if (swapped_) weights_.clear();
  swapped_ = !swapped_;
}

nn::NamedTensors WeightAverage::state_dict() const {
  require_own_weights("state_dict", swapped_);
  nn::NamedTensors state{{"n_averaged", scalar(updates_, i64)}};
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    state.emplace_back("module." + parameters_[i].first, averages_[i].clone());
  }
  return state;
}

void WeightAverage::load_state_dict(const nn::NamedTensors& state) {
  require_own_weights("load_state_dict", swapped_);
  const auto bad_state = [](const std::string& expected) {
    throw FormatError("[load_state_dict] expected " + expected + " in the state of a weight average, got another");
  };
  std::unordered_map<std::string, Tensor> given;
  for (const auto& [key, tensor] : state) {
    if (!tensor.defined() || !given.emplace(key, tensor).second) bad_state("a tensor as \"" + key + "\", once,");
  }
  const Tensor counted = given["n_averaged"];
  if (!counted.defined() || counted.dtype() != i64 || !counted.shape().empty() || counted.item<std::int64_t>() < 0) {
    bad_state("\"n_averaged\", a count,");
  }
  const auto updates = counted.item<std::int64_t>();
  const std::size_t count = updates ? parameters_.size() : 0;
  if (state.size() != 1 + count) bad_state(std::to_string(count) + " averages");
  std::vector<Tensor> averages;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [name, p] = parameters_[i];
    const Tensor average = given["module." + name];
    if (!average.defined() || average.shape() != p.shape() || average.dtype() != kept(p.dtype())) {
      bad_state("\"module." + name + "\" as " + std::string(tern::name(kept(p.dtype()))) + " " + to_string(p.shape()));
    }
    averages.push_back(average.detach().clone());
  }
  averages_ = std::move(averages);
  updates_ = updates;
}

}  // namespace tern::optim
