#include "cpu/decompositions.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "tern/base/error.h"

namespace tern::kernels {
namespace {

using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

using Column = Eigen::VectorXd;

// x = (T - shift)⁻¹ b for a tridiagonal T [n], by elimination with pivots of its rows; `tiny` stands for a pivot of 0.
void solve_shifted(const Column& diagonal, const Column& beside, double shift, double tiny, Column& b) {
  const Eigen::Index n = diagonal.size();
  Column pivot(n), next = Column::Zero(n), after = Column::Zero(n);  // of the upper triangle
  double at = diagonal[0] - shift, right = n > 1 ? beside[0] : 0;
  for (Eigen::Index i = 0; i < n; ++i) {
    if (i + 1 == n) {
      pivot[i] = at;
    } else {
      const double below = beside[i], below_at = diagonal[i + 1] - shift, below_right = i + 2 < n ? beside[i + 1] : 0;
      if (std::abs(at) >= std::abs(below)) {
        pivot[i] = at == 0 ? tiny : at;
        next[i] = right;
        const double factor = below / pivot[i];
        at = below_at - factor * right;
        right = below_right;
        b[i + 1] -= factor * b[i];
      } else {
        pivot[i] = below;
        next[i] = below_at;
        after[i] = below_right;
        const double factor = at / below;
        at = right - factor * below_at;
        right = -factor * below_right;
        std::swap(b[i], b[i + 1]);
        b[i + 1] -= factor * b[i];
      }
    }
  }
  for (Eigen::Index i = n; i-- > 0;) {
    if (i + 1 < n) b[i] -= next[i] * b[i + 1];
    if (i + 2 < n) b[i] -= after[i] * b[i + 2];
    b[i] /= std::abs(pivot[i]) < tiny ? tiny : pivot[i];
  }
}

// Eigenvectors of a tridiagonal matrix for some of its eigenvalues, in order, by inverse iteration; false where one is
// not to working precision.
bool inverse_iteration(const Column& diagonal, const Column& beside, const Column& values, Eigen::MatrixXd& vectors) {
  const Eigen::Index n = diagonal.size();
  const double scale = std::max(diagonal.cwiseAbs().maxCoeff(), beside.cwiseAbs().maxCoeff());
  const double tiny = 1e-16 * scale;
  if (!(scale > 0)) return false;
  std::uint64_t state = 1;
  for (Eigen::Index k = 0; k < values.size(); ++k) {
    Column x(n);
    for (double& element : x) {  // any direction that no eigenvector is at right angles to
      state = state * 6364136223846793005u + 1442695040888963407u;
      element = static_cast<double>(state >> 11) * 0x1p-53 - 0.5;
    }
    for (int turn = 0; turn < 4; ++turn) {
      x /= x.cwiseAbs().maxCoeff();
      solve_shifted(diagonal, beside, values[k], tiny, x);
      x /= x.cwiseAbs().maxCoeff();
      for (int again = 0; again < 2; ++again) {
        for (Eigen::Index j = 0; j < k; ++j) x -= vectors.col(j).dot(x) * vectors.col(j);
      }
      x.normalize();
    }
    Column left = diagonal.cwiseProduct(x) - values[k] * x;
    left.head(n - 1) += beside.cwiseProduct(x.tail(n - 1));
    left.tail(n - 1) += beside.cwiseProduct(x.head(n - 1));
    if (!(left.norm() < 1e-12 * scale)) return false;
    vectors.col(k) = x;
  }
  return true;
}

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

// A part of the eigenvectors is cheaper by inverse iteration: the rotations that give all of them are most of the work.
void greatest_eigen(const double* a, std::int64_t n, std::int64_t k, double* values, double* vectors) {
  if (n >= 64 && 4 * k <= n) {
    const Eigen::Tridiagonalization<Eigen::MatrixXd> reduced{Eigen::Map<const Rows>(a, n, n)};
    const Column diagonal = reduced.diagonal(), beside = reduced.subDiagonal();
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(diagonal, beside, Eigen::EigenvaluesOnly);
    Eigen::MatrixXd found(n, k);
    if (solver.info() == Eigen::Success) {
      const Column greatest = solver.eigenvalues().reverse().head(k);
      if (inverse_iteration(diagonal, beside, greatest, found)) {
        Eigen::Map<Column>(values, k) = greatest;
        Eigen::Map<Rows>(vectors, k, n) = (reduced.matrixQ() * found).transpose();
        return;
      }
    }
  }
  std::vector<double> all(static_cast<std::size_t>(n)), every(static_cast<std::size_t>(n * n));
  symmetric_eigen(a, n, all.data(), every.data());
  for (std::int64_t i = 0; i < k; ++i) {
    values[i] = all[static_cast<std::size_t>(n - 1 - i)];
    std::copy_n(every.data() + (n - 1 - i) * n, n, vectors + i * n);
  }
}

}  // namespace tern::kernels
