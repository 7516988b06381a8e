#pragma once

#include <cstdint>
#include <string>

#include "bundle/small.h"
#include "tern/trees/trees.h"

// A small bundle of boosted trees, of the rows of small_csv.
namespace tern::test {

struct Parts {
  data::Table table{};
  data::Schema schema{};
  data::Table training{}, validation{}, test{};  // raw
  data::Pipeline pipeline{};
  data::Table train_features{}, validation_features{};
};

inline Parts parts(const data::Pipeline& steps, const std::string& target = "churn", std::int64_t rows = 240) {
  Parts out;
  data::CsvReport report;
  out.table = data::read_csv_text(test::small_csv(rows), {}, &report);
  out.schema = report.schema;
  out.training = out.table.slice(0, rows / 2);
  out.validation = out.table.slice(rows / 2, rows / 4);
  out.test = out.table.slice(rows / 2 + rows / 4, rows - rows / 2 - rows / 4);
  out.pipeline = steps;
  out.train_features = out.pipeline.fit_transform_table(out.training, target);
  out.validation_features = out.pipeline.transform_table(out.validation);
  return out;
}

inline data::Pipeline cleaning() {
  return data::Pipeline({data::drop(data::columns({"id"})), data::normalize_formats()});
}

inline trees::GradientBoosting small_trees() {
  return trees::GradientBoosting({.objective = trees::Objective::binary,
                                  .rounds = 8,
                                  .max_leaves = 4,
                                  .min_child_rows = 5,
                                  .early_stopping_rounds = 5});
}

inline Provenance facts_of(const Parts& small) {
  return {.input_file = "small.csv",
          .input_sha256 = sha256(test::small_csv(small.table.rows())),
          .settings = R"({"model": "gbdt"})",
          .seed = 7,
          .test_rows = small.test.row_ids(),
          .id = "id",
          .schema = small.schema,
          .profile = profile_of(small.training.drop({"id"})),
          .created = "2025-01-31T12:00:00Z"};
}

inline train::Task churn_task() { return train::binary({.target = "churn", .positive = "Yes"}); }

inline Bundle trees_bundle(const Parts& small) {
  trees::GradientBoosting model = small_trees();
  const train::Fitted fitted =
      train::fit_estimator(model, churn_task(), small.train_features, small.validation_features, {.bootstrap = 20});
  return Bundle(model, small.pipeline, fitted, facts_of(small));
}

}  // namespace tern::test
