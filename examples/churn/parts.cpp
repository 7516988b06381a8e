#include "parts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "hints.h"
#include "input.h"

using namespace tern;

namespace {

std::vector<double> fractions(const TrainOptions& options) {
  std::vector<double> parts;
  const char *at = options.split_fractions.data(), *const last = at + options.split_fractions.size();
  for (;;) {
    double part = 0;
    const auto [end, error] = std::from_chars(at, last, part);
    parts.push_back(part);
    const bool good = error == std::errc{} && part >= 0 && part <= 1;
    if (good && end == last && parts.size() == 3) {
      const double sum = parts[0] + parts[1] + parts[2];
      for (double& share : parts) share /= sum;
      if (std::abs(sum - 1) > 1e-6) {
        throw ValueError("[churn] expected --split-fractions that sum to 1, got \"" + options.split_fractions + "\"");
      }
      if (parts[0] > 0 && parts[1] > 0) return parts;
      throw ValueError("[churn] expected --split-fractions with rows to train on and to validate on, got \"" +
                       options.split_fractions + "\"");
    }
    if (!good || end == last || *end != ',') {
      throw ValueError("[churn] expected --split-fractions train,validation,test, three shares from 0 to 1, got \"" +
                       options.split_fractions + "\"");
    }
    at = end + 1;
  }
}

std::vector<data::ColumnRole> roles_of(const data::Table& rows, const TrainOptions& options) {
  return data::infer_roles(rows, {.target = options.target, .id = options.id, .formats = false});
}

std::string remedy_for(const data::ColumnRole& column, const data::Table& rows, const TrainOptions& options) {
  if (column.role != data::Role::identifier && column.role != data::Role::free_text) return {};
  const std::string item = shell_quoted(list_item(column.name));
  const data::Column& values = rows.column(column.name);
  const bool unique = values.distinct_count() == rows.rows();
  std::string copied = options.id.empty() && column.role == data::Role::identifier && unique
                           ? "--id " + shell_quoted(column.name) + " copies it to the predictions"
                           : "";
  if (is_text(values) && count_levels(values).own == 0) return copied;  // nothing could be learned from it
  return copied + (copied.empty() ? "" : ", ") + "--keep " + item + " learns from it";
}

// Columns that are no features, each with its reason, judged on the rows given.
std::vector<LeftOut> left_out_of(const data::Table& rows, const TrainOptions& options) {
  std::vector<LeftOut> left_out;
  for (const data::ColumnRole& column : roles_of(rows, options)) {
    const std::string& name = column.name;
    if (name == options.id) {
      left_out.push_back({name, "the id", true});
    } else if (name == split_column(options, "time") && !among(options.keep, name)) {
      left_out.push_back({name, "the time of the split: test rows lie beyond the values learned from"});
    } else if (name == split_column(options, "group") && !among(options.keep, name)) {
      left_out.push_back({name, "the group of the split: other rows belong to other groups"});
    } else if (among(options.drop, name)) {
      left_out.push_back({name, "asked by --drop", true});
    } else if (!column.usable() && !among(options.keep, name)) {
      left_out.push_back({name, column.reason, false, remedy_for(column, rows, options)});
    }
  }
  return left_out;
}

}  // namespace

std::vector<std::string> names_of(const std::vector<LeftOut>& left_out) {
  std::vector<std::string> names;
  for (const LeftOut& column : left_out) names.push_back(column.name);
  return names;
}

data::Splits split(const data::Table& table, const Formats& booleans, const TrainOptions& options,
                   const train::Task& task, Journey& journey, std::vector<LeftOut>& left_out) {
  const std::string time = split_column(options, "time"), group = split_column(options, "group");
  const std::vector<double> part = fractions(options);
  const data::Table alike = as_read(table, booleans);
  std::vector<LeftOut> ever = left_out_of(table, options);
  std::vector<std::string> ignore = names_of(ever);
  data::Splits splits;
  for (bool again = true; again;) {
    splits = data::split(alike, {.train = part[0],
                                 .validation = part[1],
                                 .test = part[2],
                                 .stratify = time.empty() && group.empty() ? options.target : "",
                                 .group = group,
                                 .time = time,
                                 .seed = options.seed,
                                 .together = options.equal_rows == "together",
                                 .target = options.target,
                                 .id = options.id,
                                 .ignore = ignore});
    splits.train = table.take(splits.train_rows);
    splits.validation = table.take(splits.validation_rows);
    splits.test = table.take(splits.test_rows);
    left_out = left_out_of(splits.train, options);
    again = false;
    for (const LeftOut& column : left_out) {
      if (std::find(ignore.begin(), ignore.end(), column.name) != ignore.end()) continue;
      ignore.push_back(column.name);
      ever.push_back(column);
      again = true;
    }
    if (ignore.size() + 1 >= static_cast<std::size_t>(table.width())) {
      if (splits.together > 0) left_out = ever;  // whose rows of one value stand in one part
      again = false;
    }
  }
  std::string shares;  // of the positive class, which a split by time or group does not keep alike
  for (const data::Table* part : {&splits.train, &splits.validation, &splits.test}) {
    if (part->rows() == 0) continue;
    char share[16];
    std::snprintf(share, sizeof share, "%.1f %%",
                  100 * static_cast<double>(positives_of(*part, task)) / static_cast<double>(part->rows()));
    shares += (shares.empty() ? "" : ", ") + std::string(share);
  }
  std::string how = options.split;
  if (how == "random") {  // whole bundles may not come out in the shares that are wanted: that is a warning
    how += splits.warnings.empty() ? ", stratified" : ", stratified as far as equal rows that stay together let it";
    if (splits.together > 0) how += ", " + counted(splits.together, "row") + " equal to others kept with them";
  }
  journey.done("split", std::to_string(splits.train.rows()) + " train, " + std::to_string(splits.validation.rows()) +
                            " validation, " + std::to_string(splits.test.rows()) + " test (" + how + "; \"" +
                            task.positive() + "\" " + shares + ")");
  for (const std::string& note : splits.notes) journey.note(note);
  for (const std::string& warning : splits.warnings) journey.warn(with_options(warning));
  return splits;
}

