#include "tern/models/calibrate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/number_text.h"
#include "base/retell.h"
#include "data/rows.h"
#include "models/blocks.h"
#include "models/files.h"
#include "models/links.h"
#include "models/source.h"
#include "tern/base/error.h"

namespace tern::models {
namespace {

using internal::sigmoid;
using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_member;
using tern::internal::json_text;

constexpr double kTiny = 0x1p-52;
constexpr std::pair<CalibrationMethod, std::string_view> kNames[] = {{CalibrationMethod::platt, "platt"},
                                                                     {CalibrationMethod::isotonic, "isotonic"},
                                                                     {CalibrationMethod::temperature, "temperature"}};

double logit(double p) {
  p = std::clamp(p, kTiny, 1 - kTiny);
  return std::log(p) - std::log1p(-p);
}

// Scores of one class against the others.
struct OneClass {
  std::vector<double> p;
  std::vector<bool> is;
  std::vector<double> weights;
};

// Newton's method with halved steps on a x + b, x = logit(p); the smoothed targets keep the minimum finite. It starts
// flat, and from x of at most 1: where sigmoids are 0 or 1 to rounding, there is no curvature to go by.
std::pair<double, double> fit_platt(const OneClass& rows) {
  double positive = 0, negative = 0;
  for (std::size_t i = 0; i < rows.p.size(); ++i) (rows.is[i] ? positive : negative) += rows.weights[i];
  const double high = (positive + 1) / (positive + 2), low = 1 / (negative + 2);
  std::vector<double> x;
  for (const double p : rows.p) x.push_back(logit(p));
  const double heaviest = *std::max_element(rows.weights.begin(), rows.weights.end());
  std::vector<double> weights = rows.weights;  // of which only ratios count from here on
  for (double& weight : weights) weight /= heaviest;
  double scale = kTiny;
  for (const double each : x) scale = std::max(scale, std::abs(each));
  for (double& each : x) each /= scale;
  const auto loss = [&](double a, double b) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double t = rows.is[i] ? high : low, z = a * x[i] + b;
      sum += weights[i] * (std::max(z, 0.0) - t * z + std::log1p(std::exp(-std::abs(z))));
    }
    return sum;
  };
  double a = 0, b = std::log((positive + 1) / (negative + 1)), value = loss(a, b);
  for (int step = 0; step < 100; ++step) {
    double ga = 0, gb = 0, haa = 0, hab = 0, hbb = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double t = rows.is[i] ? high : low, q = sigmoid(a * x[i] + b), w = weights[i];
      const double g = w * (q - t), h = w * q * (1 - q);
      ga += g * x[i];
      gb += g;
      haa += h * x[i] * x[i];
      hab += h * x[i];
      hbb += h;
    }
    haa += 1e-12 * haa + 1e-100;  // where x is the same in all rows, or 0
    hbb += 1e-12 * hbb;
    const double determinant = haa * hbb - hab * hab;
    if (!(determinant > 0)) break;
    const double da = (hbb * ga - hab * gb) / determinant, db = (haa * gb - hab * ga) / determinant;
    const double fall = ga * da + gb * db;
    const bool last = !(fall > 1e-14 * value);
    double rate = 1, next = loss(a - da, b - db);
    while (!last && !(next <= value - 0.1 * rate * fall) && rate > 1e-10) {
      rate /= 2;
      next = loss(a - rate * da, b - rate * db);
    }
    if (!(next <= (last ? 1 + 1e-12 : 1) * value)) break;
    a -= rate * da;
    b -= rate * db;
    value = next;
    if (last) break;
  }
  return {a / scale, b};
}

// Pools adjacent violators; x are the ends of the blocks, as where a line is drawn between.
std::pair<std::vector<double>, std::vector<double>> fit_isotonic(const OneClass& rows) {
  std::vector<std::size_t> order(rows.p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rows.p[a] < rows.p[b]; });
  struct Block {
    double low, high, sum, weight;
    double mean() const { return sum / weight; }
  };
  std::vector<Block> blocks;
  for (const std::size_t i : order) {
    const double w = rows.weights[i], y = rows.is[i] ? w : 0;
    if (w == 0) continue;
    if (!blocks.empty() && blocks.back().high == rows.p[i] && blocks.back().low == rows.p[i]) {
      blocks.back().sum += y;
      blocks.back().weight += w;
    } else {
      blocks.push_back({rows.p[i], rows.p[i], y, w});
    }
  }
  std::vector<Block> pooled;
  for (const Block& block : blocks) {
    pooled.push_back(block);
    while (pooled.size() > 1 && pooled[pooled.size() - 2].mean() >= pooled.back().mean()) {
      const Block last = pooled.back();
      pooled.pop_back();
      pooled.back().high = last.high;
      pooled.back().sum += last.sum;
      pooled.back().weight += last.weight;
    }
  }
  std::vector<double> x, y;
  for (const Block& block : pooled) {
    x.push_back(block.low);
    y.push_back(block.mean());
    if (block.high > block.low) {
      x.push_back(block.high);
      y.push_back(block.mean());
    }
  }
  return {x, y};
}

