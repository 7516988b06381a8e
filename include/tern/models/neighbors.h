#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/clusters.h"
#include "tern/models/model.h"

/// Nearest neighbours.
namespace tern::models {

namespace internal {
class NeighborIndex;
}

/// Options of KNeighborsClassifier and KNeighborsRegressor.
struct KNeighborsOptions {
  enum class Votes : std::uint8_t { uniform, distance };

  std::int64_t neighbors = 5;
  Votes votes = Votes::uniform;  ///< `distance`: by 1 / distance; rows at distance 0, where there are some, alone
  NeighborSearch search = NeighborSearch::automatic;
};

/// Rows of training near some others.
struct Neighbors {
  std::vector<std::int64_t> rows{};  ///< [n, k], nearest first, of equally near ones the first
  std::vector<double> distances{};   ///< [n, k], Euclidean
};

/// What those share that answer by the k nearest rows of training, found exactly. Keeps the rows.
class TERN_API KNeighbors : public Model {
 public:
  const KNeighborsOptions& options() const { return options_; }
  /// The k nearest rows of training. Throws as `predict` does, ValueError unless there are k rows.
  Neighbors neighbors(const data::Matrix& x, std::int64_t k) const;

 protected:
  explicit KNeighbors(KNeighborsOptions options);
  KNeighbors(const KNeighbors&) = default;
  KNeighbors(KNeighbors&&) = default;
  KNeighbors& operator=(const KNeighbors&) = default;
  KNeighbors& operator=(KNeighbors&&) = default;

  void learn(const Rows& train, const Rows& validation, std::int64_t classes) override;
  std::vector<double> respond(const data::Matrix& x, bool probability) const override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  void check_options() const;

 private:
  KNeighborsOptions options_;
  Tensor x_;
  std::vector<double> y_;
  std::int64_t outcomes_ = 0;
  std::shared_ptr<const internal::NeighborIndex> index_;
};

/// The class of most of the nearest rows of training, the first of equals; probabilities are shares of the votes. Takes
/// no weights.
class TERN_API KNeighborsClassifier : public KNeighbors {
 public:
  /// Throws ValueError unless there are neighbours.
  explicit KNeighborsClassifier(KNeighborsOptions options = {}) : KNeighbors(options) { check_options(); }
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static KNeighborsClassifier load(const std::string& path);
  std::string_view type() const override { return "k_neighbors_classifier"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return true; }
};

/// The mean target of the nearest rows of training. Takes no weights.
class TERN_API KNeighborsRegressor : public KNeighbors {
 public:
  /// Throws ValueError unless there are neighbours.
  explicit KNeighborsRegressor(KNeighborsOptions options = {}) : KNeighbors(options) { check_options(); }
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static KNeighborsRegressor load(const std::string& path);
  std::string_view type() const override { return "k_neighbors_regressor"; }
  std::unique_ptr<data::Estimator> clone() const override;
  bool classifies() const override { return false; }
};

}  // namespace tern::models
