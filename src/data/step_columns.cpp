#include <algorithm>

#include "data/step_base.h"

// Leaving columns out.
namespace tern::data {
namespace internal {
namespace {

class Drop final : public Step {
 public:
  // Drops the selected columns, or keeps them alone.
  Drop(Selector selector, bool keeps) : selector_(std::move(selector)), keeps_(keeps) {}

  std::string_view type() const override { return keeps_ ? "keep" : "drop"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Drop>(*this); }
  void fit(const Table& table, const FitContext& context) override {
    names_ = selector_.select(table, context.target);
    if (keeps_) names_ = (all() - columns(names_)).select(table, context.target);
    fitted_ = true;
  }
  // A column that is to go need not be there.
  Table transform(const Table& table) const override {
    if (!fitted_) throw StateError("[" + std::string(type()) + "] expected a fitted step, got one before fit");
    std::vector<std::string> present;
    for (const std::string& name : names_) {
      if (table.has(name)) present.push_back(name);
    }
    return table.drop(present);
  }
  Table fit_transform(const Table& table, const FitContext& context) override {
    fit(table, context);
    return transform(table);
  }
  std::vector<std::pair<std::string, std::string>> derived() const override { return {}; }
  std::string to_json() const override {
    if (!fitted_) throw StateError("[" + std::string(type()) + "] expected a fitted step, got one before fit");
    return dump_json({{"selector", save_selector(selector_)}, {"dropped", names_}}, "Step::to_json");
  }
  void load(const Json& json) {
    names_ = json_get<std::vector<std::string>>(json, "dropped", std::string(type()));
    fitted_ = true;
  }

 private:
  Selector selector_;
  bool keeps_;
  std::vector<std::string> names_;
  bool fitted_ = false;
};

}  // namespace

StepPtr load_drop(const Json& json) { return loaded(std::make_shared<Drop>(selector_of(json, "drop"), false), json); }
StepPtr load_keep(const Json& json) { return loaded(std::make_shared<Drop>(selector_of(json, "keep"), true), json); }

}  // namespace internal

StepPtr drop(Selector columns) { return std::make_shared<internal::Drop>(std::move(columns), false); }
StepPtr keep(Selector columns) { return std::make_shared<internal::Drop>(std::move(columns), true); }

}  // namespace tern::data
