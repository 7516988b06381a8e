#include "tern/optim/optimizer.h"

#include <cmath>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "autograd/flat.h"
#include "base/number_text.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/ops/compare.h"
#include "tern/ops/rows.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::optim {

namespace {

std::vector<Tensor> joined(const auto& groups) {
  std::vector<Tensor> all;
  for (const auto& group : groups) all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  if (all.empty()) throw ValueError("[optimizer] expected at least one parameter, got none");
  std::unordered_set<const void*> seen;
  for (const Tensor& p : all) {
    if (p.defined() && !seen.insert(p.impl()).second) {
      throw ValueError("[optimizer] expected each parameter once, got one twice");
    }
  }
  return all;
}

void check_lr(double lr) {
  if (!(lr >= 0 && std::isfinite(lr))) {
    throw ValueError("[optimizer] expected a finite lr of at least 0, got " + tern::internal::number_text(lr));
  }
}

Tensor name_tensor(std::string_view name) { return from_vector(std::vector<std::uint8_t>(name.begin(), name.end())); }

// The steps that all took which are not frozen: they move together when the device counts.
std::int64_t common_steps(const std::vector<bool>& thawed, const std::vector<std::int64_t>& steps) {
  std::optional<std::int64_t> common;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (!thawed[i]) continue;
    if (common.value_or(steps[i]) != steps[i]) {
      throw StateError("[keep_on_device] expected parameters that took the same number of steps, got " +
                       std::to_string(*common) + " and " + std::to_string(steps[i]));
    }
    common = steps[i];
  }
  return common.value_or(0);
}

[[noreturn]] void bad_state(const std::string& expected, const std::string& got) {
  throw FormatError("[load_state_dict] expected " + expected + ", got " + got);
}

}  // namespace

Optimizer::Optimizer(const std::vector<Group>& groups, std::vector<std::string> slots)
    : flat_(joined(groups)),
      slot_names_(std::move(slots)),
      own_slots_(parameters().size()),
      steps_(parameters().size()) {
  std::size_t from = 0;
  for (const Group& group : groups) {
    check_lr(group.lr);
    groups_.push_back({from, from + group.parameters.size(), group.lr});
    from = groups_.back().to;
  }
  const DType dtype = flat_->values().dtype();
  for (std::size_t i = 0; i < slot_names_.size(); ++i) {
    slots_.push_back(zeros({flat_->numel()}, is_half(dtype) ? f32 : dtype, flat_->values().device()));
  }
}

Optimizer::~Optimizer() = default;

Optimizer::Flat::Flat(std::vector<Tensor> parameters)
    : all_(new tern::internal::FlatParameters(std::move(parameters))) {}
Optimizer::Flat::~Flat() { delete all_; }

const std::vector<Tensor>& Optimizer::parameters() const { return flat_->parameters(); }

std::size_t Optimizer::num_groups() const { return groups_.size(); }

const std::vector<Tensor>& Optimizer::slots_within(std::int64_t begin, std::int64_t end) {
  for (const Slots& kept : kept_) {
    if (kept.begin == begin && kept.end == end) return kept.views;
  }
  constexpr std::size_t most_kept = 64;
  if (kept_.size() == most_kept) kept_.clear();
  Slots& added = kept_.emplace_back(Slots{begin, end, {}});
  for (const Tensor& slot : slots_) added.views.push_back(slot.slice(0, begin, end));
  return added.views;
}

// Half types by way of f32, in which the states are.
void Optimizer::advance(const Run& run) {
  if (!is_half(run.value.dtype())) return update(run);
  const Tensor wide = run.value.to(f32);
  update({run.group, run.lr, run.step, wide, run.gradient.to(f32), run.slots, run.resident});
  Tensor(run.value).copy_(wide);
}

// Parameters whose gradient is of rows: those rows move, alone.
void Optimizer::step_sparse(std::size_t group, std::size_t from, std::size_t to, double lr) {
  for (std::size_t i = from; i < to; ++i) {
    const Tensor& p = parameters()[i];
    const RowGradient rows = p.requires_grad() ? row_gradient(p) : RowGradient{};
    if (!rows.index.defined()) continue;
    if (!flat_->holds(i)) own_slots(i);
    std::vector<Tensor> slots;
    for (std::size_t s = 0; s < slots_.size(); ++s) slots.push_back(slot_of(s, i));
    if (steps_[i] == 0) start(group, slots);
    step_rows(p, rows, slots, [&](const Tensor& value, const Tensor& gradient, const std::vector<Tensor>& states) {
      advance({group, lr, steps_[i] + 1, value, gradient, states, row_on_device(group)});
    });
    steps_[i] += resident_.defined() ? 0 : 1;
  }
}

Tensor Optimizer::row_on_device(std::size_t group) const {
  const auto row = static_cast<std::int64_t>(group);
  return resident_.defined() ? resident_.slice(0, row, row + 1).reshape({3}) : Tensor();
}

