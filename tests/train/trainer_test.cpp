#include "tern/train/trainer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <filesystem>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

#include "base/json.h"
#include "fixtures.h"
#include "resealed.h"
#include "sanitized.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/nn/activations.h"
#include "tern/nn/norm.h"
#include "tern/nn/safetensors.h"
#include "tern/nn/sequential.h"
#include "tern/ops/unary.h"
#include "train/checkpoint.h"

namespace tern::train {
namespace {

nn::Sequential network(std::uint64_t seed = 1, std::int64_t width = 5) {
  manual_seed(seed);
  return nn::Sequential(nn::Linear(width, 32), nn::Relu(), nn::Dropout(0.1), nn::Linear(32, 16), nn::Relu(),
                        nn::Linear(16, 1));
}

TrainerOptions options() {
  return {.task = binary({.target = "y", .threshold = metrics::parse_threshold_rule("f1")}),
          .optimizer = optim::AdamWOptions{.lr = 5e-3, .weight_decay = 0.01},
          .schedule = optim::ScheduleOptions{.kind = optim::Schedule::cosine, .warmup_fraction = 0.1},
          .batch_size = 32,
          .max_epochs = 12,
          .clip_norm = 5,
          .early_stopping = EarlyStopping{.patience = 4},
          .seed = 3,
          .bootstrap = 50};
}

std::vector<float> values_of(const nn::Module& model) {
  std::vector<float> all;
  for (const Tensor& p : model.parameters()) {
    const auto values = p.to_vector<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

class Checkpoints : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("tern-train-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "run.checkpoint").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
  std::string path_;
};

TEST(Trainer, BeatsItsBaselinesWhereTheyCannotSee) {
  nn::Sequential model = network();
  TrainerOptions o = options();
  o.max_epochs = 40;
  o.early_stopping->patience = 10;
  const Fitted fitted = Trainer(o).fit(model, two_classes(3000, 1), two_classes(800, 2));
  ASSERT_EQ(fitted.report.baselines.size(), 2u);
  const double ours = fitted.report.model.binary.auroc.value;
  EXPECT_GT(ours, 0.75);
  EXPECT_GT(ours, fitted.report.baselines[1].binary.auroc.value + 0.05);
  EXPECT_NEAR(fitted.report.baselines[0].binary.auroc.value, 0.5, 1e-12);
  EXPECT_EQ(fitted.report.note, "used for selection");
  EXPECT_EQ(fitted.report.model.binary.at_threshold.threshold, fitted.task.threshold());
  EXPECT_GT(fitted.best_epoch, 0);
}

TEST(Trainer, PutsTheBestWeightsBack) {
  nn::Sequential model = network();
  const data::Dataset validation = two_classes(300, 2);
  const Fitted fitted = Trainer(options()).fit(model, two_classes(300, 1), validation);
  double best = std::numeric_limits<double>::infinity();
  for (const Epoch& epoch : fitted.history) best = std::min(best, epoch.figures.at(0).second);
  EXPECT_EQ(fitted.history.at(static_cast<std::size_t>(fitted.best_epoch) - 1).figures.at(0).second, best);
  EXPECT_NEAR(fitted.report.model.binary.log_loss.value, best, 1e-14);  // the report sums in another order
}

TEST(Trainer, SameBitsAtOneTwoAndFiveThreads) {
  std::vector<std::vector<float>> results;
  for (int threads : {1, 2, 5}) {
    set_num_threads(threads);
    nn::Sequential model = network();
    TrainerOptions o = options();
    o.max_epochs = 3;
    Trainer(o).fit(model, two_classes(700, 1), two_classes(200, 2));
    results.push_back(values_of(model));
  }
  set_num_threads(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

// Products, activations, sums and the optimizer's step each split here, and a callback sees that all threads are at
// work.
TEST(Trainer, SameBitsOfANetworkWhoseLoopsAreSplit) {
  std::vector<std::vector<float>> results;
  const data::Dataset training = two_classes(2048, 1), validation = two_classes(200, 2);
  for (const int threads : {1, 2, 5}) {
    set_num_threads(threads);
    manual_seed(1);
    nn::Sequential model(nn::Linear(5, 256), nn::Relu(), nn::LayerNorm(256), nn::Dropout(0.2), nn::Linear(256, 256),
                         nn::Tanh(), nn::Linear(256, 1));
    TrainerOptions o = options();
    o.batch_size = 1024;
    o.max_epochs = repeats(3, 1);
    std::set<std::thread::id> ran;
    o.callbacks = {[&](const Epoch&) {
      std::mutex mutex;
      std::condition_variable all_there;
      parallel_for(threads, 1, [&](std::int64_t begin, std::int64_t end) {
        std::unique_lock lock(mutex);
        if (end - begin == threads && threads > 1) return;  // one block: not split
        ran.insert(std::this_thread::get_id());
        all_there.notify_all();
        all_there.wait_for(lock, std::chrono::seconds(20), [&] { return std::ssize(ran) >= threads; });
      });
      return true;
    }};
    Trainer(o).fit(model, training, validation);
    EXPECT_EQ(std::ssize(ran), threads);
    results.push_back(values_of(model));
  }
  set_num_threads(0);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(Trainer, AccumulatesWhatALargerBatchWouldGive) {
  const auto run = [](std::int64_t batch_size, std::int64_t accumulate) {
    manual_seed(1);
    nn::Sequential model(nn::Linear(5, 16), nn::Tanh(), nn::Linear(16, 1));
    TrainerOptions o = options();
    o.optimizer = optim::SgdOptions{.lr = 0.1, .momentum = 0.9};
    o.batch_size = batch_size;
    o.accumulate = accumulate;
    o.max_epochs = 3;
    o.early_stopping.reset();
    const Fitted fitted = Trainer(o).fit(model, two_classes(310, 1), two_classes(100, 2));  // the last is smaller
    EXPECT_EQ(fitted.history.back().steps, 3 * 5);
    return std::make_pair(values_of(model), fitted.history.back().train_loss);
  };
  const auto [whole, whole_loss] = run(64, 1);
  const auto [parts, parts_loss] = run(16, 4);
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 2e-5) << i;
  EXPECT_NEAR(parts_loss, whole_loss, 1e-5);
  nn::Sequential model = network();
  TrainerOptions o = options();
  o.accumulate = 0;
  EXPECT_THROW(Trainer(o).fit(model, two_classes(100, 1), two_classes(100, 2)), ValueError);
}

TEST(Trainer, TakesEveryOptimizerAndScheduleAndResumesBitForBit) {
  const auto folder = std::filesystem::temp_directory_path() / ("tern-every-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::vector<std::pair<optim::OptimizerOptions, optim::ScheduleOptions>> cases{
      {optim::AdamOptions{.lr = 1e-3, .amsgrad = true}, {.kind = optim::Schedule::step, .gamma = 0.5, .period = 9}},
      {optim::NAdamOptions{}, {.kind = optim::Schedule::multi_step, .milestones = {5, 20}}},
      {optim::RAdamOptions{}, {.kind = optim::Schedule::exponential, .gamma = 0.99}},
      {optim::RmspropOptions{.lr = 1e-3, .momentum = 0.5, .centered = true},
       {.kind = optim::Schedule::cosine_restarts, .period = 7}},
      {optim::AdagradOptions{}, {.kind = optim::Schedule::polynomial, .power = 2}},
      {optim::AdadeltaOptions{}, {.kind = optim::Schedule::one_cycle}},
      {optim::LionOptions{}, {.kind = optim::Schedule::linear, .warmup_steps = 4}},
  };
  for (const auto& [optimizer, schedule] : cases) {
    TrainerOptions o = options();
    o.optimizer = optimizer;
    o.schedule = schedule;
    o.accumulate = 2;
    o.decay_biases = false;
    o.max_epochs = 4;
    nn::Sequential whole = network();
    Trainer(o).fit(whole, two_classes(300, 1), two_classes(100, 2));
    o.checkpoint = (folder / "run").string();
    o.resume = true;
    o.callbacks = {[](const Epoch& epoch) { return epoch.epoch != 2; }};
    nn::Sequential first = network();
    Trainer(o).fit(first, two_classes(300, 1), two_classes(100, 2));
    nn::Sequential second = network(9);
    Trainer(o).fit(second, two_classes(300, 1), two_classes(100, 2));
    EXPECT_EQ(values_of(second), values_of(whole)) << static_cast<int>(optimizer.kind);
    std::filesystem::remove(o.checkpoint);
  }
  std::filesystem::remove_all(folder);
}

TEST(Trainer, TheSeedDecides) {
  const auto run = [](std::uint64_t seed) {
    nn::Sequential model = network();
    TrainerOptions o = options();
    o.max_epochs = 2;
    o.seed = seed;
    Trainer(o).fit(model, two_classes(300, 1), two_classes(100, 2));
    return values_of(model);
  };
  EXPECT_EQ(run(5), run(5));
  EXPECT_NE(run(5), run(6));
}

TEST_F(Checkpoints, AStoppedRunEndsInTheSameWeights) {
  const data::Dataset training = two_classes(400, 1), validation = two_classes(200, 2);
  nn::Sequential whole = network();
  Fitted uninterrupted = Trainer(options()).fit(whole, training, validation);
  for (int stop_at : {1, 17, 40, 77}) {  // optimizer steps: inside the first and later epochs
    std::filesystem::remove(path_);
    TrainerOptions o = options();
    o.checkpoint = path_;
    int steps = 0;
    o.stop_requested = [&] { return ++steps > stop_at; };
    nn::Sequential first = network();
    const Fitted stopped = Trainer(o).fit(first, training, validation);
    EXPECT_EQ(stopped.stopped, StopReason::requested);
    o.stop_requested = {};
    o.resume = true;
    nn::Sequential second = network();
    const Fitted resumed = Trainer(o).fit(second, training, validation);
    EXPECT_EQ(values_of(second), values_of(whole)) << "stopped at step " << stop_at;
    EXPECT_EQ(resumed.history.size(), uninterrupted.history.size());
    EXPECT_EQ(resumed.best_epoch, uninterrupted.best_epoch);
    EXPECT_EQ(resumed.stopped, uninterrupted.stopped);
    EXPECT_EQ(resumed.task.threshold(), uninterrupted.task.threshold());
    nn::Sequential third = network();  // a finished run, resumed once more
    Trainer(o).fit(third, training, validation);
    EXPECT_EQ(values_of(third), values_of(whole));
  }
}

// By the rule alone, from the figures of the history; a resumed run goes on where the first stood.
TEST_F(Checkpoints, APlateauReducesTheScheduledRate) {
  const data::Dataset training = two_classes(200, 1), validation = two_classes(80, 2);
  for (const std::string monitor : {"validation/log_loss", "validation/auroc"}) {
    TrainerOptions o = options();
    o.early_stopping.reset();
    o.plateau = Plateau{.monitor = monitor, .rule = {.factor = 0.5, .patience = 1, .threshold = 0.02}};
    nn::Sequential first = network();
    const Fitted whole = Trainer(o).fit(first, training, validation);
    optim::ReduceOnPlateau rule(
        {.factor = 0.5, .patience = 1, .threshold = 0.02, .maximize = monitor.ends_with("auroc")});
    for (const Epoch& epoch : whole.history) {
      const double scheduled = optim::learning_rate(o.schedule, 5e-3, epoch.steps - 1, whole.history.back().steps);
      EXPECT_EQ(epoch.learning_rate, scheduled * rule.ratio()) << monitor << ", epoch " << epoch.epoch;
      for (const auto& [name, value] : epoch.figures) {
        if (name == monitor) rule.step(value);
      }
    }
    EXPECT_LT(rule.ratio(), 0.3) << "the figures of this test never stand still";

    o.checkpoint = path_;
    o.callbacks = {[](const Epoch& epoch) { return epoch.epoch < 6; }};
    nn::Sequential second = network();
    Trainer(o).fit(second, training, validation);
    o.callbacks.clear();
    o.resume = true;
    nn::Sequential third = network();
    const Fitted resumed = Trainer(o).fit(third, training, validation);
    EXPECT_EQ(values_of(third), values_of(first));
    EXPECT_EQ(resumed.history.back().learning_rate, whole.history.back().learning_rate);
    o.plateau->rule.factor = 0.25;
    EXPECT_THROW(Trainer(o).fit(third, training, validation), StateError);
    std::filesystem::remove(path_);
  }
}

TEST_F(Checkpoints, OfAnotherRunAreRefused) {
  TrainerOptions o = options();
  o.checkpoint = path_;
  o.max_epochs = 1;
  nn::Sequential model = network();
  Trainer(o).fit(model, two_classes(200, 1), two_classes(100, 2));
  o.resume = true;
  EXPECT_THROW(Trainer(o).fit(model, two_classes(200, 9), two_classes(100, 2)), StateError);
  TrainerOptions other = o;
  other.batch_size = 16;
  try {
    Trainer(other).fit(model, two_classes(200, 1), two_classes(100, 9));
    FAIL();
  } catch (const StateError& error) {
    EXPECT_NE(std::string(error.what()).find("got one with other settings, validation rows; remove it"),
              std::string::npos)
        << error.what();
  }
  TrainerOptions inverted = o;
  inverted.task = binary({.target = "y", .positive = "No"});
  EXPECT_THROW(Trainer(inverted).fit(model, two_classes(200, 1), two_classes(100, 2)), StateError);
  TrainerOptions balanced = o;
  balanced.task = binary({.target = "y", .threshold = o.task.threshold_rule(), .balanced_weights = true});
  EXPECT_THROW(Trainer(balanced).fit(model, two_classes(200, 1), two_classes(100, 2)), StateError);
  const std::string bytes = read_file(path_);
  write_file(path_, bytes.substr(0, bytes.size() / 2));
  EXPECT_THROW(Trainer(o).fit(model, two_classes(200, 1), two_classes(100, 2)), FormatError);
  write_file(path_, "");
  EXPECT_THROW(Trainer(o).fit(model, two_classes(200, 1), two_classes(100, 2)), FormatError);
}

// Takes the checkpoint apart, lets `change` at it, and writes it again, as sound as it may be.
template <class Change>
void tamper(const std::string& path, Change change) {
  TensorFile file = from_safetensors(read_file(path));
  ASSERT_EQ(file.metadata.size(), 2u);
  internal::Json json = internal::parse_json(file.metadata[1].second, "checkpoint");
  change(json, file.tensors);
  file.metadata[1].second = json.dump();
  write_file(path, resealed(to_safetensors(file)));
}

TEST_F(Checkpoints, DamagedOnesChangeNothing) {
  using internal::Json;
  const data::Dataset training = two_classes(200, 1), validation = two_classes(100, 2);
  TrainerOptions o = options();
  o.checkpoint = path_;
  o.max_epochs = 3;
  nn::Sequential trained = network();
  Trainer(o).fit(trained, training, validation);
  const std::string whole = read_file(path_);
  o.resume = true;
  nn::Sequential model = network();
  const std::vector<float> before = values_of(model);
  const auto refused = [&](auto change) {
    write_file(path_, whole);
    tamper(path_, change);
    EXPECT_THROW(Trainer(o).fit(model, training, validation), FormatError);
    EXPECT_EQ(values_of(model), before);
  };
  const auto named = [](nn::NamedTensors& tensors, const std::string& name) {
    return std::find_if(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first == name; });
  };
  const auto state = [&](const char* key, Json value) {
    refused([&](Json& json, nn::NamedTensors&) { json.at(key) = value; });
  };
  state("steps", -1);
  state("steps", std::int64_t{1} << 62);
  state("steps", 20);  // there were 21
  state("best_epoch", -1);
  state("best_epoch", 9);
  state("best_cost", nullptr);
  refused([](Json& json, nn::NamedTensors&) { json.at("history").erase(2); });
  refused([](Json& json, nn::NamedTensors&) { json.at("history")[1].at("epoch") = 3; });
  refused([](Json& json, nn::NamedTensors&) { json.at("history")[0].at("steps") = 22; });
  refused([](Json& json, nn::NamedTensors&) {
    for (Json& epoch : json.at("history")) epoch.at("best") = !epoch.at("best").get<bool>();
  });
  refused([](Json&, nn::NamedTensors& tensors) {
    std::erase_if(tensors, [](const auto& entry) { return entry.first.starts_with("best."); });
  });
  for (const char* name : {"model.0.weight", "best.0.weight", "optimizer.step", "optimizer.lr"}) {
    refused([&](Json&, nn::NamedTensors& tensors) { tensors.erase(named(tensors, name)); });
    refused([&](Json&, nn::NamedTensors& tensors) { named(tensors, name)->second = zeros({3}, f64); });
    refused([&](Json&, nn::NamedTensors& tensors) { tensors.emplace_back(std::string(name) + "x", zeros({1})); });
  }
  refused([&](Json&, nn::NamedTensors& tensors) {
    Tensor& steps = named(tensors, "optimizer.step")->second;
    steps = from_vector(std::vector<std::int64_t>(static_cast<std::size_t>(steps.numel()), 22));
  });
  refused([](Json&, nn::NamedTensors& tensors) { tensors.emplace_back("other", zeros({1})); });
  int damages = 0;
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 400) {  // a bit, wherever it lies
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << at % 8));
    write_file(path_, damaged);
    nn::Sequential other = network();
    try {
      Trainer(o).fit(other, training, validation);
      EXPECT_EQ(values_of(other), values_of(trained)) << "a bit of byte " << at;  // of what stands between the parts
    } catch (const Error&) {
      EXPECT_EQ(values_of(other), before);
      ++damages;
    }
  }
  EXPECT_GT(damages, 300);
  write_file(path_, whole);
  tamper(path_, [](Json&, nn::NamedTensors&) {});
  Trainer(o).fit(model, training, validation);
  EXPECT_EQ(values_of(model), values_of(trained));
}

TEST_F(Checkpoints, AStoppedEndIsRemembered) {
  const data::Dataset training = two_classes(200, 1), validation = two_classes(100, 2);
  TrainerOptions o = options();
  o.checkpoint = path_;
  o.max_epochs = 40;
  o.early_stopping = EarlyStopping{.patience = 2, .min_delta = 0.5};
  nn::Sequential model = network();
  const Fitted ended = Trainer(o).fit(model, training, validation);
  ASSERT_EQ(ended.stopped, StopReason::early_stopping);
  o.resume = true;
  o.callbacks = {[](const Epoch&) -> bool { throw StateError("an epoch after the end"); }};
  nn::Sequential again = network();
  const Fitted resumed = Trainer(o).fit(again, training, validation);
  EXPECT_EQ(resumed.stopped, StopReason::early_stopping);
  EXPECT_EQ(resumed.history.size(), ended.history.size());
  EXPECT_EQ(values_of(again), values_of(model));
}

TEST(Trainer, KeepsTheWeightsItBeginsWithWhereNoEpochGainsEnough) {
  const data::Dataset training = two_classes(400, 1), validation = two_classes(200, 2);
  nn::Sequential model = network();
  const std::vector<float> before = values_of(model);
  std::vector<Epoch> seen;
  TrainerOptions o = options();
  o.early_stopping = EarlyStopping{.patience = 3, .min_delta = 10, .initial = true};
  o.callbacks = {[&](const Epoch& epoch) {
    seen.push_back(epoch);
    return true;
  }};
  const Fitted fitted = Trainer(o).fit(model, training, validation);
  EXPECT_EQ(fitted.best_epoch, 0);
  EXPECT_EQ(values_of(model), before);
  ASSERT_EQ(seen.size(), 4u);  // epoch 0 and the three of its patience
  EXPECT_EQ(fitted.history.size(), 3u);
  EXPECT_EQ(seen[0].epoch, 0);
  EXPECT_TRUE(seen[0].best);
  EXPECT_TRUE(std::isnan(seen[0].train_loss));
  EXPECT_EQ(seen[0].figures, fitted.initial);
  ASSERT_EQ(fitted.initial[0].first, "validation/log_loss");
  EXPECT_NEAR(fitted.initial[0].second, fitted.report.model.binary.log_loss.value, 1e-12);

  o.callbacks = {[](const Epoch& epoch) { return epoch.epoch > 0; }};  // asks to stop before the first
  const Fitted none = Trainer(o).fit(model, training, validation);
  EXPECT_EQ(none.stopped, StopReason::requested);
  EXPECT_TRUE(none.history.empty());
  EXPECT_EQ(values_of(model), before);

  o.early_stopping->initial = false;
  o.callbacks.clear();
  const Fitted after = Trainer(o).fit(model, training, validation);
  EXPECT_EQ(after.best_epoch, 1);
  EXPECT_TRUE(after.initial.empty());
}

TEST_F(Checkpoints, AResumedRunJudgesItsBeginningButDoesNotCallItAgain) {
  const data::Dataset training = two_classes(400, 1), validation = two_classes(200, 2);
  TrainerOptions o = options();
  o.checkpoint = path_;
  o.max_epochs = 4;
  o.early_stopping = EarlyStopping{.patience = 9, .initial = true};
  nn::Sequential whole = network();
  const Fitted expected = Trainer(o).fit(whole, training, validation);
  std::filesystem::remove(path_);
  o.callbacks = {[](const Epoch& epoch) { return epoch.epoch != 2; }};
  nn::Sequential part = network();
  Trainer(o).fit(part, training, validation);
  std::vector<int> seen;
  o.callbacks = {[&](const Epoch& epoch) {
    seen.push_back(epoch.epoch);
    return true;
  }};
  o.resume = true;
  nn::Sequential again = network();
  const Fitted resumed = Trainer(o).fit(again, training, validation);
  EXPECT_EQ(seen, (std::vector{3, 4}));
  EXPECT_EQ(resumed.initial, expected.initial);
  EXPECT_EQ(resumed.best_epoch, expected.best_epoch);
  EXPECT_EQ(values_of(again), values_of(whole));
}

TEST_F(Checkpoints, KnowEveryTensorAndTheTargetOfTheirData) {
  const auto with = [](const data::Dataset& base, double shift) {
    std::vector<double> values;
    for (std::int64_t i = 0; i < base.rows(); ++i) {
      values.push_back(100 + base.features()[static_cast<std::size_t>(i * 5)] + (i == 7 ? shift : 0.0));
    }
    return data::Dataset(base.x(), base.feature_names(), base.row_ids(), data::Column::from_f64(values));
  };
  const data::Dataset training = with(two_classes(100, 1), 0), validation = with(two_classes(60, 2), 0);
  TrainerOptions o = options();
  o.task = regression({.target = "y"});
  o.early_stopping.reset();
  o.checkpoint = path_;
  o.max_epochs = 1;
  nn::Sequential model = network();
  const auto extended = [&](const char* name, const Tensor& tensor) {
    return data::Dataset(training).set(name, tensor);
  };
  std::vector<double> weights(100, 1.0);
  Trainer(o).fit(model, extended("weight", from_vector(weights)), validation);
  o.resume = true;
  const auto refused = [&](const data::Dataset& rows, const data::Dataset& judged) {
    EXPECT_THROW(Trainer(o).fit(model, rows, judged), StateError);
  };
  refused(training, validation);
  refused(extended("mass", from_vector(weights)), validation);
  refused(extended("weight", from_vector(weights, {100, 1})), validation);
  refused(extended("weight", from_vector(std::vector<float>(100, 1.0f))), validation);
  refused(extended("weight", from_vector(weights)), with(two_classes(60, 2), 1e-11));  // encoded, it is the same
  weights[99] = 2;
  refused(extended("weight", from_vector(weights)), validation);
  weights[99] = 1;
  EXPECT_NO_THROW(Trainer(o).fit(model, extended("weight", from_vector(weights)), validation));
}

TEST_F(Checkpoints, ALoopOfLinksIsAFileError) {
  std::filesystem::create_symlink(path_, path_ + "2");
  std::filesystem::create_symlink(path_ + "2", path_);
  TrainerOptions o = options();
  o.checkpoint = path_;
  nn::Sequential model = network();
  for (const bool resume : {false, true}) {
    o.resume = resume;
    EXPECT_THROW(Trainer(o).fit(model, two_classes(100, 1), two_classes(60, 2)), FileError);
  }
}

TEST_F(Checkpoints, AreKnownToBeOfThisRun) {
  const data::Dataset training = two_classes(100, 1), validation = two_classes(60, 2);
  TrainerOptions o = options();
  o.checkpoint = path_;
  write_file(path_, "an earlier run's");
  int asked = 0;
  o.stop_requested = [&] { return ++asked > 2; };  // within the first epoch
  nn::Sequential model = network();
  EXPECT_FALSE(Trainer(o).fit(model, training, validation).resumable);
  EXPECT_EQ(read_file(path_), "an earlier run's");
  o.stop_requested = [&] { return ++asked > 8; };
  EXPECT_TRUE(Trainer(o).fit(model = network(), training, validation).resumable);
  o.resume = true;
  EXPECT_TRUE(Trainer(o).fit(model = network(), training, validation).resumable) << "stopped again, within an epoch";
}

TEST_F(Checkpoints, OfAnEarlierRunOutliveANan) {
  const data::Dataset training = two_classes(100, 1), validation = two_classes(60, 2);
  TrainerOptions o = options();
  o.checkpoint = path_;
  const std::int64_t batches = 4;  // an epoch
  for (const std::int64_t good_steps : {std::int64_t{0}, batches - 1, batches}) {
    write_file(path_, "an earlier run's");
    std::int64_t step = 0;
    o.step = [&](nn::Module& m, const data::Batch& batch) {
      const Tensor loss = m(batch.x()).mean();
      return step++ < good_steps ? loss : log(loss * 0.0 - 1.0);
    };
    nn::Sequential model = network();
    EXPECT_THROW(Trainer(o).fit(model, training, validation), NumericError);
    EXPECT_EQ(std::filesystem::exists(path_), good_steps < batches) << good_steps;
    if (good_steps < batches) {
      EXPECT_EQ(read_file(path_), "an earlier run's");
    }
  }
}

TEST(Trainer, EachEpochHasItsOrderAndEachStepItsMask) {
  TrainerOptions o = options();
  o.max_epochs = 2;
  o.batch_size = 25;
  std::vector<std::int64_t> order;
  std::vector<std::vector<float>> masks;
  nn::Dropout dropout(0.5);
  o.step = [&](nn::Module& m, const data::Batch& batch) {
    order.insert(order.end(), batch.indices().begin(), batch.indices().end());
    masks.push_back(dropout(ones({64})).to_vector<float>());
    return m(batch.x()).mean();
  };
  nn::Sequential model = network();
  Trainer(o).fit(model, two_classes(100, 1), two_classes(60, 2));
  ASSERT_EQ(order.size(), 200u);
  std::vector<std::int64_t> first(order.begin(), order.begin() + 100), second(order.begin() + 100, order.end());
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  EXPECT_EQ(first, second);
  EXPECT_EQ(std::adjacent_find(first.begin(), first.end()), first.end());
  ASSERT_EQ(masks.size(), 8u);
  std::sort(masks.begin(), masks.end());
  EXPECT_EQ(std::adjacent_find(masks.begin(), masks.end()), masks.end());
}

TEST(Trainer, SmallerGainsThanMinDeltaDoNotCount) {
  const auto run = [](double min_delta) {
    TrainerOptions o = options();
    o.early_stopping = EarlyStopping{.patience = 2, .min_delta = min_delta};
    nn::Sequential model = network();
    return Trainer(o).fit(model, two_classes(300, 1), two_classes(200, 2));
  };
  const auto cost = [](const Fitted& fitted, std::size_t epoch) {
    return fitted.history.at(epoch).figures.at(0).second;
  };
  const Fitted every = run(0);
  ASSERT_LT(cost(every, 1), cost(every, 0));
  ASSERT_LT(cost(every, 2), cost(every, 1));
  EXPECT_GT(every.best_epoch, 2);
  const Fitted large = run(10);
  EXPECT_EQ(large.best_epoch, 1);
  EXPECT_EQ(large.history.size(), 3u);
  EXPECT_EQ(large.stopped, StopReason::early_stopping);
  // Just below and just above the second epoch's gain.
  const double gain = cost(every, 0) - cost(every, 1);
  EXPECT_TRUE(run(gain * 0.99).history.at(1).best);
  EXPECT_FALSE(run(gain * 1.01).history.at(1).best);
}

struct Broken : nn::Module {
  nn::Linear layer{5, 1};
  TERN_MODULE(Broken, layer)
  Tensor forward(const Tensor& x) override { return log(layer(x)); }  // NaN for every negative output
};

TEST(Trainer, ANanNamesTheStepAndTheOp) {
  Broken model;
  try {
    Trainer(options()).fit(model, two_classes(200, 1), two_classes(100, 2));
    FAIL() << "nothing was thrown";
  } catch (const NumericError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("step 0"), std::string::npos) << text;
    EXPECT_NE(text.find("log"), std::string::npos) << text;
  }
}

TEST(Trainer, AGradientBeyondTheRangeNamesItsOwnStep) {
  for (const double clip_norm : {0.0, 5.0}) {
    nn::Sequential model = network();
    TrainerOptions o = options();
    o.clip_norm = clip_norm;
    std::int64_t step = 0;
    o.step = [&](nn::Module& m, const data::Batch& batch) {
      const Tensor output = m(batch.x());
      return step++ < 3 ? output.mean() : ((output - output.detach()) * 1e30).mean() * 1e30;  // 0, and its slope 1e60
    };
    try {
      Trainer(o).fit(model, two_classes(200, 1), two_classes(100, 2));
      FAIL() << "nothing was thrown";
    } catch (const NumericError& error) {
      EXPECT_NE(std::string(error.what()).find("step 3 "), std::string::npos) << error.what();
    }
  }
}

TEST(Trainer, StepsAndTimeAreLimited) {
  nn::Sequential model = network();
  TrainerOptions o = options();
  o.max_seconds = 1e-9;
  EXPECT_EQ(Trainer(o).fit(model, two_classes(200, 1), two_classes(100, 2)).stopped, StopReason::max_time);
  TrainerOptions callback = options();
  callback.early_stopping.reset();
  callback.callbacks = {[](const Epoch& epoch) { return epoch.epoch < 2; }};
  const Fitted fitted = Trainer(callback).fit(model, two_classes(200, 1), two_classes(100, 2));
  EXPECT_EQ(fitted.history.size(), 2u);
  EXPECT_EQ(fitted.stopped, StopReason::requested);
}

TEST(Trainer, OptionsOutOfRangeAreRefused) {
  nn::Sequential model = network();
  const auto fit = [&](auto change) {
    TrainerOptions o = options();
    change(o);
    Trainer(o).fit(model, two_classes(100, 1), two_classes(100, 2));
  };
  EXPECT_THROW(fit([](TrainerOptions& o) { o.batch_size = 0; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.max_epochs = 0; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.max_seconds = -1; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.resume = true; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.plateau = Plateau{.rule = {.factor = 1}}; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.plateau = Plateau{.monitor = "validation/nothing"}; }), ValueError);
  EXPECT_THROW(fit([](TrainerOptions& o) { o.early_stopping->monitor = "validation/f7"; }), ValueError);
  nn::Sequential narrow = network(1, 4);
  EXPECT_THROW(Trainer(options()).fit(narrow, two_classes(100, 1), two_classes(100, 2)), ShapeError);
}

TEST(Trainer, TakesAStepOfTheUsersOwn) {
  nn::Sequential model = network();
  TrainerOptions o = options();
  o.max_epochs = 2;
  int calls = 0;
  const Task task = [&] {
    Task t = o.task;
    t.fit(two_classes(100, 1).target());
    return t;
  }();
  o.step = [&](nn::Module& m, const data::Batch& batch) {
    ++calls;
    return task.loss(m(batch.x()), batch.y()) * 2.0;
  };
  Trainer(o).fit(model, two_classes(100, 1), two_classes(100, 2));
  EXPECT_EQ(calls, 2 * 4);
}

TEST(LogisticModel, IsTheBaselineAsAModule) {
  nn::Linear model(5, 1);
  const data::Dataset training = two_classes(500, 1), validation = two_classes(300, 2);
  const Fitted fitted = fit_logistic_model(model, binary({.target = "y"}), training, validation);
  EXPECT_NEAR(fitted.report.model.binary.log_loss.value, fitted.report.baselines[1].binary.log_loss.value, 1e-6);
  EXPECT_NEAR(fitted.report.model.binary.auroc.value, fitted.report.baselines[1].binary.auroc.value, 1e-4);
  // It is said once, not twice side by side.
  const std::string text = to_string(fitted.report);
  EXPECT_NE(text.find("logistic regression: the same figures as the model"), std::string::npos) << text;
  nn::Linear narrow(4, 1);
  EXPECT_THROW(fit_logistic_model(narrow, binary({.target = "y"}), training, validation), ShapeError);
}

TEST(LogisticModel, KeepsEveryDigitOfItsPenalty) {
  nn::Linear model(5, 1);
  const Fitted fitted = fit_logistic_model(model, binary({.target = "y"}), two_classes(200, 1), two_classes(100, 2),
                                           {.inverse_penalty = 1e-9, .bootstrap = 0});
  EXPECT_EQ(internal::parse_json(fitted.settings, "settings").at("C").get<double>(), 1e-9);
}

TEST(Trainer, MulticlassAndRegressionLearn) {
  const data::Dataset base = two_classes(900, 4);
  const auto with_target = [&](data::Column target) {
    return data::Dataset(base.x(), base.feature_names(), base.row_ids(), std::move(target));
  };
  std::vector<std::string> names;
  std::vector<double> values;
  for (std::int64_t i = 0; i < base.rows(); ++i) {
    const float a = base.features()[static_cast<std::size_t>(i * 5)];
    names.push_back(a < -0.5f ? "low" : a < 0.5f ? "middle" : "high");
    values.push_back(100 + 10 * a);
  }
  TrainerOptions o = options();
  o.max_epochs = 15;
  o.task = multiclass({.target = "y"});
  manual_seed(1);
  nn::Sequential classes(nn::Linear(5, 16), nn::Relu(), nn::Linear(16, 3));
  const data::Dataset labelled = with_target(data::Column::from_strings(names));
  const Fitted sorted = Trainer(o).fit(classes, labelled, labelled);
  EXPECT_EQ(sorted.report.model.figures.at(0).first, "accuracy");
  EXPECT_GT(sorted.report.model.figures.at(0).second, 0.9);
  EXPECT_LT(sorted.report.baselines.at(0).figures.at(0).second, 0.5);
  o.task = regression({.target = "y"});
  o.early_stopping->monitor = "validation/rmse";
  nn::Sequential line(nn::Linear(5, 16), nn::Relu(), nn::Linear(16, 1));
  const data::Dataset measured = with_target(data::Column::from_f64(values));
  const Fitted fitted = Trainer(o).fit(line, measured, measured);
  EXPECT_LT(fitted.report.model.figures.at(0).second, 2.0);
  EXPECT_GT(fitted.report.baselines.at(0).figures.at(0).second, 8.0);
}

}  // namespace
}  // namespace tern::train
