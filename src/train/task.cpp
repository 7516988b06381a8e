#include "tern/train/task.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "data/rows.h"
#include "tern/base/error.h"
#include "tern/data/spellings.h"
#include "tern/ops/loss.h"
#include "tern/tensor/creation.h"

namespace tern::train {
namespace {

constexpr std::pair<TaskKind, const char*> kind_names[] = {
    {TaskKind::binary, "binary"}, {TaskKind::multiclass, "multiclass"}, {TaskKind::regression, "regression"}};

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), shown); ++i) text += (i ? ", " : "") + ("\"" + names[i] + "\"");
  return names.size() > shown ? text + ", … (" + std::to_string(names.size()) + " in all)" : text;
}

// Distinct values as text, in sorted order: numbers by value, text by bytes.
std::vector<std::string> values_of(const data::Column& column) {
  std::map<std::pair<double, std::string>, bool> seen;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i))
      seen.emplace(std::pair(column.is_numeric() ? column.numeric(i) : 0.0, column.text(i)), true);
  }
  std::vector<std::string> values;
  values.reserve(seen.size());
  for (const auto& [key, unused] : seen) values.push_back(key.second);
  return values;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// Values in double, so that a probability does not depend on the model's precision more than its logit does.
std::vector<double> outputs_of(const Tensor& output) { return output.detach().to(f64).to_vector<double>(); }

// Which of the values are one word in several spellings, as the end of a message; empty where none is.
std::string spellings_of(const data::Column& target) {
  std::string text;
  for (const data::Spellings& spellings : data::find_spellings(target)) {
    std::vector<std::string> words;
    for (const auto& [word, rows] : spellings) words.push_back(word);
    text += (text.empty() ? "; " : ", and ") + list(words);
  }
  return text.empty() ? text : text + " differ only in case or blanks: write them alike";
}

// What a class is, however it is spelled: "True" and "TRUE" are one boolean, "1.0" and "1" one number; other text is
// itself.
std::string by_value(const std::string& text) {
  std::string word = lower(text);
  if (word == "true" || word == "false") return word;
  try {
    return data::Column::from_strings({text}).cast(data::ColumnType::f64).text(0);
  } catch (const DataError&) {
    return text;
  }
}

// The pairs whose positive class needs no naming.
bool names_itself(const std::string& negative, const std::string& positive) {
  static const std::pair<const char*, const char*> pairs[] = {
      {"0", "1"}, {"no", "yes"}, {"false", "true"}, {"n", "y"}, {"f", "t"}};
  const std::string n = lower(by_value(negative)), p = lower(by_value(positive));
  return std::any_of(std::begin(pairs), std::end(pairs),
                     [&](const auto& pair) { return n == pair.first && p == pair.second; });
}

}  // namespace

Task binary(BinaryOptions options) {
  Task task;
  task.kind_ = TaskKind::binary;
  task.target_ = std::move(options.target);
  task.positive_ = std::move(options.positive);
  task.rule_ = options.threshold;
  task.balanced_ = options.balanced_weights;
  return task;
}

Task multiclass(MulticlassOptions options) {
  Task task;
  task.kind_ = TaskKind::multiclass;
  task.target_ = std::move(options.target);
  task.classes_ = std::move(options.classes);
  task.balanced_ = options.balanced_weights;
  return task;
}

Task regression(RegressionOptions options) {
  Task task;
  task.kind_ = TaskKind::regression;
  task.target_ = std::move(options.target);
  task.standardize_ = options.standardize;
  return task;
}

std::int64_t Task::outputs() const {
  return kind_ == TaskKind::multiclass ? static_cast<std::int64_t>(classes_.size()) : 1;
}

