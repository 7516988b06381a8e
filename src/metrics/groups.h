#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "tern/metrics/binary.h"
#include "tern/metrics/calibration.h"

/// Two-class rows sorted once and gathered by distinct score: any weighting of the rows (a bootstrap resample is one)
/// is then a pass over the groups.
namespace tern::metrics::internal {

inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
inline constexpr double probability_epsilon = std::numeric_limits<double>::epsilon();

/// Distinct scores, descending. `mass[2 * g + label]` is the weight of group g's rows with that label, and `slot[row]`
/// the place in `mass` where a row counts.
struct ScoreGroups {
  std::vector<double> score;
  std::vector<double> mass;
  std::vector<std::uint32_t> slot;

  std::size_t size() const { return score.size(); }
  double negative(std::size_t g) const { return mass[2 * g]; }
  double positive(std::size_t g) const { return mass[2 * g + 1]; }
  bool empty(std::size_t g) const { return mass[2 * g] + mass[2 * g + 1] == 0; }
};

/// Gathers checked rows. Throws ValueError above 2^31 - 1 rows.
ScoreGroups group_scores(const char* where, std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const double> weights);

/// One distinct logit in a logistic fit.
struct FitPoint {
  double x;
  double total;     ///< weight of both labels, above 0
  double positive;  ///< weight of label 1
};

/// Maximum likelihood of sigmoid(intercept + slope x) over points of descending x, by Newton's method. `start` may be
/// the fit of similar points.
CalibrationFit fit_logistic(std::span<const FitPoint> points, const CalibrationFit* start = nullptr);

/// Where the bins of a calibration error begin and end: ascending, each edge above the one before, unless all
/// probabilities are equal and the only bin is a point.
struct BinEdges {
  Binning binning = Binning::equal_width;
  std::vector<double> edges;  ///< one more than bins
};

/// The edges of `bins` bins for these probabilities. Throws ValueError unless `bins` is 1 to 1000.
BinEdges bin_edges(const char* where, std::span<const double> probabilities, Binning binning, int bins);
/// The bin (low, high] of a probability; the first bin takes what lies at or below its high edge.
std::size_t bin_of(const BinEdges& edges, double probability);

/// The figures of one weighting.
struct FigureValues {
  BinaryConfusion at_threshold{};
  BinaryConfusion at_half{};
  double auroc = undefined;
  double average_precision = undefined;
  double log_loss = undefined;
  double brier = undefined;
  double ece = undefined;
  CalibrationFit calibration{};
};

/// Computes all figures of two-class probabilities for any weighting of the groups.
class BinaryEngine {
 public:
  struct Scratch {
    std::vector<FitPoint> points;
    std::vector<double> bins;  // [3 * bin]: weight, probability, positives
  };

  BinaryEngine(const ScoreGroups& groups, double threshold, const BinEdges& edges);

  /// `mass` as in ScoreGroups, its sum above 0. Concurrent calls need a scratch each.
  FigureValues evaluate(std::span<const double> mass, Scratch& scratch, const CalibrationFit* start = nullptr) const;

 private:
  const ScoreGroups& groups_;
  std::vector<double> logit_;  // [group], clipped
  std::vector<double> loss_;   // [2 * group + label]
  std::vector<std::uint32_t> bin_;
  std::size_t above_threshold_ = 0, above_half_ = 0;  // groups at or above
  std::size_t bins_;
};

/// log(p / (1 - p)) of p clipped to [2^-52, 1 - 2^-52].
double clipped_logit(double probability);
/// -log of the probability given to `label`, clipped as log_loss says.
double clipped_loss(double probability, unsigned label);

}  // namespace tern::metrics::internal