void Optimizer::keep_on_device() {
  if (resident_.defined()) return;
  if (!takes_resident()) throw StateError("[keep_on_device] expected Adam or AdamW, got " + std::string(name()));
  thawed_.clear();
  for (const Tensor& p : parameters()) thawed_.push_back(p.requires_grad());
  resident_ = rows_for_device().to(flat_->values().device());
}

Tensor Optimizer::rows_for_device() const {
  const auto steps = static_cast<double>(common_steps(thawed_, steps_));
  std::vector<double> rows;
  for (const Range& range : groups_) rows.insert(rows.end(), {range.lr, steps, 1});
  return from_vector(rows, {static_cast<std::int64_t>(groups_.size()), 3});
}

Tensor Optimizer::gradient_factor() const {
  if (!resident_.defined()) throw StateError("[gradient_factor] expected keep_on_device() before, got none");
  return resident_.select(1, 2);
}

void Optimizer::count_on_device() { resident_.select(1, 1).add_((abs(gradient_factor()) > 0).to(f64)); }

void Optimizer::fetch_steps() {
  if (!resident_.defined()) return;
  const std::vector<double> rows = resident_.to_vector<double>();
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = groups_[g].from; i < groups_[g].to; ++i) {
      if (thawed_[i]) steps_[i] = static_cast<std::int64_t>(rows[3 * g + 1]);
    }
  }
}

void Optimizer::step() {
  NoGrad no_grad;
  const std::vector<std::int64_t>& offsets = flat_->offsets();
  if (resident_.defined()) {
    for (std::size_t i = 0; i < thawed_.size(); ++i) {
      const Tensor& p = parameters()[i];
      if (p.requires_grad() != thawed_[i]) {
        throw StateError("[optimizer] expected the parameters that needed a gradient at keep_on_device, got one " +
                         std::string(thawed_[i] ? "frozen" : "thawed") + " since");
      }
      if (!p.requires_grad() || row_gradient(p).index.defined() || p.grad().defined()) continue;
      throw StateError("[optimizer] expected a gradient of every parameter, as steps are kept on the device, got none");
    }
  }
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const auto [from, to, lr] = groups_[g];
    step_sparse(g, from, to, lr);
    flat_->for_each_segment(from, to, [&, g = g, lr = lr](const tern::internal::FlatParameters::Segment& segment) {
      // Bias corrections depend on the steps taken, so parameters that were skipped before move on their own.
      const std::vector<Tensor>& all = parameters();
      for (std::size_t first = segment.first; first < segment.last;) {
        std::size_t last = first + 1;
        if (!all[first].requires_grad()) {
          first = last;
          continue;
        }
        while (last < segment.last && steps_[last] == steps_[first] && all[last].requires_grad()) ++last;
        const std::int64_t begin = offsets[first] - segment.offset;
        const std::int64_t end = last < segment.last ? offsets[last] - segment.offset : segment.value.numel();
        const bool whole = first == segment.first && last == segment.last;
        const Tensor value = whole ? segment.value : segment.value.slice(0, begin, end);
        const Tensor gradient = whole ? segment.gradient : segment.gradient.slice(0, begin, end);
        const std::vector<Tensor>& slots =
            flat_->holds(first) ? slots_within(segment.offset + begin, segment.offset + end) : own_slots(first);
        if (steps_[first] == 0) start(g, slots);
        advance({g, lr, steps_[first] + 1, value, gradient, slots, row_on_device(g)});
        for (; first < last; ++first) steps_[first] += resident_.defined() ? 0 : 1;
      }
    });
  }
  if (resident_.defined()) count_on_device();
}

void Optimizer::zero_grad() { flat_->clear_gradients(); }

const Optimizer::Range& Optimizer::group(std::size_t index) const {
  if (index >= groups_.size()) {
    throw IndexError("[optimizer] expected a group below " + std::to_string(groups_.size()) + ", got " +
                     std::to_string(index));
  }
  return groups_[index];
}

double Optimizer::lr(std::size_t index) const { return group(index).lr; }

void Optimizer::set_lr(double lr) {
  for (std::size_t g = 0; g < groups_.size(); ++g) set_lr(g, lr);
}

void Optimizer::set_lr(std::size_t index, double lr) {
  check_lr(lr);
  const_cast<Range&>(group(index)).lr = lr;
  if (resident_.defined()) row_on_device(index).slice(0, 0, 1).fill_(lr);
}

std::vector<Tensor> Optimizer::new_slots(std::size_t parameter) const {
  std::vector<Tensor> slots;
  for (const Tensor& flat : slots_)
    slots.push_back(zeros({parameters()[parameter].numel()}, flat.dtype(), flat.device()));
  return slots;
}

const std::vector<Tensor>& Optimizer::own_slots(std::size_t parameter) {
  std::vector<Tensor>& own = own_slots_[parameter];
  if (own.empty()) own = new_slots(parameter);
  return own;
}

