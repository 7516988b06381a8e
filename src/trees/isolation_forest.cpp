#include "tern/trees/isolation_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/trees/formats.h"
#include "trees/foreign.h"
#include "trees/inputs.h"
#include "trees/json_form.h"
#include "trees/table_features.h"

namespace tern::trees {
namespace {

using tern::internal::Json;
using tern::internal::json_get;

constexpr int kIsolationVersion = 1;
const std::string kIsolation = "IsolationForest";

[[noreturn]] void refuse_isolation(const std::string& expected, const std::string& got) {
  throw ValueError("[IsolationForest] expected " + expected + ", got " + got);
}

// Mean depth of a row that is not in a binary search tree of n others: c(n) of the paper, equation 1.
double mean_depth(double n) {
  if (n <= 1) return 0;
  if (n == 2) return 1;
  return 2 * (std::log(n - 1) + std::numbers::egamma) - 2 * (n - 1) / n;
}

// Grows one tree on a few rows.
class IsolationTree {
 public:
  IsolationTree(const data::Matrix& x, const std::vector<Feature>& features, std::int64_t samples, const Philox& random)
      : features_(features), random_(random), depth_limit_(static_cast<int>(std::ceil(std::log2(samples)))) {
    unit_ = std::numbers::ln2 / mean_depth(static_cast<double>(samples));
    rows_ = sample(x.rows(), samples);
    std::sort(rows_.begin(), rows_.end());
    const auto width = static_cast<std::size_t>(x.columns());
    values_.resize(rows_.size() * width);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      for (std::size_t f = 0; f < width; ++f) {
        double value = x.at(rows_[i], static_cast<std::int64_t>(f));
        if (features[f].categorical && !(value >= 0)) value = std::numeric_limits<double>::quiet_NaN();
        values_[i * width + f] = value;
      }
    }
    std::iota(rows_.begin(), rows_.end(), 0);
    order_.resize(width);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
  }

  Tree grow() {
    std::vector<Node> open{{0, rows_.size(), 0, -1, false}};
    while (!open.empty()) {
      const Node node = open.back();
      open.pop_back();
      const auto count = static_cast<double>(node.end - node.begin);
      std::int32_t number = -1;
      if (node.depth < depth_limit_ && count > 1) number = split(node);
      if (number < 0) {
        link(node, ~tree_.add_leaf(-unit_ * (node.depth + mean_depth(count)), count));
        continue;
      }
      link(node, number);
      const auto begin = rows_.begin() + static_cast<std::ptrdiff_t>(node.begin);
      const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(node.end);
      const auto at = static_cast<std::size_t>(number);
      const auto middle = static_cast<std::size_t>(
          std::stable_partition(begin, end, [&](std::int64_t row) { return goes_left(at, row); }) - rows_.begin());
      open.push_back({middle, node.end, node.depth + 1, number, false});
      open.push_back({node.begin, middle, node.depth + 1, number, true});
    }
    return std::move(tree_);
  }

 private:
  struct Node {
    std::size_t begin, end;
    int depth;
    std::int32_t parent;
    bool left;
  };

  double value(std::int64_t row, std::size_t feature) const {
    return values_[static_cast<std::size_t>(row) * features_.size() + feature];
  }
  bool goes_left(std::size_t node, std::int64_t row) const {
    const double x = value(row, static_cast<std::size_t>(tree_.feature[node]));
    if (std::isnan(x)) return tree_.left_default[node] != 0;
    if (tree_.set[node] < 0) return x <= tree_.threshold[node];
    return in_set(tree_.sets[static_cast<std::size_t>(tree_.set[node])], static_cast<std::uint64_t>(x));
  }
  void link(const Node& node, std::int32_t child) {
    if (node.parent < 0) return;
    (node.left ? tree_.left : tree_.right)[static_cast<std::size_t>(node.parent)] = child;
  }

  // Some of the rows, without repeats: the first places of a shuffled list, of which only kIsolation moves is kept.
  std::vector<std::int64_t> sample(std::int64_t all, std::int64_t some) {
    std::vector<std::int64_t> chosen;
    if (some * 16 < all) {
      std::unordered_map<std::int64_t, std::int64_t> moved;  // place, kIsolation stands there
      const auto at = [&](std::int64_t place) {
        const auto found = moved.find(place);
        return found == moved.end() ? place : found->second;
      };
      for (std::int64_t i = 0; i < some; ++i) {
        const auto place = i + static_cast<std::int64_t>(random_.below(drawn_++, static_cast<std::uint64_t>(all - i)));
        chosen.push_back(at(place));
        moved[place] = at(i);
      }
      return chosen;
    }
    chosen.resize(static_cast<std::size_t>(all));
    std::iota(chosen.begin(), chosen.end(), 0);
    for (std::size_t i = 0; i < static_cast<std::size_t>(some); ++i) {
      std::swap(chosen[i], chosen[i + random_.below(drawn_++, chosen.size() - i)]);
    }
    chosen.resize(static_cast<std::size_t>(some));
    return chosen;
  }