void tell_left_out(const data::Table& training, std::int64_t together, const std::vector<LeftOut>& left_out,
                   const TrainOptions& options, const std::vector<std::string>& notes, Dropped& dropped) {
  std::vector<std::string> reasons;  // with what the reader noted of values and their lines
  for (const LeftOut& column : left_out) {
    dropped.columns.emplace_back(column.name, column.reason);
    if (!column.asked) {
      std::printf("  left out: \"%s\": %s%s\n", column.name.c_str(), with_options(column.reason).c_str(),
                  column.remedy.empty() ? "" : ("; " + column.remedy).c_str());
    }
    reasons.push_back("\"" + column.name + "\" (" + column.reason);
    const std::string about = "column \"" + column.name + "\": ";
    for (const std::string& note : notes) {
      if (note.starts_with(about)) reasons.back() += "; " + note.substr(about.size());
    }
    reasons.back() += ")";
  }
  if (left_out.size() + 1 >= static_cast<std::size_t>(training.width())) {
    throw DataError(
        "churn",
        "expected at least one column to learn from, " +
            (left_out.empty() ? "got a file with the target alone" : "but all are left out: " + join(reasons, 3)) +
            (together > 0
                 ? "; rows of equal features stay together, so that few values are trained on: where they are no "
                   "copies, equal rows may stand apart"
                 : ""),
        {.file = options.data});
  }
}

std::vector<std::string> features_of(const data::Table& table, const std::vector<LeftOut>& left_out,
                                     const TrainOptions& options) {
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    if (name != options.target && !among(names_of(left_out), name)) features.push_back(name);
  }
  return features;
}

std::vector<std::int64_t> groups_in(const data::Table& part, const Formats& booleans,
                                    const std::vector<LeftOut>& left_out, const TrainOptions& options) {
  if (const std::string group = split_column(options, "group"); !group.empty()) return part.first_equal_row({group});
  std::vector<std::string> ignore = names_of(left_out);
  std::erase(ignore, options.id);
  return data::groups_of_copies(as_read(part, booleans),
                                {.id = options.id, .target = options.target, .ignore = std::move(ignore)});
}

std::vector<std::int64_t> persons_in(const data::Table& part, const TrainOptions& options) {
  const std::string group = split_column(options, "group"), &name = group.empty() ? options.id : group;
  return name.empty() ? std::vector<std::int64_t>() : part.first_equal_row({name});
}

void warn_of_few(const data::Splits& splits, const std::vector<std::int64_t>& test_groups, const TrainOptions& options,
                 const train::Task& task, Journey& journey) {
  constexpr std::int64_t least = 30;
  const std::int64_t positives = positives_of(splits.train, task), negatives = splits.train.rows() - positives;
  if (std::min(positives, negatives) < least) {
    journey.warn("training rows: only " + counted(std::min(positives, negatives), "row") + " of class \"" +
                 task.classes().at(positives <= negatives ? 1 : 0) +
                 "\": too few to learn from; what the model makes of them is mostly chance");
  }
  if (splits.test.rows() == 0) return;
  const std::vector<std::uint8_t> labels = task.labels(splits.test.column(options.target));
  const std::string few = train::few_rows(train::count_rows(labels, test_groups));
  if (!few.empty()) journey.warn("test rows: " + few);
}

std::string splits_text(const data::Splits& splits) {
  std::vector<std::pair<std::int64_t, const char*>> rows;
  for (const std::int64_t id : splits.train.row_ids()) rows.emplace_back(id, "train");
  for (const std::int64_t id : splits.validation.row_ids()) rows.emplace_back(id, "validation");
  for (const std::int64_t id : splits.test.row_ids()) rows.emplace_back(id, "test");
  std::sort(rows.begin(), rows.end());
  std::string text = "row,split\n";
  for (const auto& [row, part] : rows) text += std::to_string(row) + "," + part + "\n";
  return text;
}
