#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/estimator.h"
#include "tern/models/composite.h"

/// Estimators made of estimators: all of values, or all of classes, with probabilities unless whole votes are counted.
/// Rows of validation go on to those that make use of them. What holds estimators of another room is loaded after that
/// room's register_estimators().
namespace tern::models {

/// What a member of Voting gives of a row.
enum class Vote : std::uint8_t {
  soft,  ///< its probabilities, or its value
  hard   ///< its class alone
};

/// Options of Voting.
struct VotingOptions {
  std::vector<double> weights{};  ///< of the members; empty: all the same
  Vote vote = Vote::soft;
};

/// The weighted mean of members' values or probabilities, or the class for which most members vote by their weights, of
/// those that tie the first (scikit-learn's VotingClassifier and its default, `voting="hard"`).
class TERN_API Voting : public Composite {
 public:
  /// Throws ValueError for no members, some of classes beside some of values, one of classes without probabilities for
  /// soft votes, hard votes of values, or weights that are no weights.
  explicit Voting(Members members, VotingOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Voting load(const std::string& path);
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "voting"; }
  std::unique_ptr<data::Estimator> clone() const override { return std::make_unique<Voting>(*this); }
  bool classifies() const override { return members_[0].classifies(); }
  std::string positive() const override { return members_.positive(); }
  bool has_probability() const override { return classifies() && options_.vote == Vote::soft; }
  bool takes_missing() const override;
  bool takes_validation() const override;
  bool stops_early() const override;
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override {
    return members_.unseen(table);
  }

  const Members& members() const { return members_; }
  const VotingOptions& options() const { return options_; }

 protected:
  void fit_on(const internal::Source& rows) override;
  std::vector<double> answer(const internal::Asked& rows, bool probability) const override;
  std::string to_json() const override;
  std::vector<data::NamedTensor> tensors() const override;

 private:
  Members members_;
  VotingOptions options_;
};

/// Options of Stacking.
struct StackingOptions {
  int folds = 5;           ///< behind the predictions that the last estimator learns from
  std::uint64_t seed = 0;  ///< of the folds
};

/// An estimator on what others predict (Wolpert 1992): it learns from predictions out of fold, then the members are
/// fitted on all rows. The folds are dealt at random, of each class evenly: rows that belong together (a group, what
/// was before) stand on both sides of them. Of two classes it is given a probability of each member, of several all but
/// the first.
class TERN_API Stacking : public Composite {
 public:
  /// Takes a copy of `last`. Throws ValueError as Voting, and for folds below 2, a `last` of classes beside members of
  /// values or the other way round, one that stops early, or one told another positive class than the members.
  Stacking(Members members, const data::Estimator& last, StackingOptions options = {});
  Stacking(const Stacking& other);
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Stacking load(const std::string& path);
  static std::unique_ptr<data::Estimator> from_state(const data::EstimatorState& state);

  std::string_view type() const override { return "stacking"; }
  std::unique_ptr<data::Estimator> clone() const override { return std::make_unique<Stacking>(*this); }
  bool classifies() const override { return members_[0].classifies(); }
  std::string positive() const override {
    const std::string told = members_.positive();
    return told.empty() ? last_->positive() : told;
  }
  bool has_probability() const override { return last_->has_probability(); }
  bool takes_missing() const override;
  bool takes_validation() const override;
  bool stops_early() const override;
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const override {
    return members_.unseen(table);
  }

  const Members& members() const { return members_; }
  const data::Estimator& last() const { return *last_; }

 protected:
  void fit_on(const internal::Source& rows) override;
  std::vector<double> answer(const internal::Asked& rows, bool probability) const override;
  std::string to_json() const override;
  std::vector<data::NamedTensor> tensors() const override;

 private:
  Members members_;
  std::unique_ptr<data::Estimator> last_;
  StackingOptions options_;
};

}  // namespace tern::models