// Row by row log probabilities [classes] of either form.
std::vector<double> log_probabilities(std::span<const double> p, std::int64_t classes) {
  std::vector<double> out;
  for (const double each : p) {
    if (classes == 2) out.push_back(std::log(std::max(1 - each, kTiny)));
    out.push_back(std::log(std::max(each, kTiny)));
  }
  return out;
}

// d/dβ of the mean of -log softmax(β log p)[label] rises with β = 1 / T: its zero by halving.
double fit_temperature(const std::vector<double>& logs, std::span<const std::int64_t> labels,
                       const std::vector<double>& weights, std::size_t classes) {
  const auto slope = [&](double beta) {
    double sum = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      const double* row = logs.data() + i * classes;
      const double most = *std::max_element(row, row + classes);
      double total = 0, weighed = 0;
      for (std::size_t k = 0; k < classes; ++k) {
        const double e = std::exp(beta * (row[k] - most));
        total += e;
        weighed += e * row[k];
      }
      sum += weights[i] * (weighed / total - row[labels[i]]);
    }
    return sum;
  };
  double low = std::log(1e-3), high = std::log(1e3);
  for (int halving = 0; halving < 60; ++halving) {
    const double middle = (low + high) / 2;
    (slope(std::exp(middle)) < 0 ? low : high) = middle;
  }
  return std::exp(-(low + high) / 2);
}

}  // namespace

std::string_view to_string(CalibrationMethod method) {
  for (const auto& [each, name] : kNames) {
    if (each == method) return name;
  }
  throw ValueError("[to_string] expected a known method, got number " + std::to_string(static_cast<int>(method)));
}

CalibrationMethod parse_calibration_method(std::string_view name) {
  for (const auto& [method, known] : kNames) {
    if (known == name) return method;
  }
  throw ValueError("[parse_calibration_method] expected platt, isotonic or temperature, got \"" + std::string(name) +
                   "\"");
}

Calibrator::Calibrator(CalibrationMethod method, std::span<const double> probabilities,
                       std::span<const std::int64_t> labels, std::int64_t classes, std::span<const double> weights)
    : method_(method), classes_(classes) {
  const auto refuse = [](const std::string& expected, const std::string& got) {
    throw ValueError("[Calibrator] expected " + expected + ", got " + got);
  };
  if (classes < 2) refuse("at least two classes", std::to_string(classes));
  if (labels.empty()) refuse("rows", "none");
  const std::size_t width = classes == 2 ? 1 : static_cast<std::size_t>(classes);
  if (probabilities.size() != labels.size() * width || (!weights.empty() && weights.size() != labels.size())) {
    throw ShapeError("[Calibrator] expected " + std::to_string(labels.size() * width) +
                     " probabilities and a weight for each row or none, got " + std::to_string(probabilities.size()) +
                     " and " + std::to_string(weights.size()));
  }
  internal::check_probabilities("Calibrator", probabilities);
  for (const std::int64_t label : labels) {
    if (label < 0 || label >= classes) {
      refuse("classes 0 to " + std::to_string(classes - 1), std::to_string(label));
    }
  }
  data::internal::check_weights("Calibrator", weights, static_cast<std::int64_t>(labels.size()));
  std::vector<double> w(weights.begin(), weights.end());
  if (w.empty()) w.assign(labels.size(), 1.0);
  const auto counts =
      static_cast<std::size_t>(std::find_if(w.begin(), w.end(), [](double x) { return x > 0; }) - w.begin());
  bool several = false;
  for (std::size_t i = counts; i < w.size(); ++i) several |= w[i] > 0 && labels[i] != labels[counts];
  if (!several) refuse("rows with weight of at least two classes", "one");
  if (method == CalibrationMethod::temperature) {
    temperature_ =
        fit_temperature(log_probabilities(probabilities, classes), labels, w, static_cast<std::size_t>(classes));
    return;
  }
  for (std::size_t k = 0; k < width; ++k) {
    OneClass rows{.p = {}, .is = {}, .weights = w};
    for (std::size_t i = 0; i < labels.size(); ++i) {
      rows.p.push_back(probabilities[i * width + k]);
      rows.is.push_back(classes == 2 ? labels[i] == 1 : labels[i] == static_cast<std::int64_t>(k));
    }
    Curve& curve = curves_.emplace_back();
    if (method == CalibrationMethod::platt) {
      std::tie(curve.slope, curve.intercept) = fit_platt(rows);
    } else {
      std::tie(curve.x, curve.y) = fit_isotonic(rows);
    }
  }
}

