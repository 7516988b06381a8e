#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What the command line says; see README.md for the meaning of each.
struct TrainOptions {
  std::vector<std::string> command;  // all of it, as it was called
  std::string data, target, positive, id;
  std::vector<std::string> drop, keep, types, missing;  // lists as they were given; split_list reads them
  std::string model = "mlp";
  std::string split = "random";
  std::string equal_rows = "together";
  std::string split_fractions = "0.70,0.15,0.15";
  std::string threshold = "f1";
  std::uint64_t seed = 7;
  int threads = 0;
  std::string device = "cpu";
  int max_epochs = 0;
  double max_time = 0;
  bool resume = false, drop_duplicates = false, balanced = false;
  std::string out = "churn.tern", report, write_splits;
  // Where training goes on from, the mlp's alone; gone once the bundle is written.
  std::string checkpoint() const { return out + ".checkpoint"; }
};

struct EvaluateOptions {
  std::string bundle, data, report;
  bool all = false;
  int threads = 0;
};

struct PredictOptions {
  std::string bundle, data, out;
  int threads = 0;
};

// Each runs one command and prints what it did; errors are exceptions.
void train(const TrainOptions& options);
void evaluate(const EvaluateOptions& options);
void predict(const PredictOptions& options);