void Task::fit(const data::Column& target) {
  const auto fail = [&](const std::string& message) { throw DataError("task", message, {.column = target_}); };
  if (target.null_count() == target.size()) fail("expected target values, got none that is not missing");
  if (kind_ == TaskKind::regression) {
    if (!target.is_numeric()) fail(data::internal::no_numbers(target, target_));
    double sum = 0, squares = 0;
    const std::vector<double> values = target.numeric();
    std::int64_t n = 0;
    for (const double v : values) {
      if (std::isnan(v)) continue;
      sum += v;
      ++n;
    }
    const double mean = sum / static_cast<double>(n);
    for (const double v : values) squares += std::isnan(v) ? 0 : (v - mean) * (v - mean);
    const double deviation = std::sqrt(squares / static_cast<double>(n));
    if (deviation == 0) fail("expected a target that varies, got one value only");
    if (standardize_) {
      mean_ = mean;
      scale_ = deviation;
    }
    fitted_ = true;
    return;
  }
  const std::vector<std::string> values = values_of(target);
  if (values.size() < 2) fail("expected at least two classes, got the constant " + list(values));
  if (kind_ == TaskKind::binary) {
    const std::string spellings = spellings_of(target);
    if (values.size() != 2 || !spellings.empty()) {
      fail("expected a target of two values, got " + std::to_string(values.size()) + ": " + list(values) + spellings +
           (spellings.empty() && values.size() > 2 ? "; one that stands for what is not known can be told as a missing "
                                                     "word; more classes, or numbers, are other tasks'"
                                                   : ""));
    }
    if (positive_.empty()) {
      if (names_itself(values[0], values[1])) {
        positive_ = values[1];
      } else if (names_itself(values[1], values[0])) {
        positive_ = values[0];
      } else {
        fail("expected the positive class to be named for values other than 0/1, no/yes, n/y, false/true, f/t, got " +
             list(values));
      }
    }
    for (const std::string& value : values) {
      if (positive_ != values[0] && positive_ != values[1] && by_value(positive_) == by_value(value)) positive_ = value;
    }
    if (positive_ != values[0] && positive_ != values[1]) {
      std::string meant;
      for (const std::string& value : values) {
        if (lower(value) == lower(positive_)) meant = "; told as the data spell it it is \"" + value + "\"";
      }
      fail("expected the positive class \"" + positive_ + "\" among the target's values, got " + list(values) + meant);
    }
    classes_ = {positive_ == values[0] ? values[1] : values[0], positive_};
  } else if (classes_.empty()) {
    if (values.size() > 256) fail("expected at most 256 classes, got " + std::to_string(values.size()));
    classes_ = values;
  }
  if (balanced_) {
    std::vector<double> counts(classes_.size());
    const std::vector<std::uint8_t> labels = this->labels(target);
    for (const std::uint8_t label : labels) counts[label] += 1;
    class_weights_.assign(classes_.size(), 1);
    for (std::size_t c = 0; c < counts.size(); ++c) {
      if (counts[c] > 0) {
        class_weights_[c] = static_cast<double>(labels.size()) / (static_cast<double>(classes_.size()) * counts[c]);
      }
    }
  }
  fitted_ = true;
}

std::vector<std::uint8_t> Task::labels(const data::Column& target) const {
  if (classes_.empty()) throw StateError("[task] expected a fitted classification task, got one without classes");
  std::map<std::string, std::uint8_t, std::less<>> index;
  for (std::size_t c = 0; c < classes_.size(); ++c) index.emplace(classes_[c], static_cast<std::uint8_t>(c));
  // Another spelling of a class, where it means one of them and no other; each is looked up once.
  const auto respelled = [&](const std::string& text) {
    auto found = index.end();
    for (const std::string& name : classes_) {
      if (by_value(name) != by_value(text)) continue;
      if (found != index.end()) return index.end();
      found = index.find(name);
    }
    return found == index.end() ? found : index.emplace(text, found->second).first;
  };
  std::vector<std::uint8_t> labels(static_cast<std::size_t>(target.size()));
  for (std::int64_t i = 0; i < target.size(); ++i) {
    if (target.is_null(i))
      throw DataError("task", "expected a target value, got a missing one", {.row = i, .column = target_});
    auto found = index.find(target.text(i));
    if (found == index.end()) found = respelled(target.text(i));
    if (found == index.end()) {
      throw DataError("task", "expected one of " + list(classes_) + ", got \"" + target.text(i) + "\"",
                      {.row = i, .column = target_});
    }
    labels[static_cast<std::size_t>(i)] = found->second;
  }
  return labels;
}

std::vector<double> Task::row_weights(const data::Column& target) const {
  std::vector<double> weights;
  if (class_weights_.empty()) return weights;
  for (const std::uint8_t label : labels(target)) weights.push_back(class_weights_[label]);
  return weights;
}

Tensor Task::encode(const data::Column& target) const {
  if (!fitted_) throw StateError("[task] expected a fitted task, got one before fit");
  if (kind_ == TaskKind::regression) {
    std::vector<float> y(static_cast<std::size_t>(target.size()));
    for (std::int64_t i = 0; i < target.size(); ++i) {
      const double value = target.numeric(i);
      if (!std::isfinite(value)) {
        throw DataError("task",
                        "expected a finite target, got " + (target.is_null(i) ? "a missing one" : target.text(i)),
                        {.row = i, .column = target_});
      }
      y[static_cast<std::size_t>(i)] = static_cast<float>((value - mean_) / scale_);
    }
    return from_vector(y);
  }
  const std::vector<std::uint8_t> labels = this->labels(target);
  if (kind_ == TaskKind::multiclass) return from_vector(std::vector<std::int64_t>(labels.begin(), labels.end()));
  return from_vector(std::vector<float>(labels.begin(), labels.end()));
}

Tensor Task::loss(const Tensor& output, const Tensor& y) const {
  if (output.dim() != 2 || output.size(1) != outputs() || output.size(0) != y.size(0)) {
    throw ShapeError("[task] expected model output [" + std::to_string(y.size(0)) + ", " + std::to_string(outputs()) +
                     "], got " + to_string(output.shape()));
  }
  if (kind_ == TaskKind::multiclass) {
    CrossEntropyOptions options;
    if (!class_weights_.empty()) {
      options.weight = from_vector(class_weights_).to(output.dtype()).to(output.device());
    }
    return cross_entropy(output, y, options);
  }
  const Tensor flat = output.reshape({output.size(0)}), wanted = y.to(output.dtype());
  if (kind_ == TaskKind::regression) return mse_loss(flat, wanted);
  if (class_weights_.empty()) return bce_with_logits(flat, wanted);
  return bce_with_logits(flat, wanted,
                         {.weight = wanted * (class_weights_[1] - class_weights_[0]) + class_weights_[0]});
}

