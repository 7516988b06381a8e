#include "checkpoint.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "cpu/target.h"
#include "optim/fields.h"
#include "tensor/bytes.h"
#include "tensor/sealed.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/nn/architecture.h"
#include "tern/nn/safetensors.h"

namespace tern::train {
namespace {

using internal::json_get;
using internal::OrderedJson;

constexpr int format = 1;
const std::string what = "checkpoint";
const std::string key = "tern";

OrderedJson optimizer_json(const optim::OptimizerOptions& optimizer) {
  return optim::internal::visit(optimizer, [](const auto& options) {
    OrderedJson json{{"name", optim::internal::name_of(options)}};
    optim::internal::fields(options, [&](const char* name, auto value) { json[name] = value; });
    return json;
  });
}

OrderedJson schedule_json(const optim::ScheduleOptions& schedule) {
  static constexpr const char* names[] = {"constant", "linear",     "cosine",      "polynomial",     "one_cycle",
                                          "step",     "multi_step", "exponential", "cosine_restarts"};
  return {{"kind", names[static_cast<std::size_t>(schedule.kind)]},
          {"min_ratio", schedule.min_ratio},
          {"warmup_steps", schedule.warmup_steps},
          {"warmup_fraction", schedule.warmup_fraction},
          {"warmup_start", schedule.warmup_start},
          {"rise", schedule.rise},
          {"start_divisor", schedule.start_divisor},
          {"final_divisor", schedule.final_divisor},
          {"gamma", schedule.gamma},
          {"power", schedule.power},
          {"period", schedule.period},
          {"period_factor", schedule.period_factor},
          {"milestones", schedule.milestones}};
}

OrderedJson history_json(const std::vector<Epoch>& history) {
  OrderedJson list = OrderedJson::array();
  for (const Epoch& epoch : history) {
    OrderedJson figures = OrderedJson::object();
    for (const auto& [name, value] : epoch.figures) figures[name] = value;
    list.push_back({{"epoch", epoch.epoch},
                    {"steps", epoch.steps},
                    {"learning_rate", epoch.learning_rate},
                    {"train_loss", epoch.train_loss},
                    {"figures", std::move(figures)},
                    {"best", epoch.best},
                    {"seconds", epoch.seconds}});
  }
  return list;
}

std::vector<Epoch> history_from(const internal::Json& list) {
  std::vector<Epoch> history;
  for (const internal::Json& entry : list) {
    Epoch epoch{.epoch = json_get<int>(entry, "epoch", what),
                .steps = json_get<std::int64_t>(entry, "steps", what),
                .learning_rate = json_get<double>(entry, "learning_rate", what),
                .train_loss = json_get<double>(entry, "train_loss", what),
                .figures = {},
                .best = json_get<bool>(entry, "best", what),
                .seconds = json_get<double>(entry, "seconds", what)};
    const internal::Json& figures = internal::json_member(entry, "figures", what);
    for (const auto& [name, value] : figures.items()) {
      epoch.figures.emplace_back(name,
                                 value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    }
    history.push_back(std::move(epoch));
  }
  return history;
}

void need(bool holds, const std::string& expected) {
  if (!holds) throw FormatError("[checkpoint] expected " + expected + ", got others");
}

// The steps, the best epoch and the history say the same, as they do in whatever save_checkpoint was given.
void check_state(const RunState& state, const std::vector<Epoch>& history) {
  constexpr std::int64_t most_steps = std::int64_t{1} << 62;
  need(state.steps >= 0 && state.steps < most_steps, "steps from 0 to below 2^62");
  need(std::isfinite(state.best_cost), "a finite best cost");
  std::int64_t steps = 0;
  int best = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    const Epoch& epoch = history[i];
    need(std::cmp_equal(epoch.epoch, i + 1), "epochs counted from 1 in the history");
    need(epoch.steps >= steps, "steps that grow along the history");
    steps = epoch.steps;
    if (epoch.best) best = epoch.epoch;
  }
  need(steps == state.steps, "as many steps as after the history's last epoch");
  need(best == state.best_epoch, "the best epoch of the history");
}

// `tensors` without `name`s that the model has not, each in the parameter's shape and type, in the model's order.
std::vector<Tensor> in_order(std::map<std::string, Tensor> tensors, const nn::Module& model, const std::string& kind) {
  std::vector<Tensor> ordered;
  for (const auto& [name, parameter] : model.named_parameters()) {
    const auto at = tensors.find(name);
    if (at == tensors.end() || at->second.shape() != parameter.shape() || at->second.dtype() != parameter.dtype()) {
      throw FormatError("[checkpoint] expected the " + kind + " weights of " + name +
                        " in its shape and type, got none");
    }
    ordered.push_back(at->second);
    tensors.erase(at);
  }
  if (!tensors.empty()) {
    throw FormatError("[checkpoint] expected " + kind + " weights of the model's parameters alone, got one named " +
                      tensors.begin()->first);
  }
  return ordered;
}

void add_hash(std::string& text, const data::Dataset& dataset) {
  for (const auto& [name, tensor] : dataset.tensors()) {
    text += std::to_string(name.size()) + ":" + name + std::string(tern::name(tensor.dtype())) +
            to_string(tensor.shape()) + sha256(tern::internal::bytes_of(tensor));
  }
  const auto& rows = dataset.row_ids();
  text += sha256({reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(rows[0])});
  std::string target;  // beside the encoded one, which may round it
  for (std::int64_t i = 0; i < dataset.rows(); ++i) {
    const std::string value = dataset.target().text(i);
    target += std::to_string(value.size()) + ":" + value;
  }
  text += sha256(target);
}

}  // namespace

std::string settings_json(const TrainerOptions& options) {
  OrderedJson json;
  json["optimizer"] = optimizer_json(options.optimizer);
  json["schedule"] = schedule_json(options.schedule);
  if (options.plateau) {
    const optim::PlateauOptions& rule = options.plateau->rule;
    json["plateau"] = {{"monitor", options.plateau->monitor}, {"factor", rule.factor},     {"patience", rule.patience},
                       {"threshold", rule.threshold},         {"relative", rule.relative}, {"cooldown", rule.cooldown},
                       {"min_ratio", rule.min_ratio}};
  }
  json["batch_size"] = options.batch_size;
  json["accumulate"] = options.accumulate;
  json["max_epochs"] = options.max_epochs;
  json["drop_last"] = options.drop_last;
  json["decay_biases"] = options.decay_biases;
  json["clip_norm"] = options.clip_norm;
  if (options.early_stopping) {
    json["early_stopping"] = {{"monitor", options.early_stopping->monitor},
                              {"patience", options.early_stopping->patience},
                              {"min_delta", options.early_stopping->min_delta},
                              {"initial", options.early_stopping->initial}};
  }
  json["seed"] = options.seed;
  json["custom_step"] = static_cast<bool>(options.step);
  return internal::json_text(json);
}

std::string run_identity(const TrainerOptions& options, const Task& task, const nn::Module& model,
                         const data::Dataset& training, const data::Dataset& validation) {
  std::string rows[2];
  add_hash(rows[0], training);
  add_hash(rows[1], validation);
  OrderedJson json;
  json["settings"] = sha256(settings_json(options));
  json["task"] = sha256(task.to_json());
  json["architecture"] = sha256(nn::architecture(model));
  json["training rows"] = sha256(rows[0]);
  json["validation rows"] = sha256(rows[1]);
  // The same bits are promised by one build, on one kind of device and for one instruction set.
  json["version of Tern or its compiler"] = sha256(TERN_VERSION " " __VERSION__);
  json["device"] = sha256(options.device.kind == DeviceKind::cpu ? "cpu" : "cuda");
  json["instruction set"] = sha256(std::string(kernels::cpu::compiled_for()) + ", " +
                                   kernels::cpu::name(kernels::cpu::target()) + ", " + kernels::cpu::library_variant());
  return internal::json_text(json);
}

namespace {

// What differs between two runs, in words; all of it where one of them was saved before identities had parts.
std::string difference(const std::string& saved, const std::string& own) {
  constexpr const char* whole = "data, settings or architecture";
  if (!saved.starts_with('{')) return whole;
  const internal::Json from = internal::parse_json(saved, what), to = internal::parse_json(own, what);
  std::string text;
  for (const auto& [part, hash] : to.items()) {
    if (from.value(part, internal::Json()) != hash) text += (text.empty() ? "" : ", ") + part;
  }
  return text.empty() ? whole : text;
}

}  // namespace

void save_checkpoint(const std::string& path, const std::string& identity, const nn::Module& model,
                     const optim::Optimizer& optimizer, const RunState& state, const std::vector<Epoch>& history) {
  TensorFile file;
  std::size_t i = 0;
  for (const auto& [name, tensor] : model.named_parameters()) {
    file.tensors.emplace_back("model." + name, tensor.detach());
    if (!state.best.empty()) file.tensors.emplace_back("best." + name, state.best[i]);
    ++i;
  }
  for (const auto& [name, tensor] : optimizer.state_dict()) file.tensors.emplace_back("optimizer." + name, tensor);
  OrderedJson json;
  json["format"] = format;
  json["identity"] = identity;
  json["steps"] = state.steps;
  json["best_epoch"] = state.best_epoch;
  json["best_cost"] = state.best_cost;
  json["stopped"] = state.stopped;
  json["history"] = history_json(history);
  write_file(path, internal::sealed_tensors(std::move(file), key, internal::json_text(json)));
}

bool load_checkpoint(const std::string& path, const std::string& identity, nn::Module& model,
                     optim::Optimizer& optimizer, RunState& state, std::vector<Epoch>& history) {
  std::error_code unreadable;  // read_file says which
  if (std::filesystem::status(path, unreadable).type() == std::filesystem::file_type::not_found) return false;
  const std::string start = read_start(path, 9);  // of what is none, however large, no more is read
  if (start.size() == 9 && start[8] != '{') throw FormatError("[checkpoint] expected a safetensors file, got another");
  TensorFile file = internal::unsealed_tensors(read_file(path), key, what);
  const internal::Json json = internal::parse_json(file.metadata[0].second, what);
  if (json_get<int>(json, "format", what) != format) throw FormatError("[checkpoint] expected format 1, got another");
  if (const auto saved = json_get<std::string>(json, "identity", what); saved != identity) {
    throw StateError("[checkpoint] expected " + path + " to belong to this run, got one with other " +
                     difference(saved, identity) + "; remove it, or train without resuming");
  }
  RunState loaded{.steps = json_get<std::int64_t>(json, "steps", what),
                  .best_epoch = json_get<int>(json, "best_epoch", what),
                  .best_cost = json_get<double>(json, "best_cost", what),
                  .stopped = json_get<bool>(json, "stopped", what)};
  std::vector<Epoch> epochs = history_from(internal::json_member(json, "history", what));
  check_state(loaded, epochs);
  nn::NamedTensors optimizer_state;
  std::map<std::string, Tensor> weights, best;
  for (auto& [name, tensor] : file.tensors) {
    if (name.starts_with("model.")) {
      weights.emplace(name.substr(6), tensor);
    } else if (name.starts_with("best.")) {
      best.emplace(name.substr(5), tensor);
    } else if (name.starts_with("optimizer.")) {
      optimizer_state.emplace_back(name.substr(10), tensor);
    } else {
      throw FormatError("[checkpoint] expected tensors of the model and the optimizer, got one named " + name);
    }
  }
  need(loaded.best_epoch == 0 || !best.empty(), "the weights of the best epoch");
  const std::vector<Tensor> current = in_order(std::move(weights), model, "current");
  if (!best.empty()) loaded.best = in_order(std::move(best), model, "best");
  for (const auto& [name, tensor] : optimizer_state) {
    if (name != "step" || tensor.dtype() != i64) continue;
    for (const std::int64_t taken : tensor.contiguous().span<std::int64_t>()) {
      need(taken <= loaded.steps, "no more steps of a parameter than of the run");
    }
  }
  optimizer.load_state_dict(optimizer_state);  // changes nothing when it throws; what comes after it cannot
  const NoGrad no_grad;
  std::vector<Tensor> parameters = model.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) parameters[i].copy_(current[i]);
  state = std::move(loaded);
  history = std::move(epochs);
  return true;
}

}  // namespace tern::train