double Calibrator::curve(const Curve& curve, double p) const {
  if (method_ == CalibrationMethod::platt) return sigmoid(curve.slope * logit(p) + curve.intercept);
  const auto& [x, y] = std::pair<const std::vector<double>&, const std::vector<double>&>(curve.x, curve.y);
  const auto right = static_cast<std::size_t>(std::lower_bound(x.begin(), x.end(), p) - x.begin());
  if (right == x.size()) return y.back();
  if (right == 0 || x[right] == p) return y[right];
  return y[right - 1] + (y[right] - y[right - 1]) * ((p - x[right - 1]) / (x[right] - x[right - 1]));
}

std::vector<double> Calibrator::apply(std::span<const double> probabilities) const {
  const std::size_t width = classes_ == 2 ? 1 : static_cast<std::size_t>(classes_);
  if (probabilities.size() % width != 0) {
    throw ShapeError("[Calibrator] expected " + std::to_string(width) + " probabilities a row, got " +
                     std::to_string(probabilities.size()) + " in all");
  }
  internal::check_probabilities("Calibrator", probabilities);
  std::vector<double> out(probabilities.begin(), probabilities.end());
  if (classes_ == 2) {
    for (double& p : out) p = curves_.empty() ? sigmoid(logit(p) / temperature_) : curve(curves_[0], p);
    return out;
  }
  for (std::size_t first = 0; first < out.size(); first += width) {
    double* row = out.data() + first;
    double sum = 0;
    if (curves_.empty()) {
      const double most = std::log(std::max(*std::max_element(row, row + width), kTiny));
      for (std::size_t k = 0; k < width; ++k) {
        row[k] = std::exp((std::log(std::max(row[k], kTiny)) - most) / temperature_);
        sum += row[k];
      }
    } else {
      for (std::size_t k = 0; k < width; ++k) sum += row[k] = curve(curves_[k], row[k]);
    }
    for (std::size_t k = 0; k < width; ++k) row[k] = sum > 0 ? row[k] / sum : 1 / static_cast<double>(width);
  }
  return out;
}

std::string Calibrator::to_json() const {
  Json json{{"method", std::string(to_string(method_))}, {"classes", classes_}, {"temperature", temperature_}};
  json["curves"] = Json::array();
  for (const Curve& curve : curves_) {
    json["curves"].push_back({{"slope", curve.slope}, {"intercept", curve.intercept}, {"x", curve.x}, {"y", curve.y}});
  }
  return json_text(json);
}

Calibrator Calibrator::from_json(std::string_view text) {
  const std::string what = "Calibrator";
  const Json json = tern::internal::parse_json(text, what);
  Calibrator made;
  try {
    made.method_ = parse_calibration_method(json_get<std::string>(json, "method", what));
  } catch (const ValueError& error) {
    throw FormatError(error.what());
  }
  made.classes_ = json_get<std::int64_t>(json, "classes", what);
  made.temperature_ = json_get<double>(json, "temperature", what);
  for (const Json& each : json_get<std::vector<Json>>(json, "curves", what)) {
    made.curves_.push_back({.slope = json_get<double>(each, "slope", what),
                            .intercept = json_get<double>(each, "intercept", what),
                            .x = json_get<std::vector<double>>(each, "x", what),
                            .y = json_get<std::vector<double>>(each, "y", what)});
  }
  const std::size_t curves = made.method_ == CalibrationMethod::temperature ? 0
                             : made.classes_ == 2                           ? 1
                                                                            : static_cast<std::size_t>(made.classes_);
  bool good = made.classes_ >= 2 && made.curves_.size() == curves && made.temperature_ > 0;
  for (const Curve& curve : made.curves_) {
    good = good && curve.x.size() == curve.y.size() && std::is_sorted(curve.x.begin(), curve.x.end()) &&
           (made.method_ != CalibrationMethod::isotonic || !curve.x.empty()) &&
           std::all_of(curve.y.begin(), curve.y.end(), [](double p) { return p >= 0 && p <= 1; });
  }
  if (!good) throw FormatError("[Calibrator] expected a curve of sorted points for each class, got others");
  return made;
}

Calibrated::Calibrated(const data::Estimator& estimator, CalibratedOptions options)
    : options_(options), estimator_(estimator.clone()) {
  if (!internal::can_calibrate(estimator)) {
    throw ValueError("[Calibrated] expected an estimator of classes with probabilities, or a linear one, got " +
                     tern::internal::class_name(estimator.type()));
  }
  if (options.folds < 0 || options.folds == 1) {
    throw ValueError("[Calibrated] expected folds of at least 2, or 0, got " + std::to_string(options.folds));
  }
  if (!(options.holdout > 0 && options.holdout < 1)) {
    throw ValueError("[Calibrated] expected a holdout in (0, 1), got " + tern::internal::number_text(options.holdout));
  }
}

