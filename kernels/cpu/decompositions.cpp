#include "cpu/decompositions.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include "tern/base/error.h"

namespace tern::kernels {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

bool cholesky_solve(const double* a, std::int64_t n, double* b, std::int64_t m) {
  const Eigen::LLT<Rows, Eigen::Lower> factors{Eigen::Map<const Rows>(a, n, n)};
  if (factors.info() != Eigen::Success || !(factors.rcond() > 1e-14)) return false;
  Eigen::Map<Rows> right(b, n, m);
  factors.solveInPlace(right);
  return true;
}

void symmetric_eigen(const double* a, std::int64_t n, double* values, double* vectors) {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver{Eigen::Map<const Rows>(a, n, n)};
  if (solver.info() != Eigen::Success) throw StateError("[symmetric_eigen] expected convergence, got none");
  Eigen::Map<Eigen::VectorXd>(values, n) = solver.eigenvalues();
  Eigen::Map<Rows>(vectors, n, n) = solver.eigenvectors().transpose();
}

}  // namespace tern::kernels
