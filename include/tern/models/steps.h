#pragma once

#include "tern/base/export.h"
#include "tern/data/steps.h"
#include "tern/models/clusters.h"
#include "tern/models/decomposition.h"

/// Factorisations, clusters and mixtures as steps of a data::Pipeline. Each puts columns `TYPE_1`, `TYPE_2`, … of f64
/// in the place of the chosen numbers, of which none may be missing (DataError). Pipelines with them load after
/// `register_estimators()`.
namespace tern::models {

/// Coordinates along the principal components, `pca_1`, …
TERN_API data::StepPtr pca_step(data::Selector columns, const PcaOptions& options = {});
/// Coordinates along the singular vectors, `truncated_svd_1`, …
TERN_API data::StepPtr truncated_svd_step(data::Selector columns, const TruncatedSvdOptions& options = {});
/// Weights of the parts, `nmf_1`, …
TERN_API data::StepPtr nmf_step(data::Selector columns, const NmfOptions& options = {});
/// Distances to the centers, `k_means_1`, …
TERN_API data::StepPtr k_means_step(data::Selector columns, const KMeansOptions& options = {});
/// Probabilities of the components, `gaussian_mixture_1`, …
TERN_API data::StepPtr gaussian_mixture_step(data::Selector columns, const GaussianMixtureOptions& options = {});

namespace internal {
/// Makes the steps known to `data::load_step`; once.
void register_steps();
}  // namespace internal

}  // namespace tern::models
