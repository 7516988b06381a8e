#pragma once

#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "bundle/archive.h"
#include "bundle/manifest.h"
#include "tern/autograd/autograd.h"
#include "tern/base/file.h"
#include "tern/base/random.h"
#include "tern/bundle/bundle.h"
#include "tern/bundle/profile.h"
#include "tern/data/csv.h"
#include "tern/nn/activations.h"
#include "tern/nn/linear.h"
#include "tern/nn/sequential.h"
#include "tern/train/baselines.h"

// A small bundle whose model was never trained, and the rows it comes from.
namespace tern::test {

/// Rows of raw text as a file has them: age (with missing ones), plan, active, spend ("$1,234.50"), id, churn.
inline std::string small_csv(std::int64_t rows, std::uint64_t seed = 3) {
  const Philox random(seed);
  static const char* const plans[] = {"basic", "plus", "premium"};
  std::string text = "id,age,plan,active,spend,churn\n";
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto at = static_cast<std::uint64_t>(i) * 8;
    const auto age = 18 + random.below(at, 60);
    const auto plan = random.below(at + 1, 3);
    const bool active = random.below(at + 2, 2) == 1;
    const auto spend = 1000 + random.below(at + 3, 9000);
    const bool churn = random.uniform(at + 4) < (active ? 0.2 : 0.6);
    text += "00" + std::to_string(i) + "," + (random.below(at + 5, 10) == 0 ? std::string() : std::to_string(age)) +
            "," + plans[plan] + "," + (active ? "true" : "false") + ",\"$" + std::to_string(spend / 1000) + "," +
            std::to_string(1000 + spend % 1000).substr(1) + ".50\"," + (churn ? "Yes" : "No") + "\n";
  }
  return text;
}

struct Small {
  data::Table table{};
  data::Schema schema{};
  data::Table training{}, validation{}, test{};
  data::Pipeline pipeline{};
  train::Fitted fitted{};
};

/// Everything but the model; `text` has the columns of small_csv.
inline Small small_parts(train::Task task = train::binary({.target = "churn", .positive = "Yes"}),
                         std::int64_t rows = 240, const std::string& text = {}) {
  Small small;
  data::CsvReport report;
  small.table = data::read_csv_text(text.empty() ? small_csv(rows) : text, {}, &report);
  small.schema = report.schema;
  const std::string target = task.target();
  const data::Column& labels = small.table.column(target);
  const data::Table labelled = small.table.filter([&](std::int64_t i) { return !labels.is_null(i); });
  rows = labelled.rows();
  small.training = labelled.slice(0, rows / 2);
  small.validation = labelled.slice(rows / 2, rows / 4);
  small.test = labelled.slice(rows / 2 + rows / 4, rows - rows / 2 - rows / 4);
  small.pipeline = data::Pipeline({data::drop(data::columns({"id"})), data::normalize_formats(),
                                   data::impute(data::numeric(), data::Fill::median),
                                   data::standardize(data::numeric()), data::one_hot(data::categorical())});
  const data::Dataset training = small.pipeline.fit_transform(small.training, target);
  const data::Dataset validation = small.pipeline.transform(small.validation);
  task.fit(training.target());
  small.fitted.task = task;
  small.fitted.baselines = train::fit_baselines(task, training);
  small.fitted.train_rows = training.row_ids();
  small.fitted.validation_rows = validation.row_ids();
  const std::size_t width = task.kind() == train::TaskKind::multiclass ? task.classes().size() : 1;
  const std::vector<double> guess(static_cast<std::size_t>(validation.rows()) * width,
                                  width == 1 ? 0.5 : 1.0 / static_cast<double>(width));
  small.fitted.report =
      train::judge(task, guess, validation, small.fitted.baselines, {.note = "used for selection", .resamples = 20});
  return small;
}

inline nn::Sequential small_model(std::int64_t width, std::int64_t hidden = 8, std::int64_t outputs = 1) {
  manual_seed(11);
  return nn::Sequential{nn::Linear(width, hidden), nn::Relu(), nn::Linear(hidden, outputs)};
}

inline Provenance small_provenance(const Small& small) {
  return {.input_file = "small.csv",
          .input_sha256 = sha256(small_csv(small.table.rows())),
          .settings = R"({"model": "mlp", "seed": 7})",
          .seed = 7,
          .train_rows = small.training.row_ids(),
          .validation_rows = small.validation.row_ids(),
          .test_rows = small.test.row_ids(),
          .id = "id",
          .schema = small.schema,
          .profile = profile_of(small.training.drop({"id"})),
          .created = "2025-01-31T12:00:00Z"};
}

inline Bundle small_bundle(std::int64_t hidden = 8, std::int64_t rows = 240) {
  const Small small = small_parts(train::binary({.target = "churn", .positive = "Yes"}), rows);
  const nn::Sequential model = small_model(small.pipeline.width(), hidden);
  return Bundle(model, small.pipeline, small.fitted, small_provenance(small));
}

/// The raw values of a row of small_csv as a program would have them.
inline Row row_of(const data::Table& table, std::int64_t i) {
  Row row;
  for (const char* name : {"spend", "plan", "active", "age"}) {
    const data::Column& column = table.column(name);
    if (column.is_null(i)) {
      row.emplace_back(name, std::monostate{});
    } else if (column.type() == data::ColumnType::boolean) {
      row.emplace_back(name, column.boolean(i));
    } else if (column.type() == data::ColumnType::i64) {
      row.emplace_back(name, column.i64(i));
    } else {
      row.emplace_back(name, std::string(column.string(i)));
    }
  }
  return row;
}

/// A folder of its own, removed with all in it.
class Folder {
 public:
  explicit Folder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() / ("tern-" + name + "-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The bytes of a bundle made of these entries, with a manifest that fits them.
inline std::string repacked(const internal::Entries& entries) {
  std::vector<internal::ArchiveEntry> list;
  for (const auto& [name, bytes] : entries) {
    if (name != "bundle.json") list.push_back({name, bytes});
  }
  list.insert(list.begin(), {"bundle.json", internal::manifest_of(list, "2025-01-31T12:00:00Z")});
  std::string packed;
  internal::write_archive(list, [&](const char* data, std::size_t size) { packed.append(data, size); });
  return packed;
}

}  // namespace tern::test
