#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tern/base/export.h"
#include "tern/models/unsupervised.h"

/// Factorisations of rows.
namespace tern::models {

/// How the greatest directions are found.
enum class Factorisation : std::uint8_t {
  exact,       ///< eigenvectors of the smaller of the two Gram matrices; products of f32 are f32
  randomised,  ///< Halko et al. 2011, by passes over samples of the rows, then over all; products of f32 are f32
  incremental  ///< Ross et al. 2008, from batches
};

/// Options of Pca.
struct PcaOptions {
  std::int64_t components = 0;  ///< 0: as many as there are, min(n, d)
  Factorisation factorisation = Factorisation::exact;
  bool whiten = false;       ///< divides what `transform` gives by its standard deviations
  int power_iterations = 7;  ///< of `randomised`: passes over all rows after the first, at most
  double tolerance = 2e-3;   ///< of `randomised`: ends when a pass found less more, of the variance of the components
  std::int64_t batch_rows = 0;  ///< of `incremental`; 0: five times the columns
  std::uint64_t seed = 0;       ///< of `randomised`
};

/// Principal components: the orthogonal directions of greatest variance about the mean (Pearson 1901). The loading of
/// greatest size in each is positive.
class TERN_API Pca : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit Pca(PcaOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Pca load(const std::string& path);

  std::string_view type() const override { return "pca"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// Of `incremental`: learns from another batch and keeps what was learned. Throws StateError of the others,
  /// ValueError for fewer rows than components in the first batch, and as `fit`.
  void partial_fit(const data::Matrix& batch);
  /// Coordinates along the components, [n, components], of the type of x.
  using Unsupervised::transform;
  /// Rows of such coordinates [n, components]: [n, d], f64. Throws StateError, ShapeError.
  Tensor inverse_transform(const data::Matrix& coordinates) const;

  const PcaOptions& options() const { return options_; }
  const std::vector<double>& components() const { return components_; }            ///< [components, d]
  const std::vector<double>& mean() const { return mean_; }                        ///< [d]
  const std::vector<double>& explained_variance() const { return variance_; }      ///< [components], of a sample
  const std::vector<double>& singular_values() const { return singular_values_; }  ///< [components]
  /// Shares of the whole variance.
  std::vector<double> explained_variance_ratio() const;

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  bool takes_weights() const override { return options_.factorisation != Factorisation::incremental; }
  std::int64_t width() const override { return static_cast<std::int64_t>(mean_.size()); }
  void fields(internal::Fields& fields) override;
  void check() const override;
  Tensor map(const data::Matrix& x) const override;
  std::int64_t outputs() const override { return static_cast<std::int64_t>(variance_.size()); }

 private:
  void learn_batch(const data::Matrix& x);
  std::vector<double> scaled(bool inverse) const;

  PcaOptions options_;
  std::vector<double> mean_, components_, variance_, singular_values_;
  std::vector<double> column_variance_;  // of the columns, of which the ratio's denominator is the sum
  double rows_ = 0;
};

/// Options of TruncatedSvd.
struct TruncatedSvdOptions {
  std::int64_t components = 2;
  Factorisation factorisation = Factorisation::randomised;  ///< or exact
  int power_iterations = 5;                                 ///< of `randomised`, as Pca's
  double tolerance = 0;                                     ///< of `randomised`, as Pca's, of the squares
  std::uint64_t seed = 0;                                   ///< of `randomised`
};

/// The greatest singular values and vectors of the rows as they are, not centred. Signs as those of Pca.
class TERN_API TruncatedSvd : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit TruncatedSvd(TruncatedSvdOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static TruncatedSvd load(const std::string& path);

  std::string_view type() const override { return "truncated_svd"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// Coordinates along the right singular vectors, [n, components], of the type of x.
  using Unsupervised::transform;
  /// Rows of such coordinates [n, components]: [n, d], f64. Throws StateError, ShapeError.
  Tensor inverse_transform(const data::Matrix& coordinates) const;

  const TruncatedSvdOptions& options() const { return options_; }
  const std::vector<double>& components() const { return components_; }            ///< [components, d]
  const std::vector<double>& singular_values() const { return singular_values_; }  ///< [components]

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  Tensor map(const data::Matrix& x) const override;
  std::int64_t outputs() const override { return options_.components; }

 private:
  TruncatedSvdOptions options_;
  std::vector<double> components_, singular_values_;
};

/// Options of Nmf.
struct NmfOptions {
  std::int64_t components = 2;
  double tolerance = 1e-4;   ///< stops when a pass changes less, of the first pass's change
  int max_iterations = 200;  ///< passes over the rows
};

/// Non-negative factors, x ≈ W H of least squared error (Lee & Seung 1999), by coordinate descent (Cichocki & Phan
/// 2009) from the singular vectors (NNDSVDa, Boutsidis & Gallopoulos 2008). Neither factor is scaled to a length. Takes
/// no weights.
class TERN_API Nmf : public Unsupervised {
 public:
  /// Throws ValueError for an option outside its values.
  explicit Nmf(NmfOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Nmf load(const std::string& path);

  std::string_view type() const override { return "nmf"; }
  std::unique_ptr<Unsupervised> clone() const override;

  /// The W of rows, [n, components], f64. Throws ValueError for a negative number too.
  using Unsupervised::transform;
  /// W H, [n, d], f64. Throws StateError, ShapeError.
  Tensor inverse_transform(const data::Matrix& w) const;

  const NmfOptions& options() const { return options_; }
  const std::vector<double>& components() const { return components_; }  ///< H [components, d]
  double reconstruction_error() const { return error_; }                 ///< |x - W H| of the rows of `fit`
  int iterations() const { return iterations_; }

 protected:
  void learn(const data::Matrix& x, std::span<const double> weights) override;
  bool takes_weights() const override { return false; }
  std::int64_t width() const override;
  void fields(internal::Fields& fields) override;
  void check() const override;
  Tensor map(const data::Matrix& x) const override;
  std::int64_t outputs() const override { return options_.components; }

 private:
  NmfOptions options_;
  std::vector<double> components_;
  double error_ = 0;
  int iterations_ = 0;
};

}  // namespace tern::models