  // Draws a feature whose values differ, and where to split it. Returns the node, -1 where nothing differs.
  std::int32_t split(const Node& node) {
    for (std::size_t looked = 0; looked < order_.size(); ++looked) {
      std::swap(order_[looked], order_[looked + random_.below(drawn_++, order_.size() - looked)]);
      const std::size_t feature = order_[looked];
      known_.clear();
      for (std::size_t i = node.begin; i < node.end; ++i) {
        if (const double x = value(rows_[i], feature); !std::isnan(x)) known_.push_back(x);
      }
      if (known_.empty()) continue;
      const auto [least, most] = std::minmax_element(known_.begin(), known_.end());
      if (*least == *most) continue;
      const auto count = static_cast<double>(node.end - node.begin);
      if (features_[feature].categorical) return split_levels(feature, count);
      const double low = *least, high = *most;
      double threshold = low + random_.uniform(drawn_++) * (high - low);
      if (!std::isfinite(high - low)) threshold = low / 2 + high / 2;
      threshold = std::clamp(threshold, low, std::nextafter(high, low));  // the most goes right
      const auto left = std::count_if(known_.begin(), known_.end(), [&](double x) { return x <= threshold; });
      return tree_.add_node(static_cast<std::int32_t>(feature), threshold, heavier(left), 0, count);
    }
    return -1;
  }

  std::int32_t split_levels(std::size_t feature, double count) {
    std::vector<double> levels = known_;
    std::sort(levels.begin(), levels.end());
    levels.erase(std::unique(levels.begin(), levels.end()), levels.end());
    for (std::size_t i = levels.size() - 1; i > 0; --i) {
      std::swap(levels[i], levels[random_.below(drawn_++, i + 1)]);
    }
    levels.resize(1 + random_.below(drawn_++, levels.size() - 1));
    std::vector<std::uint64_t> set;
    for (const double level : levels) {
      const auto code = static_cast<std::size_t>(level);
      if (set.size() <= code / 64) set.resize(code / 64 + 1);
      set[code / 64] |= std::uint64_t{1} << (code % 64);
    }
    const auto left = std::count_if(known_.begin(), known_.end(),
                                    [&](double x) { return in_set(set, static_cast<std::uint64_t>(x)); });
    return tree_.add_node(static_cast<std::int32_t>(feature), std::move(set), heavier(left), 0, count);
  }

  bool heavier(std::ptrdiff_t left) const { return 2 * left > static_cast<std::ptrdiff_t>(known_.size()); }

  const std::vector<Feature>& features_;
  Philox random_;
  std::uint64_t drawn_ = 0;
  int depth_limit_;
  double unit_;  // of a leaf's value for each step of depth
  std::vector<std::int64_t> rows_{};
  std::vector<double> values_{}, known_{};
  std::vector<std::size_t> order_{};
  Tree tree_{};
};

// The value below which a share of the scores lies, between two of them in proportion.
double quantile(std::vector<double> scores, double share) {
  std::sort(scores.begin(), scores.end());
  const double at = share * static_cast<double>(scores.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, scores.size() - 1);
  return scores[below] + (at - std::floor(at)) * (scores[above] - scores[below]);
}

}  // namespace

namespace {

void refuse_infinity(const data::Matrix& x, const std::vector<Feature>& features) {
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    for (std::int64_t f = 0; f < x.columns(); ++f) {
      if (!std::isinf(x.at(row, f))) continue;
      refuse_isolation("numbers that are finite or missing", "infinity in row " + std::to_string(row) + ", column \"" +
                                                                 features[static_cast<std::size_t>(f)].name + "\"");
    }
  }
}

}  // namespace

IsolationForest::IsolationForest(IsolationForestOptions options) : options_(options) {
  if (options_.trees < 1) refuse_isolation("at least one tree", std::to_string(options_.trees));
  if (options_.samples < 2) refuse_isolation("samples of at least 2", std::to_string(options_.samples));
  if (!(options_.contamination >= 0 && options_.contamination < 0.5)) {
    refuse_isolation("a contamination of at least 0 and below 1/2",
                     tern::internal::number_text(options_.contamination));
  }
}

void IsolationForest::fit(const data::Table& table) {
  const std::vector<Feature> features =
      internal::features_of("IsolationForest", table, {}, 1, std::numeric_limits<std::size_t>::max()).features;
  if (features.empty()) refuse_isolation("columns", "none");
  Ensemble reading;
  reading.features = features;
  const std::vector<double> x = internal::inputs("IsolationForest", reading, table);
  learn(data::Matrix(x, static_cast<std::int64_t>(features.size())), features);
}

void IsolationForest::fit(const data::Matrix& x) { learn(x, internal::features_of(x, {}, {}, "IsolationForest")); }

