#include "tern/train/leakage.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/metrics/binary.h"

namespace tern::train {
namespace {

// Each row's value as a small integer; 0 is missing.
std::vector<std::int64_t> groups_of(const data::Column& column, int bins) {
  std::vector<std::int64_t> groups(static_cast<std::size_t>(column.size()));
  if (column.type() == data::ColumnType::string || column.type() == data::ColumnType::categorical) {
    std::unordered_map<std::string_view, std::int64_t> seen;
    for (std::int64_t i = 0; i < column.size(); ++i) {
      if (column.is_null(i)) continue;
      const auto next = static_cast<std::int64_t>(seen.size()) + 1;
      groups[static_cast<std::size_t>(i)] = seen.emplace(column.string(i), next).first->second;
    }
    return groups;
  }
  const std::vector<double> values = column.numeric();
  std::vector<double> sorted;
  for (const double v : values) {
    if (!std::isnan(v)) sorted.push_back(v);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<double> edges;  // a bin is (edge before, edge]; a frequent value fills a bin of its own
  for (int b = 1; b < bins && !sorted.empty(); ++b) {
    const double edge = sorted[(sorted.size() - 1) * static_cast<std::size_t>(b) / static_cast<std::size_t>(bins)];
    const auto below = std::lower_bound(sorted.begin(), sorted.end(), edge);
    if (below != sorted.begin() && (edges.empty() || edges.back() < *(below - 1))) edges.push_back(*(below - 1));
    if (edges.empty() || edges.back() < edge) edges.push_back(edge);
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    groups[i] = 1 + (std::lower_bound(edges.begin(), edges.end(), values[i]) - edges.begin());
  }
  return groups;
}

// In the order of a random permutation the rows of each class are dealt out in turn, or the rows of whole groups, each
// to the fold that has the fewest rows.
std::vector<int> folds_of(std::span<const std::uint8_t> labels, const LeakageOptions& options) {
  std::vector<int> fold(labels.size());
  const auto order = permutation(static_cast<std::int64_t>(labels.size()), Philox(options.seed, 0x6c65616b));
  if (options.groups.empty()) {
    int next[2] = {0, 0};
    for (const std::int64_t i : order) {
      int& turn = next[labels[static_cast<std::size_t>(i)] != 0];
      fold[static_cast<std::size_t>(i)] = turn;
      turn = (turn + 1) % options.folds;
    }
    return fold;
  }
  std::unordered_map<std::int64_t, std::int64_t> rows_in;
  for (const std::int64_t group : options.groups) ++rows_in[group];
  std::unordered_map<std::int64_t, int> fold_of;
  std::vector<std::int64_t> filled(static_cast<std::size_t>(options.folds));
  for (const std::int64_t i : order) {
    const std::int64_t group = options.groups[static_cast<std::size_t>(i)];
    if (fold_of.contains(group)) continue;
    const auto least = std::min_element(filled.begin(), filled.end());
    *least += rows_in[group];
    fold_of.emplace(group, static_cast<int>(least - filled.begin()));
  }
  for (std::size_t i = 0; i < fold.size(); ++i) fold[i] = fold_of[options.groups[i]];
  return fold;
}

// As many bins as leave rows enough to a bin, or, of few different values, each by itself: what separates the classes
// need not lie at one end, nor be a range.
int fine_bins(const data::Column& column) {
  const std::int64_t rows = column.size() - column.null_count();
  return static_cast<int>(std::max<std::int64_t>(1, 5 * column.distinct_count() <= rows
                                                        ? std::min<std::int64_t>(rows, 1 << 20)
                                                        : std::min<std::int64_t>(rows / 8, 1024)));
}

double out_of_fold_auroc(const std::vector<std::int64_t>& groups, std::span<const std::uint8_t> labels,
                         const std::vector<int>& fold, int folds) {
  const auto n_groups = static_cast<std::size_t>(*std::max_element(groups.begin(), groups.end()) + 1);
  struct Count {
    double rows = 0, positives = 0;
  };
  std::vector<Count> by_group(n_groups), by_fold(static_cast<std::size_t>(folds));
  std::vector<Count> by_both(n_groups * static_cast<std::size_t>(folds));
  Count all;
  const auto add = [](Count& count, std::uint8_t label) {
    count.rows += 1;
    count.positives += label != 0;
  };
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto g = static_cast<std::size_t>(groups[i]), f = static_cast<std::size_t>(fold[i]);
    add(by_group[g], labels[i]);
    add(by_fold[f], labels[i]);
    add(by_both[f * n_groups + g], labels[i]);
    add(all, labels[i]);
  }
  std::vector<double> scores(groups.size());
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto g = static_cast<std::size_t>(groups[i]), f = static_cast<std::size_t>(fold[i]);
    const Count& own = by_both[f * n_groups + g];
    const double rate = (all.positives - by_fold[f].positives) / std::max(1.0, all.rows - by_fold[f].rows);
    const double rows = by_group[g].rows - own.rows, positives = by_group[g].positives - own.positives;
    scores[i] = (positives + rate) / (rows + 1);  // one row's worth of the overall rate
  }
  return metrics::auroc(scores, labels);
}

// The value with the most rows of nearly one class: a reason that is filled in for some of those who left and for
// nobody else. Quantile bins are left alone: the ends of an honest number may well be of one class.
PureValue find_pure_value(const data::Column& column, const std::vector<std::int64_t>& value_of,
                          std::span<const std::uint8_t> labels, const LeakageOptions& options) {
  constexpr std::int64_t most_numbers = 20, least_rows = 30;
  constexpr double least_of_class = 0.05, most_of_all = 0.75;
  struct Count {
    std::int64_t of_class[2] = {0, 0}, example = -1;
    std::unordered_set<std::int64_t> groups{};
  };
  const bool text = column.type() == data::ColumnType::string || column.type() == data::ColumnType::categorical;
  const bool levels = text || column.distinct_count() <= most_numbers;
  const bool gaps = column.null_count() > 0;
  if (!levels && !gaps) return {};
  std::vector<Count> counts(static_cast<std::size_t>(*std::max_element(value_of.begin(), value_of.end()) + 1));
  Count filled;
  std::int64_t all[2] = {0, 0};
  for (std::size_t i = 0; i < value_of.size(); ++i) {
    ++all[labels[i] != 0];
    for (Count* count : {&counts[static_cast<std::size_t>(value_of[i])], value_of[i] > 0 ? &filled : nullptr}) {
      if (count == nullptr) continue;
      ++count->of_class[labels[i] != 0];
      count->example = static_cast<std::int64_t>(i);
      if (!options.groups.empty()) count->groups.insert(options.groups[i]);
    }
  }
  PureValue found;
  const auto look = [&](const Count& count, PureValue::Kind kind) {
    const std::int64_t rows = count.of_class[0] + count.of_class[1];
    const bool positive = count.of_class[1] > count.of_class[0];
    const std::int64_t own = count.of_class[positive];
    if (rows < least_rows || found.rows >= rows) return;
    if (!options.groups.empty() && std::ssize(count.groups) < least_rows) return;
    const auto of_class = static_cast<double>(all[positive]);
    if (static_cast<double>(own) < options.purity * static_cast<double>(rows) ||
        static_cast<double>(own) < least_of_class * of_class ||
        of_class > most_of_all * static_cast<double>(value_of.size())) {
      return;
    }
    found = {.kind = kind,
             .text = kind == PureValue::Kind::level ? column.text(count.example) : std::string(),
             .rows = rows,
             .others = rows - own,
             .positive = positive};
  };
  if (gaps) {
    look(filled, PureValue::Kind::filled);
    look(counts[0], PureValue::Kind::missing);
  }
  for (std::size_t v = 1; levels && v < counts.size(); ++v) look(counts[v], PureValue::Kind::level);
  return found;
}

}  // namespace

