#include <memory>
#include <string>
#include <utility>

#include "base/json.h"
#include "base/retell.h"
#include "tern/base/error.h"
#include "tern/data/steps.h"
#include "tern/trees/isolation_forest.h"
#include "trees/inputs.h"

namespace tern::trees {
namespace internal {
namespace {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_member;
using tern::internal::json_text;

const std::string kIsolationType = "isolation_forest", kIsolationStep = "isolation_forest_step";

class IsolationStep final : public data::Step {
 public:
  IsolationStep(data::Selector selector, const IsolationForestOptions& options)
      : selector_(std::move(selector)), forest_(options) {}

  std::string_view type() const override { return kIsolationType; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<IsolationStep>(*this); }

  void fit(const data::Table& table, const data::FitContext& context) override {
    const std::vector<std::string> chosen = selector_.select(table, context.target);
    if (chosen.empty()) throw DataError(kIsolationStep, "expected columns to learn from, got none");
    IsolationForest forest(forest_.options());
    tern::internal::speaking_as(kIsolationStep, [&] { forest.fit(table.select(chosen)); });
    forest_ = std::move(forest);
    output_ = kIsolationType;
    for (int k = 2; table.has(output_); ++k) output_ = kIsolationType + "_" + std::to_string(k);
  }

  data::Table transform(const data::Table& table) const override {
    if (output_.empty()) throw StateError("[" + kIsolationStep + "] expected a fitted step, got one before fit");
    data::Table out = table;
    out.add(output_,
            data::Column::from_f64(tern::internal::speaking_as(kIsolationStep, [&] { return forest_.score(table); })));
    return out;
  }

  data::Table fit_transform(const data::Table& table, const data::FitContext& context) override {
    fit(table, context);
    return transform(table);
  }

  std::vector<std::pair<std::string, std::string>> derived() const override {
    std::vector<std::pair<std::string, std::string>> pairs;
    if (output_.empty()) return pairs;
    for (const Feature& feature : forest_.ensemble().features) pairs.emplace_back(output_, feature.name);
    return pairs;
  }

  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override {
    return unseen_levels(kIsolationStep.c_str(), forest_.ensemble(), table);
  }

  std::string to_json() const override {
    return json_text(Json{{"selector", tern::internal::parse_json(selector_.to_json(), kIsolationStep)},
                          {"output", output_},
                          {"forest", forest_.to_json()}});
  }

  static data::StepPtr from_json(std::string_view text) {
    const Json json = tern::internal::parse_json(text, kIsolationStep);
    auto step = std::make_shared<IsolationStep>(
        data::Selector::from_json(json_text(json_member(json, "selector", kIsolationStep))), IsolationForestOptions{});
    step->forest_ = IsolationForest::from_json(json_get<std::string>(json, "forest", kIsolationStep));
    step->output_ = json_get<std::string>(json, "output", kIsolationStep);
    if (step->output_.empty()) throw FormatError("[" + kIsolationStep + "] expected the name of a column, got none");
    return step;
  }

 private:
  data::Selector selector_;
  IsolationForest forest_;
  std::string output_{};
};

}  // namespace

void register_isolation_step() { data::register_step(kIsolationType, IsolationStep::from_json); }

}  // namespace internal

data::StepPtr isolation_forest_step(data::Selector columns, const IsolationForestOptions& options) {
  return std::make_shared<internal::IsolationStep>(std::move(columns), options);
}

}  // namespace tern::trees
