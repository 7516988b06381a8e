#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tern/trees/gradient_boosting.h"

namespace tern::trees::internal {

/// Rows that a loss is taken over, a view. Targets of classes are their numbers.
struct Targets {
  std::span<const double> values;
  std::span<const double> weights;        ///< empty: 1 each
  std::span<const std::int64_t> queries;  ///< rows of each query, in order
  std::int64_t rows() const { return static_cast<std::int64_t>(values.size()); }
  double weight(std::int64_t row) const { return weights.empty() ? 1 : weights[static_cast<std::size_t>(row)]; }
};

/// A loss with its derivatives. Margins lie output by output: [outputs][rows].
class Loss {
 public:
  virtual ~Loss() = default;

  virtual int outputs() const { return 1; }
  virtual Link link() const { return Link::identity; }
  virtual std::string name() const = 0;
  /// Throws ValueError when a target is outside what the loss takes, or classes are missing of rows to train on.
  virtual void check(const Targets& targets, bool training) const = 0;
  /// The best constant margin of each output.
  virtual std::vector<double> base(const Targets& targets) const = 0;

  /// Whether hessians without weights are 1.
  virtual bool constant_hessian() const { return false; }
  /// Bounds of gradient and hessian without weights; 0 where there are none that are of use.
  virtual std::pair<double, double> bounds(const Targets&) const { return {0, 0}; }
  /// Whether `derivatives` takes any part of the rows, and otherwise all of them alone.
  virtual bool by_rows() const { return true; }
  /// Gradient and hessian in turn of rows begin … end - 1, weights multiplied in: pairs[(output · rows + row) · 2].
  virtual void derivatives(const Targets& targets, std::span<const double> margins, std::int64_t begin,
                           std::int64_t end, float* pairs) const = 0;

  /// Most that a leaf adds before the learning rate where no max_delta_step is told.
  virtual double most_step() const;
  /// Quantile of the residuals that a leaf takes as its value, or NaN where derivatives give it.
  virtual double leaf_quantile() const;

  virtual std::string metric_name() const = 0;  ///< empty: there is none
  virtual bool larger_is_better() const { return false; }
  virtual double metric(const Targets& targets, std::span<const double> margins) const = 0;
};

/// `classes` is of the target, where the objective has classes.
std::unique_ptr<Loss> make_loss(const GradientBoostingOptions& options, int classes);

/// The value below which a share `q` of the weight lies, halfway between two where it lies between them; sorts,
/// and leaves out what has no weight.
double weighted_quantile(std::vector<std::pair<double, double>>& values_and_weights, double q);

}  // namespace tern::trees::internal