Calibrated::Calibrated(const Calibrated& other)
    : Composite(other),
      options_(other.options_),
      estimator_(other.estimator_->clone()),
      calibrator_(other.calibrator_),
      margin_scale_(other.margin_scale_) {}

std::unique_ptr<data::Estimator> Calibrated::clone() const { return std::make_unique<Calibrated>(*this); }

const Calibrator& Calibrated::calibrator() const {
  if (!calibrator_) throw StateError("[Calibrated] expected a fitted model, got one before fit");
  return *calibrator_;
}

void Calibrated::fit_on(const internal::Source& rows) {
  const std::vector<std::string> classes = rows.classes();
  const std::vector<double> truth = rows.truth(classes), weights = rows.weights();
  std::unique_ptr<data::Estimator> model = estimator_->clone();
  std::vector<double> probabilities, w;
  std::vector<std::int64_t> labels;
  double scale = 1;
  if (options_.folds > 0) {
    rows.fit(*model);
    scale = rows.largest_margin(*model);
    probabilities = rows.predict_out_of_fold(*estimator_, options_.folds, options_.seed, classes, scale);
    for (const double y : truth) labels.push_back(static_cast<std::int64_t>(y));
    w = weights;
  } else {
    const auto [held, kept] = internal::draw(truth, true, options_.holdout, options_.seed);
    rows.fit(*model, kept);
    scale = rows.largest_margin(*model);
    probabilities = rows.predict(*model, held, classes, scale);
    for (const std::int64_t row : held) {
      labels.push_back(static_cast<std::int64_t>(truth[static_cast<std::size_t>(row)]));
      if (!weights.empty()) w.push_back(weights[static_cast<std::size_t>(row)]);
    }
  }
  calibrator_ = tern::internal::speaking_as("Calibrated", [&] {
    return std::make_shared<const Calibrator>(options_.method, probabilities, labels, std::ssize(classes), w);
  });
  estimator_ = std::move(model);
  margin_scale_ = scale;
}

std::vector<double> Calibrated::answer(const internal::Asked& rows, bool probability) const {
  std::vector<double> out = calibrator().apply(rows.predict(*estimator_, classes_, margin_scale_));
  return probability ? out : internal::decide(out, classes_.size());
}

std::string Calibrated::to_json() const {
  return json_text(Json{{"method", std::string(to_string(options_.method))},
                        {"folds", options_.folds},
                        {"holdout", options_.holdout},
                        {"seed", options_.seed},
                        {"width", width_},
                        {"margin_scale", margin_scale_},
                        {"estimator", internal::member_json(*estimator_)},
                        {"calibrator", calibrator().to_json()}});
}

std::vector<data::NamedTensor> Calibrated::tensors() const {
  std::vector<data::NamedTensor> out;
  internal::add_tensors(out, *estimator_, 0);
  return out;
}

std::unique_ptr<data::Estimator> Calibrated::from_state(const data::EstimatorState& state) {
  const std::string what = "Calibrated";
  const Json json = tern::internal::parse_json(state.json, what);
  const auto member = internal::make_member(json_member(json, "estimator", what), state, 0);
  auto made = std::make_unique<Calibrated>(
      *member, CalibratedOptions{.method = parse_calibration_method(json_get<std::string>(json, "method", what)),
                                 .folds = json_get<int>(json, "folds", what),
                                 .holdout = json_get<double>(json, "holdout", what),
                                 .seed = json_get<std::uint64_t>(json, "seed", what)});
  made->width_ = json_get<std::int64_t>(json, "width", what);
  made->margin_scale_ = json_get<double>(json, "margin_scale", what);
  made->calibrator_ =
      std::make_shared<const Calibrator>(Calibrator::from_json(json_get<std::string>(json, "calibrator", what)));
  const auto classes = static_cast<std::int64_t>(state.classes.size());
  if (made->width_ < 1 || made->calibrator_->classes() != classes ||
      static_cast<std::int64_t>(member->classes().size()) != classes) {
    throw FormatError("[Calibrated] expected an estimator and a calibrator of the same classes, got others");
  }
  if (!(made->margin_scale_ > 0 && std::isfinite(made->margin_scale_))) {
    throw FormatError("[Calibrated] expected a finite margin_scale above 0, got " +
                      tern::internal::number_text(made->margin_scale_));
  }
  return made;
}

Calibrated Calibrated::load(const std::string& path) { return internal::load_as<Calibrated>("calibrated", path); }

}  // namespace tern::models
