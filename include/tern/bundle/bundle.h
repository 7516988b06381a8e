#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tern/base/export.h"
#include "tern/bundle/profile.h"
#include "tern/data/csv.h"
#include "tern/data/pipeline.h"
#include "tern/data/schema.h"
#include "tern/data/table.h"
#include "tern/nn/architecture.h"
#include "tern/nn/module.h"
#include "tern/train/report.h"
#include "tern/train/task.h"
#include "tern/train/trainer.h"

namespace tern::data {
class Estimator;
}

namespace tern {

/// A raw value. `std::monostate` is a missing one. Text is read as a field of a file, in quotes, would be: the schema's
/// words and blanks are missing, and it stands for a number, boolean or time where one is expected.
using Value = std::variant<std::monostate, double, std::int64_t, bool, std::string>;
/// One row by column name, for prediction without any file.
using Row = std::vector<std::pair<std::string, Value>>;

/// Predictions for the rows of a table, in their order.
struct Predictions {
  std::vector<double> values;          ///< binary: probability of the positive class [n]; regression: value [n];
                                       ///< multiclass: [n * classes], row by row
  std::vector<std::string> decisions;  ///< class by the threshold or the largest probability; empty for regression
  std::int64_t rows = 0;
  /// Of a Row alone: columns whose value the model does not know, a new level or a word beside yes and no.
  std::vector<std::string> unknown{};
  /// Of several rows: columns of ten values or more of which the model knows none, with their words, where the profile,
  /// if there is one, makes that no matter of chance. Also logged.
  std::vector<std::string> warnings{};
};

/// One opening of labelled rows, as the ledger keeps it.
struct LedgerEntry {
  std::string time{};        ///< UTC, ISO 8601
  std::string data_hash{};   ///< SHA-256 of the file or of the table's content
  std::string split_hash{};  ///< SHA-256 over the ids of the rows that were scored, in order, a line each
  std::int64_t rows = 0;
  bool test_rows = true;  ///< whether the bundle's own test rows were among them
};

/// Facts about the run that a bundle keeps beside the model. All may stay empty.
struct Provenance {
  std::string input_file{};  ///< name without folder
  std::string input_sha256{};
  std::string settings{};  ///< JSON object of the program's own settings; a list of texts, "warnings", stands in the
                           ///< model card as well
  std::uint64_t seed = 0;
  std::vector<std::int64_t> train_rows{}, validation_rows{}, test_rows{};  ///< row ids of the splits; the first two are
                                                                           ///< the trainer's when they are empty
  std::string id{};       ///< column that names a row: `read` takes it along as text where a file has it, and nothing
                          ///< but a blank is missing there
  std::string group{};    ///< column of the groups: where rows have it, `evaluate` resamples whole groups
  data::Schema schema{};  ///< how the raw file was read (CsvReport::schema), of which levels are not kept; without
                          ///< columns: the plain form of the pipeline's inputs
  std::string profile{};  ///< profile_of the training rows
  std::string created{};  ///< UTC, as 2025-01-31T12:00:00Z; empty: now
};

/// Options of Bundle::load.
struct LoadOptions {
  nn::ModuleRegistry modules{};  ///< how to make modules that are not Tern's own
};

/// A trained model with all that is needed to use, judge and refit it, in one file: a zip of stored entries (the same
/// entries in a folder load too). docs/bundle.md describes every entry. Loading checks sizes before allocating and the
/// SHA-256 of every entry. Prediction is const and safe from many threads at once; the same rows give the same bits one
/// at a time or together.
class TERN_API Bundle {
 public:
  /// Takes copies of the model and of the pipeline. Throws ShapeError when model, task and pipeline do not fit
  /// together, ValueError when the schema lacks an input or has it with another type, or a row of the file stands in
  /// two splits, StateError before they are fitted, and FormatError for a module that is not Tern's own (the next one
  /// takes those).
  Bundle(const nn::Module& model, const data::Pipeline& pipeline, const train::Fitted& fitted,
         Provenance provenance = {});
  /// The same with the model handed over, which may be of any type.
  Bundle(std::unique_ptr<nn::Module> model, const data::Pipeline& pipeline, const train::Fitted& fitted,
         Provenance provenance = {});
  /// The same of an estimator (boosted trees, a classic model), fitted on a table of the pipeline's features: a
  /// `Fitted` of `train::fit_estimator`. Throws as the first, and ValueError for one of classes without probabilities,
  /// which models::Calibrated gives.
  Bundle(const data::Estimator& estimator, const data::Pipeline& pipeline, const train::Fitted& fitted,
         Provenance provenance = {});
  /// An estimator that was fitted on a table of raw rows, as it is: its features are what is read, its target is the
  /// task, decided by the likeliest class, and there are no figures and no baselines. Throws as the one before, and
  /// StateError for one that was fitted on a matrix.
  explicit Bundle(const data::Estimator& estimator, Provenance provenance = {});
  Bundle(Bundle&&) noexcept;
  Bundle& operator=(Bundle&&) noexcept;
  ~Bundle();

