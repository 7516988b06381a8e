#include "models/fields.h"

#include <cmath>
#include <limits>

#include "base/json.h"
#include "base/retell.h"
#include "tern/base/error.h"
#include "tern/models/linear.h"
#include "tern/models/naive_bayes.h"
#include "tern/ops/unary.h"
#include "tern/tensor/creation.h"

namespace tern::models::internal {

using tern::internal::class_name;
using tern::internal::Json;

struct Fields::State {
  bool reading = false;
  std::string name{};  // begins messages
  Json json = Json::object();
  std::vector<data::NamedTensor> tensors{};
  std::size_t asked = 0;  // members of json
};

Fields::Fields() : state_(std::make_unique<State>()) {}
Fields::Fields(const data::EstimatorState& state) : Fields() {
  const std::string name = class_name(state.type);
  *state_ = {true, name, tern::internal::parse_json(state.json, name), state.tensors, 0};
}
Fields::~Fields() = default;

template <class T>
void Fields::plain(const char* name, T& value) {
  if (state_->reading) {
    value = tern::internal::json_get<T>(state_->json, name, state_->name);
    ++state_->asked;
  } else {
    state_->json[name] = value;
  }
}
void Fields::operator()(const char* name, bool& value) { plain(name, value); }
void Fields::operator()(const char* name, int& value) { plain(name, value); }
void Fields::operator()(const char* name, std::int64_t& value) { plain(name, value); }
void Fields::operator()(const char* name, std::uint64_t& value) { plain(name, value); }

void Fields::operator()(const char* name, double& value) {
  const bool infinite = state_->reading ? state_->json.is_object() && state_->json.value(name, Json()) == "infinity"
                                        : value == std::numeric_limits<double>::infinity();
  if (!infinite) return plain(name, value);
  ++state_->asked;
  state_->json[name] = "infinity";
  value = std::numeric_limits<double>::infinity();
}

void Fields::operator()(const char* name, std::vector<double>& values) {
  if (!state_->reading) {
    state_->tensors.emplace_back(name, from_vector(values));
    return;
  }
  for (const auto& [key, tensor] : state_->tensors) {
    if (key != name) continue;
    if (tensor.dim() != 1 || tensor.dtype() != DType::f64) break;
    values = tensor.to_vector<double>();
    for (const double value : values) {
      if (!std::isfinite(value)) throw FormatError("[" + state_->name + "] expected finite " + name + ", got others");
    }
    return;
  }
  throw FormatError("[" + state_->name + "] expected a tensor \"" + name + "\" [n] of f64, got none");
}

void Fields::operator()(const char* name, std::vector<std::int64_t>& values) {
  Tensor value = state_->reading ? Tensor() : from_vector(values);
  (*this)(name, value);
  if (!state_->reading) return;
  if (!value.defined() || value.dim() != 1 || value.dtype() != DType::i64) {
    throw FormatError("[" + state_->name + "] expected a tensor \"" + name + "\" [n] of i64, got none");
  }
  values = value.to_vector<std::int64_t>();
}

void Fields::operator()(const char* name, Tensor& value) {
  if (!state_->reading) {
    if (value.defined()) state_->tensors.emplace_back(name, value);
    return;
  }
  value = Tensor();
  for (const auto& [key, tensor] : state_->tensors) {
    if (key != name) continue;
    if (is_floating(tensor.dtype()) && !isfinite(tensor).all().item<bool>()) {
      throw FormatError("[" + state_->name + "] expected finite " + name + ", got others");
    }
    value = tensor;
  }
}

int Fields::choice(const char* name, int value, std::span<const std::string_view> words) {
  std::string word(words[static_cast<std::size_t>(value)]);
  plain(name, word);
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<int>(i);
  }
  throw FormatError("[" + state_->name + "] member \"" + name + "\": got an unknown word \"" + word + "\"");
}

void Fields::end() const {
  if (state_->json.size() == state_->asked) return;
  throw FormatError("[" + state_->name + "] expected " + std::to_string(state_->asked) + " members, got " +
                    std::to_string(state_->json.size()));
}

bool Fields::reading() const { return state_->reading; }
std::string Fields::json() const { return tern::internal::json_text(state_->json); }
std::vector<data::NamedTensor> Fields::tensors() const { return state_->tensors; }

void Restore::read(Model& model, const data::EstimatorState& state) {
  Fields fields(state);
  model.fields(fields);
  model.check();
  if (model.width() == 0) throw FormatError("[" + class_name(state.type) + "] expected what was learned, got none");
  if (!model.classifies()) return;
  const std::size_t classes = state.classes.size();
  std::size_t learned = classes;
  if (const auto* linear = dynamic_cast<const LinearModel*>(&model)) {
    learned = linear->intercepts().size() == 1 ? 2 : linear->intercepts().size();
  } else if (const auto* bayes = dynamic_cast<const NaiveBayes*>(&model)) {
    learned = bayes->class_weights().size();
  }
  if (learned != classes) {
    throw FormatError("[" + class_name(state.type) + "] expected what was learned of " + std::to_string(classes) +
                      " classes, got " + std::to_string(learned));
  }
}

void Restore::read(Unsupervised& model, const data::EstimatorState& state) {
  try {
    Fields fields(state);
    model.fields(fields);
    model.check();
  } catch (const Error& error) {  // an option outside its values is damage here, not a mistake of the caller
    throw FormatError(std::string(error.what()));
  }
  if (model.width() == 0) throw FormatError("[" + class_name(state.type) + "] expected what was learned, got none");
  if (!state.names.empty() && static_cast<std::int64_t>(state.names.size()) != model.width()) {
    throw FormatError("[" + class_name(state.type) + "] expected " + std::to_string(model.width()) + " names, got " +
                      std::to_string(state.names.size()));
  }
  model.names_ = state.names;
}

}  // namespace tern::models::internal

namespace tern::models {

// Writing changes nothing: the list of fields is one for both ways.
std::string Model::to_json() const {
  internal::Fields fields;
  const_cast<Model*>(this)->fields(fields);
  return fields.json();
}

std::vector<data::NamedTensor> Model::tensors() const {
  internal::Fields fields;
  const_cast<Model*>(this)->fields(fields);
  return fields.tensors();
}

}  // namespace tern::models
