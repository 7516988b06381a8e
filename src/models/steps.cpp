#include "tern/models/steps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/json.h"
#include "base/retell.h"
#include "models/fields.h"
#include "tern/base/error.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace internal {

struct Access {
  static Tensor transform(const Unsupervised& model, const data::Table& table) { return model.transform(table); }
  static std::int64_t outputs(const Unsupervised& model) { return model.outputs(); }
};

namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_member;
using tern::internal::json_text;

Json to_json(const data::EstimatorState& state) {
  Json arrays = Json::object();
  for (const auto& [name, tensor] : state.tensors) arrays[name] = tensor.to_vector<double>();
  return {{"options", tern::internal::parse_json(state.json, state.type)}, {"names", state.names}, {"arrays", arrays}};
}

data::EstimatorState from_json(const Json& json, const std::string& type) {
  data::EstimatorState state{.type = type,
                             .json = json_text(json_member(json, "options", type)),
                             .names = json_get<std::vector<std::string>>(json, "names", type)};
  const Json& arrays = json_member(json, "arrays", type);
  if (!arrays.is_object()) throw FormatError("[" + type + "] expected arrays by name, got others");
  for (const auto& [name, unused] : arrays.items()) {
    state.tensors.emplace_back(name, from_vector(json_get<std::vector<double>>(arrays, name.c_str(), type)));
  }
  return state;
}

class ModelStep final : public data::Step {
 public:
  ModelStep(data::Selector selector, std::unique_ptr<Unsupervised> model)
      : selector_(std::move(selector)), model_(std::move(model)) {}
  ModelStep(const ModelStep& other)
      : selector_(other.selector_), model_(other.model_->clone()), outputs_(other.outputs_) {}
  ModelStep& operator=(const ModelStep&) = delete;

  std::string_view type() const override { return model_->type(); }
  std::unique_ptr<Step> clone() const override { return std::make_unique<ModelStep>(*this); }

  void fit(const data::Table& table, const data::FitContext& context) override {
    const std::vector<std::string> chosen = selector_.select(table, context.target);
    if (chosen.empty()) throw DataError(called(), "expected columns to learn from, got none");
    const data::Table rows = table.select(chosen);
    check(rows);
    std::unique_ptr<Unsupervised> model = model_->clone();
    tern::internal::speaking_as(called(), [&] { model->fit(rows); });
    outputs_.clear();
    for (std::int64_t i = 1; i <= Access::outputs(*model); ++i) {
      const std::string wanted = std::string(type()) + "_" + std::to_string(i);
      std::string name = wanted;
      for (int k = 2; table.has(name) || std::find(outputs_.begin(), outputs_.end(), name) != outputs_.end(); ++k) {
        name = wanted + "_" + std::to_string(k);
      }
      outputs_.push_back(name);
    }
    model_ = std::move(model);
  }

  data::Table transform(const data::Table& table) const override {
    need_fitted();
    const data::Table rows = table.select(model_->names());
    check(rows);
    data::Table out = table.drop(model_->names());
    const std::vector<double> values =
        rows.rows() > 0 ? tern::internal::speaking_as(
                              called(), [&] { return Access::transform(*model_, rows).to_vector<double>(); })
                        : std::vector<double>();
    for (std::size_t j = 0; j < outputs_.size(); ++j) {
      std::vector<double> column(static_cast<std::size_t>(table.rows()));
      for (std::size_t i = 0; i < column.size(); ++i) column[i] = values[i * outputs_.size() + j];
      out.add(outputs_[j], data::Column::from_f64(std::move(column)));
    }
    return out;
  }

  data::Table fit_transform(const data::Table& table, const data::FitContext& context) override {
    fit(table, context);
    return transform(table);
  }

  std::vector<std::pair<std::string, std::string>> derived() const override {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string& output : outputs_) {
      for (const std::string& source : model_->names()) pairs.emplace_back(output, source);
    }
    return pairs;
  }

  std::string to_json() const override {
    need_fitted();
    return json_text(Json{{"selector", tern::internal::parse_json(selector_.to_json(), std::string(type()))},
                          {"outputs", outputs_},
                          {"model", internal::to_json(model_->state())}});
  }
  void load(const Json& json) {
    const std::string what = called();
    Restore::read(*model_, from_json(json_member(json, "model", what), std::string(type())));
    outputs_ = json_get<std::vector<std::string>>(json, "outputs", what);
    if (static_cast<std::int64_t>(outputs_.size()) != Access::outputs(*model_) || model_->names().empty()) {
      throw FormatError("[" + what + "] expected a name for each column, got others");
    }
  }

 private:
  // The function that made it: begins the messages.
  std::string called() const { return std::string(type()) + "_step"; }

  void need_fitted() const {
    if (outputs_.empty()) throw StateError("[" + called() + "] expected a fitted step, got one before fit");
  }

  void check(const data::Table& rows) const {
    for (const std::string& name : rows.names()) {
      const data::Column& column = rows[name];
      if (!column.is_numeric()) {
        throw DataError(called(), "expected numbers, got " + std::string(to_string(column.type())), {.column = name});
      }
      for (std::int64_t row = 0; row < rows.rows(); ++row) {
        if (!column.is_null(row) && std::isfinite(column.numeric(row))) continue;
        throw DataError(called(), "expected finite numbers (impute fills missing ones), got another",
                        rows.location(row, name));
      }
    }
  }

  data::Selector selector_;
  std::unique_ptr<Unsupervised> model_;
  std::vector<std::string> outputs_;
};

template <class T>
void add() {
  data::register_step(std::string(T().type()), [](std::string_view text) -> data::StepPtr {
    const std::string what = std::string(T().type()) + "_step";
    const Json json = tern::internal::parse_json(text, what);
    auto step = std::make_shared<ModelStep>(data::Selector::from_json(json_text(json_member(json, "selector", what))),
                                            std::make_unique<T>());
    step->load(json);
    return step;
  });
}

}  // namespace

void register_steps() {
  add<Pca>();
  add<TruncatedSvd>();
  add<Nmf>();
  add<KMeans>();
  add<GaussianMixture>();
}

}  // namespace internal

data::StepPtr pca_step(data::Selector columns, const PcaOptions& options) {
  return std::make_shared<internal::ModelStep>(std::move(columns), std::make_unique<Pca>(options));
}
data::StepPtr truncated_svd_step(data::Selector columns, const TruncatedSvdOptions& options) {
  return std::make_shared<internal::ModelStep>(std::move(columns), std::make_unique<TruncatedSvd>(options));
}
data::StepPtr nmf_step(data::Selector columns, const NmfOptions& options) {
  return std::make_shared<internal::ModelStep>(std::move(columns), std::make_unique<Nmf>(options));
}
data::StepPtr k_means_step(data::Selector columns, const KMeansOptions& options) {
  return std::make_shared<internal::ModelStep>(std::move(columns), std::make_unique<KMeans>(options));
}
data::StepPtr gaussian_mixture_step(data::Selector columns, const GaussianMixtureOptions& options) {
  return std::make_shared<internal::ModelStep>(std::move(columns), std::make_unique<GaussianMixture>(options));
}

}  // namespace tern::models
