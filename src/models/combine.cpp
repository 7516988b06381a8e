#include "tern/models/combine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "models/files.h"
#include "models/source.h"
#include "tern/base/error.h"

namespace tern::models {
namespace {

using tern::internal::class_name;
using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_get_or;
using tern::internal::json_member;
using tern::internal::json_text;

void check_members(const char* type, const Members& members, bool probabilities = true) {
  const std::string where = "[" + std::string(type) + "] expected ";
  if (members.size() == 0) throw ValueError(where + "members, got none");
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].classifies() != members[0].classifies()) {
      throw ValueError(where + "members all of classes or all of values, got " + class_name(members[0].type()) +
                       " beside " + class_name(members[i].type()));
    }
    const std::string told = members[i].positive(), first = members.positive();
    if (!told.empty() && told != first) {
      throw ValueError(where + "members told one positive class, got \"" + first + "\" and \"" + told + "\"");
    }
    if (probabilities && members[i].classifies() && !members[i].has_probability()) {
      throw ValueError(where + "members with probabilities, got " + class_name(members[i].type()));
    }
  }
}

bool every_missing(const Members& members) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!members[i].takes_missing()) return false;
  }
  return true;
}

bool any(const Members& members, bool (data::Estimator::*does)() const) {
  for (std::size_t i = 0; i < members.size(); ++i) {
    if ((members[i].*does)()) return true;
  }
  return false;
}

Json members_json(const Members& members) {
  Json all = Json::array();
  for (std::size_t i = 0; i < members.size(); ++i) all.push_back(internal::member_json(members[i]));
  return all;
}

std::vector<data::NamedTensor> members_tensors(const Members& members) {
  std::vector<data::NamedTensor> out;
  for (std::size_t i = 0; i < members.size(); ++i) internal::add_tensors(out, members[i], i);
  return out;
}

Members make_members(const Json& json, const data::EstimatorState& state) {
  Members members;
  const auto all = json_get<std::vector<Json>>(json, "members", class_name(state.type));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto member = internal::make_member(all[i], state, i);
    std::vector<std::string> known = member->classes(), all_known = state.classes;  // in whatever order
    std::sort(known.begin(), known.end());
    std::sort(all_known.begin(), all_known.end());
    if (known != all_known) {
      throw FormatError("[" + class_name(state.type) + "] expected members of the same classes, got others");
    }
    members.add(*member);
  }
  return members;
}

// What the last estimator is given: a column for each value, each probability of two classes, each of several but the
// first, which the others imply.
class Inputs {
 public:
  Inputs(std::int64_t rows, std::size_t members, std::size_t classes)
      : each_(classes > 2 ? classes - 1 : 1),
        first_(classes > 2 ? 1 : 0),
        width_(members * each_),
        values_(static_cast<std::size_t>(rows) * width_) {}

  void put(std::size_t member, const std::vector<double>& predictions) {
    const std::size_t given = first_ + each_;
    for (std::size_t row = 0; row * width_ < values_.size(); ++row) {
      for (std::size_t k = 0; k < each_; ++k) {
        values_[row * width_ + member * each_ + k] = predictions[row * given + first_ + k];
      }
    }
  }
  data::Matrix matrix() const { return {std::span(values_), static_cast<std::int64_t>(width_)}; }

 private:
  std::size_t each_, first_, width_;
  std::vector<double> values_;
};

}  // namespace

Voting::Voting(Members members, VotingOptions options) : members_(std::move(members)), options_(std::move(options)) {
  check_members("Voting", members_, options_.vote == Vote::soft);
  if (options_.vote == Vote::hard && !classifies()) {
    throw ValueError("[Voting] expected soft votes of members of values, got hard ones");
  }
  std::vector<double>& weights = options_.weights;
  if (weights.empty()) weights.assign(members_.size(), 1.0);
  double sum = 0;
  for (const double weight : weights) {
    if (!(weight >= 0) || !std::isfinite(weight)) {
      throw ValueError("[Voting] expected finite weights of at least 0, got " + tern::internal::number_text(weight));
    }
    sum += weight;
  }
  if (weights.size() != members_.size() || !(sum > 0 && std::isfinite(sum))) {
    throw ValueError("[Voting] expected a weight for each of " + std::to_string(members_.size()) +
                     " members, not all 0 and of a finite sum, got " + std::to_string(weights.size()));
  }
}

bool Voting::takes_missing() const { return every_missing(members_); }
bool Voting::takes_validation() const { return any(members_, &data::Estimator::takes_validation); }
bool Voting::stops_early() const { return any(members_, &data::Estimator::stops_early); }

void Voting::fit_on(const internal::Source& rows) {
  Members fitted = members_;
  for (std::size_t i = 0; i < fitted.size(); ++i) rows.fit(fitted[i]);
  members_ = std::move(fitted);
}

std::vector<double> Voting::answer(const internal::Asked& rows, bool probability) const {
  const std::vector<double>& weights = options_.weights;
  std::vector<double> out;
  if (options_.vote == Vote::hard) {
    if (probability) throw StateError("[Voting] expected soft votes for probabilities, got hard ones");
    const auto count = static_cast<std::ptrdiff_t>(classes_.size());
    out.resize(static_cast<std::size_t>(rows.rows() * count));
    for (std::size_t i = 0; i < members_.size(); ++i) {
      auto votes = out.begin();
      for (const double k : rows.predict_class(members_[i], classes_)) {
        votes[static_cast<std::ptrdiff_t>(k)] += weights[i];
        votes += count;
      }
    }
    return internal::most(out, classes_.size());
  }
  double sum = 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const std::vector<double> each = rows.predict(members_[i], classes_);
    out.resize(each.size());
    for (std::size_t j = 0; j < each.size(); ++j) out[j] += weights[i] * each[j];
    sum += weights[i];
  }
  for (double& value : out) value /= sum;
  return probability || !classifies() ? out : internal::decide(out, classes_.size());
}