  /// Loads a file, or the folder with its entries. Throws FileError, and FormatError naming the entry when the file is
  /// damaged, of an unknown version, names a module that neither Tern nor the options can make, or holds sizes, hashes
  /// or entry names that do not fit.
  static Bundle load(const std::string& path, const LoadOptions& options = {});
  /// The same from the file's bytes; `name` stands in messages.
  static Bundle from_bytes(std::string_view bytes, const LoadOptions& options = {}, const std::string& name = "memory");
  /// Writes the file atomically. Throws FileError, and then a file that was there is untouched (or, when only the
  /// folder could not be flushed, wholly replaced); ValueError when it would be of 4 GiB or more.
  void save(const std::string& path) const;
  /// The file's bytes: the same for the same bundle.
  std::string to_bytes() const;

  /// Reads a file by the stored schema, then predicts every row. Throws FileError, DataError for a column that is
  /// missing or of another type.
  Predictions predict(const std::string& csv_path) const;
  /// Predicts every row of a raw table, those that trained the model too. Columns that the model does not use, the
  /// target too, may be there or not.
  Predictions predict(const data::Table& table) const;
  /// One row. A column that the row does not name, or names twice, or a value of another type is a DataError, as is a
  /// number for a column that files have in percent; an unknown level is not.
  Predictions predict(const Row& row) const;

  /// Of each input that has any, how many of its values in these rows neither a step nor an estimator knows: levels
  /// that are rare or new, words beside yes and no. Throws as `predict`.
  std::vector<std::pair<std::string, std::int64_t>> unseen(const data::Table& table) const;

  /// Scores labelled rows beside the stored baselines and adds a line to the ledger. `test_rows` says that they are the
  /// bundle's own test rows, and the report on them is kept; ValueError when the bundle knows its test rows, or its
  /// file, and these are others. The report's note says what rows they were, and how many of them trained the model or
  /// selected it, as far as the bundle can know that. `data_hash` is the SHA-256 of the file they come from (empty: of
  /// the table's content). Throws DataError when a target is missing.
  train::Report evaluate(const data::Table& labelled, bool test_rows = true, const std::string& data_hash = {});

  /// Reads a file of raw rows as training read it; `with_target` demands the target column and takes it along,
  /// and the group's where there is one, and rows; without it a header alone gives a table of none. `report` says what
  /// the reader noticed, with the SHA-256 of the bytes that it read. Throws FileError, DataError.
  data::Table read(const std::string& csv_path, bool with_target, data::CsvReport* report = nullptr) const;

  const train::Task& task() const;
  const data::Pipeline& pipeline() const;
  /// Throws StateError where the model is an estimator.
  const nn::Module& model() const;
  bool has_estimator() const;
  /// Throws StateError where the model is a module.
  const data::Estimator& estimator() const;
  const Provenance& provenance() const;
  const std::vector<LedgerEntry>& ledger() const;
  /// Takes over the lines of a bundle that this one replaces, where both know their file by the same SHA-256 and have a
  /// test row in common: rows that have been looked at stay so, whatever is trained anew. Returns the times that test
  /// rows were opened there; 0 where nothing is taken over.
  std::int64_t continue_ledger(const Bundle& replaced);
  /// The report on the validation rows, as training wrote it (JSON); {} where there was none.
  const std::string& validation_report() const;
  /// The report on the test rows when they were last opened (JSON), empty before.
  const std::string& test_report() const;
  /// Statistics of the training rows (JSON, as profile_of gives), empty when none were handed over.
  const std::string& profile() const;
  /// The trainer's settings, epochs, best epoch, seconds and why it ended (JSON).
  const std::string& training() const;
  /// Versions, compiler, instruction set and threads of the run (JSON).
  const std::string& environment() const;

 private:
  struct State;
  explicit Bundle(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  // its own
};

/// Versions, compiler, instruction set, processor and threads of this process, in the form of Bundle::environment.
TERN_API std::string environment();

}  // namespace tern
