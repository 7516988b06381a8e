#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/model.h"

/// Naive Bayes: features that are independent within a class. `partial_fit` in parts learns what `fit` learns of all
/// rows at once, but for rounding.
namespace tern::models {

/// What they share: the classes' weights, which are their priors.
class TERN_API NaiveBayes : public Model {
 public:
  bool classifies() const override { return true; }
  /// Σ weight of each class's rows.
  const std::vector<double>& class_weights() const { return class_weights_; }

 protected:
  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  void learn_more(const Rows& rows, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;

  /// Throws ValueError for rows that it takes none of.
  virtual void check_values(const data::Matrix& x) const;
  /// Adds rows to the statistics, which are empty at first.
  virtual void add(const Rows& rows, std::int64_t classes) = 0;
  /// log P(class) + log P(row | class), [n, classes].
  virtual std::vector<double> joint(const data::Matrix& x) const = 0;
  /// Whether every class is as likely beforehand.
  virtual bool uniform() const { return false; }
  /// log P(class).
  std::vector<double> priors() const;

  std::vector<double> class_weights_;
  std::vector<double> sums_;  ///< [classes, d], of what the class says
};

/// Options of GaussianNaiveBayes.
struct GaussianOptions {
  double smoothing = 1e-9;  ///< added to every variance, times the largest of a column (by weight); >= 0
};

/// Features that are normal within a class.
class TERN_API GaussianNaiveBayes : public NaiveBayes {
 public:
  /// Throws ValueError for an option outside its values.
  explicit GaussianNaiveBayes(GaussianOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static GaussianNaiveBayes load(const std::string& path);
  std::string_view type() const override { return "gaussian_naive_bayes"; }
  std::unique_ptr<data::Estimator> clone() const override;
  const GaussianOptions& options() const { return options_; }
  const std::vector<double>& means() const { return sums_; }  ///< [classes, d]
  /// [classes, d], smoothed.
  std::vector<double> variances() const;

 protected:
  void fields(internal::Fields& fields) override;
  void check() const override;
  void add(const Rows& rows, std::int64_t classes) override;
  std::vector<double> joint(const data::Matrix& x) const override;

 private:
  GaussianOptions options_;
  std::vector<double> squares_;  // Σ weight (x - mean)², [classes, d]
};

/// Options of MultinomialNaiveBayes and BernoulliNaiveBayes.
struct CountingOptions {
  double alpha = 1;       ///< added to every count (Laplace); > 0
  bool fit_prior = true;  ///< else every class is as likely beforehand
  double threshold = 0;   ///< of BernoulliNaiveBayes: features above it are true
};

/// Features that count words: >= 0, else `fit` and `predict` throw ValueError.
class TERN_API MultinomialNaiveBayes : public NaiveBayes {
 public:
  /// Throws ValueError for an option outside its values.
  explicit MultinomialNaiveBayes(CountingOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static MultinomialNaiveBayes load(const std::string& path);
  std::string_view type() const override { return "multinomial_naive_bayes"; }
  std::unique_ptr<data::Estimator> clone() const override;
  const CountingOptions& options() const { return options_; }

 protected:
  void fields(internal::Fields& fields) override;
  void check() const override;
  void check_values(const data::Matrix& x) const override;
  void add(const Rows& rows, std::int64_t classes) override;
  std::vector<double> joint(const data::Matrix& x) const override;
  bool uniform() const override { return !options_.fit_prior; }

 private:
  CountingOptions options_;
};

/// Features that are true or false.
class TERN_API BernoulliNaiveBayes : public NaiveBayes {
 public:
  /// Throws ValueError for an option outside its values.
  explicit BernoulliNaiveBayes(CountingOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static BernoulliNaiveBayes load(const std::string& path);
  std::string_view type() const override { return "bernoulli_naive_bayes"; }
  std::unique_ptr<data::Estimator> clone() const override;
  const CountingOptions& options() const { return options_; }

 protected:
  void fields(internal::Fields& fields) override;
  void check() const override;
  void add(const Rows& rows, std::int64_t classes) override;
  std::vector<double> joint(const data::Matrix& x) const override;
  bool uniform() const override { return !options_.fit_prior; }

 private:
  CountingOptions options_;
};

}  // namespace tern::models