void IsolationForest::learn(const data::Matrix& x, std::vector<Feature> features) {
  if (x.rows() < 2) refuse_isolation("at least two rows", std::to_string(x.rows()));
  refuse_infinity(x, features);
  const std::int64_t samples = std::min(options_.samples, x.rows());
  Ensemble model;
  model.features = std::move(features);
  model.average = true;
  model.link = Link::exp;
  model.objective = "isolation";
  model.trees.resize(static_cast<std::size_t>(options_.trees));
  parallel_for(options_.trees, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t tree = begin; tree < end; ++tree) {
      const Philox random(options_.seed, static_cast<std::uint64_t>(tree));
      model.trees[static_cast<std::size_t>(tree)] = IsolationTree(x, model.features, samples, random).grow();
    }
  });
  keep(std::move(model));
  threshold_ = options_.contamination > 0 ? quantile(score(x), 1 - options_.contamination) : 0.5;
}

void IsolationForest::keep(Ensemble model) {
  predictor_ = std::make_shared<const Predictor>(model);
  ensemble_ = std::make_shared<const Ensemble>(std::move(model));
}

const Ensemble& IsolationForest::ensemble() const {
  if (!ensemble_) throw StateError("[IsolationForest] expected a fitted model, got one before fit");
  return *ensemble_;
}

double IsolationForest::threshold() const {
  ensemble();
  return threshold_;
}

std::vector<double> IsolationForest::score(const data::Table& table) const {
  const std::vector<double> x = internal::inputs("IsolationForest", ensemble(), table);
  return score(data::Matrix(x, static_cast<std::int64_t>(ensemble_->features.size())));
}

std::vector<double> IsolationForest::score(const data::Matrix& x) const {
  if (x.columns() == static_cast<std::int64_t>(ensemble().features.size())) refuse_infinity(x, ensemble_->features);
  std::vector<double> scores = predictor_->margins(x);
  apply_link(*ensemble_, scores);
  return scores;
}

namespace {

std::vector<std::uint8_t> above(const std::vector<double>& scores, double threshold) {
  std::vector<std::uint8_t> out;
  out.reserve(scores.size());
  for (const double score : scores) out.push_back(score > threshold ? 1 : 0);
  return out;
}

}  // namespace

std::vector<std::uint8_t> IsolationForest::predict(const data::Table& table) const {
  return above(score(table), threshold_);
}
std::vector<std::uint8_t> IsolationForest::predict(const data::Matrix& x) const { return above(score(x), threshold_); }

std::string IsolationForest::to_json() const {
  tern::internal::OrderedJson json;
  json["format"] = "tern-isolation-forest";
  json["version"] = kIsolationVersion;
  json["options"] = {{"trees", options_.trees},
                     {"samples", options_.samples},
                     {"contamination", options_.contamination},
                     {"seed", options_.seed}};
  json["threshold"] = threshold();
  std::string text = tern::internal::json_text(json);
  text.pop_back();
  std::string model = trees::to_json(ensemble());
  model.pop_back();  // the end of its line
  return text + ",\"ensemble\":" + model + "}\n";
}

void IsolationForest::save(const std::string& path) const { write_file(path, tern::internal::sealed_json(to_json())); }

IsolationForest IsolationForest::load(const std::string& path) {
  std::string text = read_file(path, internal::kLargestModel);
  return tern::internal::from_file(
      path, [&] { return from_json(tern::internal::unsealed_json(std::move(text), kIsolation)); });
}

IsolationForest IsolationForest::from_json(std::string_view text) {
  const Json json = tern::internal::parse_json(text, kIsolation);
  if (json_get<std::string>(json, "format", kIsolation) != "tern-isolation-forest" ||
      json_get<int>(json, "version", kIsolation) != kIsolationVersion) {
    throw FormatError("[IsolationForest] expected version 1 of tern-isolation-forest, got another file");
  }
  const Json& options = tern::internal::json_member(json, "options", kIsolation);
  try {
    IsolationForest made({.trees = json_get<int>(options, "trees", kIsolation),
                          .samples = json_get<std::int64_t>(options, "samples", kIsolation),
                          .contamination = json_get<double>(options, "contamination", kIsolation),
                          .seed = json_get<std::uint64_t>(options, "seed", kIsolation)});
    made.threshold_ = json_get<double>(json, "threshold", kIsolation);
    if (!(made.threshold_ >= 0 && made.threshold_ <= 1)) {
      throw FormatError("[IsolationForest] expected a threshold from 0 to 1, got " +
                        tern::internal::number_text(made.threshold_));
    }
    Ensemble model = internal::ensemble_of(tern::internal::json_member(json, "ensemble", kIsolation));
    if (model.outputs != 1 || model.link != Link::exp || !model.average) {
      throw FormatError("[IsolationForest] expected averaged trees of one output and link exp, got " +
                        std::to_string(model.outputs) + " and " + std::string(to_string(model.link)) +
                        (model.average ? "" : ", added up"));
    }
    made.keep(std::move(model));
    return made;
  } catch (const ValueError& error) {  // an option out of its range is the file's fault
    throw FormatError(error.what());
  }
}

}  // namespace tern::trees
