// churn: from a raw table with a two-valued target to a model that can be judged, saved, loaded and trusted.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "options.h"
#include "tern/base/error.h"

int main(int argc, char** argv) {
  CLI::App app{"Trains, evaluates and applies a model of a two-valued target."};
  app.require_subcommand(1);

  TrainOptions to_train;
  CLI::App* train_command = app.add_subcommand("train", "raw table -> trained bundle");
  train_command->add_option("--data", to_train.data, "CSV file, .gz read as it is")->required();
  train_command->add_option("--target", to_train.target, "column to predict")->required();
  train_command->add_option("--positive", to_train.positive, "positive class (0/1, no/yes, false/true need none)");
  train_command->add_option("--id", to_train.id, "column that names a row; never a feature");
  train_command->add_option("--drop", to_train.drop, "columns to leave out")->delimiter(',');
  train_command->add_option("--keep", to_train.keep, "columns to use although they look like free text or ids")
      ->delimiter(',');
  train_command
      ->add_option("--types", to_train.types, "col=type: f64 i64 boolean string categorical timestamp date:dmy …")
      ->delimiter(',');
  train_command->add_option("--model", to_train.model, "mlp or logistic")
      ->check(CLI::IsMember({"mlp", "logistic"}))
      ->capture_default_str();
  train_command->add_option("--split", to_train.split, "random, time:COLUMN or group:COLUMN")->capture_default_str();
  train_command->add_option("--split-fractions", to_train.split_fractions, "train,validation,test")
      ->capture_default_str();
  train_command->add_option("--threshold", to_train.threshold, "f1, a number, recall>=R or cost:FN,FP")
      ->capture_default_str();
  train_command->add_option("--seed", to_train.seed, "of the split, the weights and the order")->capture_default_str();
  train_command->add_option("--threads", to_train.threads, "0: TERN_NUM_THREADS or all")->capture_default_str();
  train_command->add_option("--max-epochs", to_train.max_epochs, "0: by the number of rows")
      ->check(CLI::NonNegativeNumber);
  train_command->add_option("--max-time", to_train.max_time, "seconds of training; 0: no limit")
      ->check(CLI::NonNegativeNumber);
  train_command->add_flag("--resume", to_train.resume, "go on where a killed run of the same command stopped");
  train_command->add_flag("--drop-duplicates", to_train.drop_duplicates, "drop equal rows also without an id");
  train_command->add_flag("--balanced", to_train.balanced, "weigh the classes equally in the loss");
  train_command->add_option("--out", to_train.out, "bundle to write")->capture_default_str();
  train_command->add_option("--report", to_train.report, "JSON report to write");
  train_command->add_option("--write-splits", to_train.write_splits, "CSV of row,split to write");
  train_command->callback([&] { train(to_train); });

  EvaluateOptions to_evaluate;
  CLI::App* evaluate_command = app.add_subcommand("evaluate", "score the bundle's own test rows, or labelled rows");
  evaluate_command->add_option("--bundle", to_evaluate.bundle)->required();
  evaluate_command->add_option("--data", to_evaluate.data, "the file that trained it, or with --all any labelled file")
      ->required();
  evaluate_command->add_flag("--all", to_evaluate.all, "every labelled row of the file");
  evaluate_command->add_option("--report", to_evaluate.report, "JSON report to write");
  evaluate_command->add_option("--threads", to_evaluate.threads);
  evaluate_command->callback([&] { evaluate(to_evaluate); });

  PredictOptions to_predict;
  CLI::App* predict_command = app.add_subcommand("predict", "probability and decision for every row");
  predict_command->add_option("--bundle", to_predict.bundle)->required();
  predict_command->add_option("--data", to_predict.data)->required();
  predict_command->add_option("--out", to_predict.out, "CSV to write")->required();
  predict_command->add_option("--threads", to_predict.threads);
  predict_command->callback([&] { predict(to_predict); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const tern::Error& error) {
    std::fprintf(stderr, "churn: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "churn: unexpected: %s\n", error.what());
    return 1;
  }
  return 0;
}