std::string Voting::to_json() const {
  return json_text(Json{{"weights", options_.weights},
                        {"vote", options_.vote == Vote::hard ? "hard" : "soft"},
                        {"width", width_},
                        {"members", members_json(members_)}});
}

std::vector<data::NamedTensor> Voting::tensors() const { return members_tensors(members_); }

std::unique_ptr<data::Estimator> Voting::from_state(const data::EstimatorState& state) {
  const Json json = tern::internal::parse_json(state.json, "Voting");
  const std::string vote = json_get_or<std::string>(json, "vote", "soft", "Voting");  // files of before have none
  if (vote != "soft" && vote != "hard") throw FormatError("[Voting] expected soft or hard votes, got \"" + vote + "\"");
  auto made = std::make_unique<Voting>(
      make_members(json, state), VotingOptions{.weights = json_get<std::vector<double>>(json, "weights", "Voting"),
                                               .vote = vote == "hard" ? Vote::hard : Vote::soft});
  made->width_ = json_get<std::int64_t>(json, "width", "Voting");
  if (made->width_ < 1) throw FormatError("[Voting] expected a width above 0, got " + std::to_string(made->width_));
  return made;
}

Voting Voting::load(const std::string& path) { return internal::load_as<Voting>("voting", path); }

Stacking::Stacking(Members members, const data::Estimator& last, StackingOptions options)
    : members_(std::move(members)), last_(last.clone()), options_(options) {
  check_members("Stacking", members_);
  if (last.classifies() != members_[0].classifies()) {
    throw ValueError("[Stacking] expected a last estimator of " +
                     std::string(members_[0].classifies() ? "classes" : "values") + " as its members, got " +
                     class_name(last.type()));
  }
  const std::string told = last.positive();
  if (!told.empty() && told != positive()) {
    throw ValueError("[Stacking] expected a last estimator told the positive class of its members, \"" + positive() +
                     "\", got \"" + told + "\"");
  }
  if (last.stops_early()) {
    throw ValueError(
        "[Stacking] expected a last estimator that does not stop early, for it has no rows of validation, got " +
        class_name(last.type()));
  }
  if (options.folds < 2) {
    throw ValueError("[Stacking] expected folds of at least 2, got " + std::to_string(options.folds));
  }
}

Stacking::Stacking(const Stacking& other)
    : Composite(other), members_(other.members_), last_(other.last_->clone()), options_(other.options_) {}

bool Stacking::takes_missing() const { return every_missing(members_); }
bool Stacking::takes_validation() const { return any(members_, &data::Estimator::takes_validation); }
bool Stacking::stops_early() const { return any(members_, &data::Estimator::stops_early); }

void Stacking::fit_on(const internal::Source& rows) {
  const std::vector<std::string> classes = classifies() ? rows.classes() : std::vector<std::string>();
  Members fitted = members_;
  Inputs inputs(rows.rows(), fitted.size(), classes.size());
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    inputs.put(i, rows.predict_out_of_fold(fitted[i], options_.folds, options_.seed, classes));
    rows.fit(fitted[i]);
  }
  std::unique_ptr<data::Estimator> last = last_->clone();
  const std::vector<double> weights = rows.weights();
  last->fit(inputs.matrix(), rows.truth(classes), {.weights = weights});
  members_ = std::move(fitted);
  last_ = std::move(last);
}

std::vector<double> Stacking::answer(const internal::Asked& rows, bool probability) const {
  Inputs inputs(rows.rows(), members_.size(), classes_.size());
  for (std::size_t i = 0; i < members_.size(); ++i) {
    inputs.put(i, rows.predict(members_[i], classes_));
  }
  return probability ? last_->predict_probability(inputs.matrix()) : last_->predict(inputs.matrix());
}

std::string Stacking::to_json() const {
  return json_text(Json{{"folds", options_.folds},
                        {"seed", options_.seed},
                        {"width", width_},
                        {"members", members_json(members_)},
                        {"last", internal::member_json(*last_)}});
}

std::vector<data::NamedTensor> Stacking::tensors() const {
  std::vector<data::NamedTensor> out = members_tensors(members_);
  internal::add_tensors(out, *last_, members_.size());
  return out;
}

std::unique_ptr<data::Estimator> Stacking::from_state(const data::EstimatorState& state) {
  const Json json = tern::internal::parse_json(state.json, "Stacking");
  Members members = make_members(json, state);
  const auto last = internal::make_member(json_member(json, "last", "Stacking"), state, members.size());
  auto made = std::make_unique<Stacking>(std::move(members), *last,
                                         StackingOptions{.folds = json_get<int>(json, "folds", "Stacking"),
                                                         .seed = json_get<std::uint64_t>(json, "seed", "Stacking")});
  made->width_ = json_get<std::int64_t>(json, "width", "Stacking");
  if (made->width_ < 1) throw FormatError("[Stacking] expected a width above 0, got " + std::to_string(made->width_));
  return made;
}

Stacking Stacking::load(const std::string& path) { return internal::load_as<Stacking>("stacking", path); }

}  // namespace tern::models
