#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bundle/archive.h"
#include "tern/bundle/bundle.h"
#include "tern/data/estimator.h"

namespace tern {

/// Everything that a bundle holds, as it is used. `provenance` has its schema, profile and time of making filled in.
struct Bundle::State {
  std::unique_ptr<nn::Module> model{};           // in evaluation; never written to
  DType dtype = f32;                             // of its parameters
  std::unique_ptr<data::Estimator> estimator{};  // of the two one
  data::Pipeline pipeline{};
  train::Task task{};
  train::Baselines baselines{};
  Provenance provenance{};
  std::vector<LedgerEntry> ledger{};
  std::string validation{}, test{}, training{}, environment{};

  /// From the entries of a file or folder. Throws FormatError.
  static std::shared_ptr<State> read(internal::Entries entries, const LoadOptions& options);
  /// Of a new bundle: all beside the model.
  void fill(const data::Pipeline& steps, const train::Fitted& fitted, Provenance given);
  /// All entries in the order of the file, the manifest first.
  std::vector<internal::ArchiveEntry> entries() const;
  /// Checks what cannot work later: task, pipeline, baselines and schema against each other, and a row of zeros through
  /// a module, a table of no rows through an estimator. Throws ShapeError, StateError, ValueError.
  void check();
  void check_module();
  void check_estimator() const;
  /// Predictions for features [rows, width] of a module, in blocks of rows on all threads.
  std::vector<double> predict(const Tensor& x) const;
  /// The same for raw rows, of either.
  std::vector<double> predict_raw(const data::Table& rows) const;
  /// As Pipeline::unseen, with what the estimator does not know.
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& rows) const;
  /// Predictions::warnings of these rows: columns of ten values or more of which the model knows none, unless that may
  /// well be by chance: training had so many rows of rare levels.
  std::vector<std::string> all_unknown(const data::Table& rows) const;
};

namespace internal {
/// How many times the ledger says that the test rows have been opened.
std::int64_t times_opened(const std::vector<LedgerEntry>& ledger);
}  // namespace internal

}  // namespace tern