Tensor Optimizer::slot_of(std::size_t slot, std::size_t parameter) const {
  const Tensor& p = parameters()[parameter];
  if (!flat_->holds(parameter)) return own_slots_[parameter][slot].reshape(p.shape());
  const std::int64_t offset = flat_->offsets()[parameter];
  return slots_[slot].slice(0, offset, offset + p.numel()).reshape(p.shape());
}

std::vector<std::int64_t> Optimizer::group_numbers() const {
  std::vector<std::int64_t> numbers(steps_.size());
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = groups_[g].from; i < groups_[g].to; ++i) numbers[i] = static_cast<std::int64_t>(g);
  }
  return numbers;
}

nn::NamedTensors Optimizer::state_dict() const {
  NoGrad no_grad;
  const_cast<Optimizer*>(this)->fetch_steps();
  std::vector<double> rates;
  for (const Range& range : groups_) rates.push_back(range.lr);
  nn::NamedTensors state{{"optimizer", name_tensor(name())}, {"step", from_vector(steps_)}, {"lr", from_vector(rates)}};
  if (groups_.size() > 1) state.emplace_back("group", from_vector(group_numbers()));
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i] == 0) continue;
    for (std::size_t s = 0; s < slots_.size(); ++s) {
      state.emplace_back(std::to_string(i) + "." + slot_names_[s], slot_of(s, i).clone());
    }
  }
  return state;
}

void Optimizer::load_state_dict(const nn::NamedTensors& state) {
  std::unordered_map<std::string, const Tensor*> given;
  for (const auto& [name, tensor] : state) {
    if (!tensor.defined()) bad_state("\"" + name + "\" as a tensor", "an undefined one");
    if (!given.emplace(name, &tensor).second) bad_state("\"" + name + "\" once", "it twice");
  }
  const auto take = [&](const std::string& name, const Shape& shape, DType dtype) -> const Tensor& {
    const auto found = given.find(name);
    if (found == given.end()) bad_state("\"" + name + "\"", "none");
    const Tensor& tensor = *found->second;
    if (tensor.shape() != shape || tensor.dtype() != dtype) {
      bad_state("\"" + name + "\" as " + std::string(tern::name(dtype)) + " " + to_string(shape),
                std::string(tern::name(tensor.dtype())) + " " + to_string(tensor.shape()));
    }
    given.erase(found);
    return tensor;
  };
  const auto kind = given.find("optimizer");
  if (kind == given.end()) bad_state("the state of " + std::string(name()), "one without \"optimizer\"");
  if (kind->second->dtype() != u8 ||
      kind->second->to_vector<std::uint8_t>() != name_tensor(name()).to_vector<std::uint8_t>()) {
    bad_state("the state of " + std::string(name()), "another optimizer's");
  }
  given.erase(kind);
  const auto count = static_cast<std::int64_t>(steps_.size());
  std::vector<std::int64_t> steps = take("step", {count}, i64).to_vector<std::int64_t>();
  const std::vector<double> rates = take("lr", {static_cast<std::int64_t>(groups_.size())}, f64).to_vector<double>();
  if (groups_.size() > 1 && given.contains("group")) {  // states saved before there were numbers have none
    if (take("group", {count}, i64).to_vector<std::int64_t>() != group_numbers()) {
      bad_state("the same parameters in each group", "others");
    }
  }
  for (const double rate : rates) {
    if (!(rate >= 0 && std::isfinite(rate)))
      bad_state("finite learning rates of at least 0", tern::internal::number_text(rate));
  }
  std::vector<std::pair<Tensor, Tensor>> copies;
  std::vector<std::vector<Tensor>> own(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] < 0) bad_state("counts of steps", std::to_string(steps[i]));
    if (!flat_->holds(i) && steps[i] == 0) continue;
    if (!flat_->holds(i)) own[i] = new_slots(i);
    for (std::size_t s = 0; s < slots_.size(); ++s) {
      const Tensor slot = flat_->holds(i) ? slot_of(s, i) : own[i][s].reshape(parameters()[i].shape());
      copies.emplace_back(slot, steps[i] == 0
                                    ? zeros_like(slot)
                                    : take(std::to_string(i) + "." + slot_names_[s], slot.shape(), slot.dtype()));
    }
  }
  if (resident_.defined()) common_steps(thawed_, steps);
  if (!given.empty()) bad_state("no more names", "\"" + given.begin()->first + "\"");
  NoGrad no_grad;
  for (auto& [slot, source] : copies) slot.copy_(source);
  own_slots_ = std::move(own);
  steps_ = std::move(steps);
  for (std::size_t g = 0; g < rates.size(); ++g) groups_[g].lr = rates[g];
  if (resident_.defined()) resident_.copy_(rows_for_device());  // into the memory that a captured step reads
}

}  // namespace tern::optim