std::vector<Leak> find_leaks(const data::Table& table, std::span<const std::uint8_t> labels,
                             const std::vector<std::string>& except, const LeakageOptions& options) {
  if (static_cast<std::int64_t>(labels.size()) != table.rows()) {
    throw ShapeError("[find_leaks] expected " + std::to_string(table.rows()) + " labels, got " +
                     std::to_string(labels.size()));
  }
  if (options.folds < 2 || options.bins < 1) {
    throw ValueError("[find_leaks] expected at least 2 folds and 1 bin, got " + std::to_string(options.folds) +
                     " and " + std::to_string(options.bins));
  }
  if (labels.empty()) return {};
  if (!options.groups.empty() && options.groups.size() != labels.size()) {
    throw ShapeError("[find_leaks] expected a group for each of " + std::to_string(labels.size()) + " rows, got " +
                     std::to_string(options.groups.size()));
  }
  const std::vector<int> fold = folds_of(labels, options);
  std::vector<Leak> found(static_cast<std::size_t>(table.width()));
  parallel_for(table.width(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t c = begin; c < end; ++c) {
      const data::Column& column = table.column(c);
      Leak& leak = found[static_cast<std::size_t>(c)];
      leak.column = table.names()[static_cast<std::size_t>(c)];
      if (std::find(except.begin(), except.end(), leak.column) != except.end()) continue;
      const std::vector<std::int64_t> groups = groups_of(column, options.bins);
      leak.auroc = out_of_fold_auroc(groups, labels, fold, options.folds);
      if (const int fine = fine_bins(column); fine > options.bins && column.is_numeric()) {
        leak.auroc = std::max(leak.auroc, out_of_fold_auroc(groups_of(column, fine), labels, fold, options.folds));
      }
      if (column.null_count() > 0) {
        std::vector<std::int64_t> missing(groups.size());
        for (std::size_t i = 0; i < groups.size(); ++i) missing[i] = groups[i] == 0 ? 0 : 1;
        const double alone = out_of_fold_auroc(missing, labels, fold, options.folds);
        leak.missingness_alone = alone >= options.auroc;
        leak.auroc = std::max(leak.auroc, alone);
      }
      if (!(leak.auroc >= options.auroc)) leak.pure = find_pure_value(column, groups, labels, options);
    }
  });
  std::erase_if(found, [&](const Leak& leak) { return !(leak.auroc >= options.auroc) && leak.pure.rows == 0; });
  return found;
}

}  // namespace tern::train