std::vector<double> Task::predict(const Tensor& output) const {
  std::vector<double> values = outputs_of(output);
  if (kind_ == TaskKind::regression) {
    for (double& v : values) v = mean_ + scale_ * v;
  } else if (kind_ == TaskKind::binary) {
    for (double& z : values) z = z >= 0 ? 1 / (1 + std::exp(-z)) : std::exp(z) / (1 + std::exp(z));
  } else {
    const std::size_t classes = classes_.size();
    for (std::size_t row = 0; row + classes <= values.size(); row += classes) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row),
                 end = begin + static_cast<std::ptrdiff_t>(classes);
      const double top = *std::max_element(begin, end);
      double sum = 0;
      for (auto z = begin; z != end; ++z) sum += * z = std::exp(*z - top);
      for (auto z = begin; z != end; ++z) *z /= sum;
    }
  }
  return values;
}

std::string Task::to_json() const {
  internal::OrderedJson json;
  json["format"] = 1;
  for (const auto& [kind, name] : kind_names) {
    if (kind == kind_) json["kind"] = name;
  }
  json["target"] = target_;
  json["fitted"] = fitted_;
  if (kind_ == TaskKind::regression) {
    json["link"] = "identity";
    json["loss"] = "mse";
    json["standardize"] = standardize_;
    json["mean"] = mean_;
    json["scale"] = scale_;
  } else {
    json["link"] = kind_ == TaskKind::binary ? "sigmoid" : "softmax";
    json["loss"] = "cross_entropy";
    json["classes"] = classes_;
    json["balanced"] = balanced_;
    json["class_weights"] = class_weights_;
  }
  if (kind_ == TaskKind::binary) {
    json["positive"] = positive_;
    json["threshold"] = threshold_;
    json["threshold_rule"] = to_string(rule_);
  }
  return internal::json_text(json, {.indent = 2});
}

Task Task::from_json(std::string_view text) {
  using internal::json_get;
  static const std::string what = "task.json";
  const internal::Json json = internal::parse_json(text, what);
  if (const int format = json_get<int>(json, "format", what); format != 1) {
    throw FormatError("[task.json] expected format 1, got " + std::to_string(format));
  }
  Task task;
  const auto kind = json_get<std::string>(json, "kind", what);
  const auto found = std::find_if(std::begin(kind_names), std::end(kind_names),
                                  [&](const auto& entry) { return entry.second == kind; });
  if (found == std::end(kind_names)) {
    throw FormatError("[task.json] expected kind binary, multiclass or regression, got \"" + kind + "\"");
  }
  task.kind_ = found->first;
  task.target_ = json_get<std::string>(json, "target", what);
  task.fitted_ = json_get<bool>(json, "fitted", what);
  if (task.kind_ == TaskKind::regression) {
    task.standardize_ = json_get<bool>(json, "standardize", what);
    task.mean_ = json_get<double>(json, "mean", what);
    task.scale_ = json_get<double>(json, "scale", what);
    if (!(task.scale_ > 0))
      throw FormatError("[task.json] expected scale above 0, got " + tern::internal::number_text(task.scale_));
    return task;
  }
  task.classes_ = json_get<std::vector<std::string>>(json, "classes", what);
  task.balanced_ = json_get<bool>(json, "balanced", what);
  task.class_weights_ = json_get<std::vector<double>>(json, "class_weights", what);
  if (!task.class_weights_.empty() && task.class_weights_.size() != task.classes_.size()) {
    throw FormatError("[task.json] expected a weight for each class, got " +
                      std::to_string(task.class_weights_.size()));
  }
  if (std::set<std::string>(task.classes_.begin(), task.classes_.end()).size() != task.classes_.size()) {
    throw FormatError("[task.json] expected distinct classes, got one twice");
  }
  if (task.classes_.size() > 256) throw FormatError("[task.json] expected at most 256 classes, got more");
  if (task.kind_ == TaskKind::binary) {
    if (task.fitted_ && task.classes_.size() != 2) throw FormatError("[task.json] expected two classes");
    task.positive_ = json_get<std::string>(json, "positive", what);
    if (task.fitted_ && task.positive_ != task.classes_[1]) {
      throw FormatError("[task.json] expected the positive class to be the second, got \"" + task.positive_ + "\"");
    }
    task.threshold_ = json_get<double>(json, "threshold", what);
    if (!std::isfinite(task.threshold_)) throw FormatError("[task.json] expected a finite threshold, got another");
    try {
      task.rule_ = metrics::parse_threshold_rule(json_get<std::string>(json, "threshold_rule", what));
    } catch (const ValueError& error) {
      throw FormatError("[task.json] " + std::string(error.what()));
    }
  }
  return task;
}

}  // namespace tern::train
