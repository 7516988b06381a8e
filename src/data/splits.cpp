#include "tern/data/splits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "data/scalar.h"
#include "data/step_base.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/random.h"

namespace tern::data {
namespace {

constexpr std::uint64_t kSplitStream = 0x59117;  // of the order of rows, apart from other uses of a seed

using Rows = std::vector<std::int64_t>;

// What must go where: shares of the parts and the columns that bind rows.
struct Request {
  std::string where{};
  std::vector<double> shares{};
  std::vector<std::string> parts{};  // their names
  std::string stratify{}, group{}, time{}, target{}, id{};
  std::vector<std::string> ignore{};
  std::uint64_t seed = 0;
  bool together = true;
};

void need_values(const Table& table, const std::string& name, const std::string& where) {
  const Column& column = table.column(name);
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i) || (column.type() == ColumnType::f64 && std::isnan(column.f64(i)))) {
      internal::fail_row(table, i, name, where,
                         "expected a value in every row, got a missing one; drop such rows first");
    }
  }
}

void check(const Table& table, const Request& request) {
  if (!request.time.empty() && !(request.group.empty() && request.stratify.empty())) {
    throw ValueError("[" + request.where + "] expected time alone, got it with group or stratify");
  }
  for (const std::string& name : {request.stratify, request.group, request.time}) {
    if (!name.empty()) need_values(table, name, request.where);
  }
  for (const std::string& name : {request.target, request.id}) {
    if (!name.empty()) table.column(name);
  }
}

// The value of each row as a small number, in order of appearance.
std::vector<std::int64_t> numbered(const Table& table, const std::vector<std::string>& columns, std::int64_t& count) {
  std::vector<std::int64_t> number = table.first_equal_row(columns);
  count = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {  // the first of equal rows comes first, and has its number by then
    const auto first = static_cast<std::size_t>(number[i]);
    number[i] = first == i ? count++ : number[first];
  }
  return number;
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// Whole numbers next to n * share that sum to n, by largest remainder. `owed` carries what rounding kept from each part
// from one class to the next, so that totals come out too. With rows enough, every part that has a share gets one.
std::vector<double> apportion(std::int64_t n, const std::vector<double>& shares, std::vector<double>& owed) {
  constexpr double slack = 1e-9;  // what is equal but for rounding is equal: the first of equal ones wins
  const std::size_t parts = shares.size();
  std::vector<double> count(parts), exact(parts);
  double left = static_cast<double>(n);
  for (std::size_t p = 0; p < parts; ++p) {
    exact[p] = static_cast<double>(n) * shares[p];
    count[p] = std::floor(exact[p] + slack);
    left -= count[p];
  }
  std::vector<bool> raised(parts);
  for (; left > 0; --left) {
    std::size_t best = parts;
    for (std::size_t p = 0; p < parts; ++p) {
      if (shares[p] == 0 || raised[p]) continue;
      const double rest = exact[p] - count[p] + owed[p];
      if (best == parts || rest > exact[best] - count[best] + owed[best] + slack) best = p;
    }
    count[best] += 1;
    raised[best] = true;
  }
  for (std::size_t p = 0; p < parts; ++p) {
    if (shares[p] == 0 || count[p] > 0) continue;
    const auto most = std::max_element(count.begin(), count.end());
    if (*most < 2) break;
    *most -= 1;
    count[p] += 1;
  }
  for (std::size_t p = 0; p < parts; ++p) owed[p] += exact[p] - count[p];
  return count;
}

// Names of the columns by which rows are equal: neither target, id nor ignored, nor what the split goes by.
std::vector<std::string> features_of(const Table& table, const Request& request) {
  const std::string& target = request.target.empty() ? request.stratify : request.target;
  std::vector<std::string> features;
  for (const std::string& name : table.names()) {
    const bool ignored = std::find(request.ignore.begin(), request.ignore.end(), name) != request.ignore.end();
    if (name != target && name != request.id && name != request.group && name != request.time && !ignored) {
      features.push_back(name);
    }
  }
  return features;
}

// Names of the parts that have a share.
std::vector<std::string> parts_wanted(const Request& request) {
  std::vector<std::string> names;
  for (std::size_t p = 0; p < request.shares.size(); ++p) {
    if (request.shares[p] > 0) names.push_back(request.parts[p]);
  }
  return names;
}

// Groups that share rows of equal features become one, unless that would leave fewer of them than parts, or tie more
// rows to each other than the largest part is to have.
void join_groups(const std::vector<std::int64_t>& alike, std::int64_t kinds, const Request& request,
                 std::vector<std::int64_t>& group_of, std::int64_t& groups) {
  std::vector<std::int64_t> parent(static_cast<std::size_t>(groups)), first(static_cast<std::size_t>(kinds), -1);
  std::iota(parent.begin(), parent.end(), std::int64_t{0});
  const auto root = [&parent](std::int64_t g) {
    while (parent[static_cast<std::size_t>(g)] != g) {
      std::int64_t& up = parent[static_cast<std::size_t>(g)];
      up = parent[static_cast<std::size_t>(up)];
      g = up;
    }
    return g;
  };
  std::vector<std::int64_t> rows_in(static_cast<std::size_t>(groups));
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    ++rows_in[static_cast<std::size_t>(group_of[i])];
    std::int64_t& known = first[static_cast<std::size_t>(alike[i])];
    if (known < 0) known = group_of[i];
    const std::int64_t a = root(known), b = root(group_of[i]);
    parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
  }
  std::int64_t left = 0, largest = 0, largest_alone = 0;
  std::vector<std::int64_t> number(parent.size()), joined(parent.size());
  for (std::size_t g = 0; g < parent.size(); ++g) {
    const auto to = static_cast<std::size_t>(root(static_cast<std::int64_t>(g)));  // its root comes before it
    number[g] = to == g ? left++ : number[to];
    joined[to] += rows_in[g];
    largest = std::max(largest, joined[to]);
    largest_alone = std::max(largest_alone, rows_in[g]);
  }
  const double most =
      static_cast<double>(group_of.size()) * *std::max_element(request.shares.begin(), request.shares.end());
  if (left < static_cast<std::int64_t>(parts_wanted(request).size()) ||
      (largest > largest_alone && static_cast<double>(largest) > most))
    return;
  for (std::int64_t& g : group_of) g = number[static_cast<std::size_t>(g)];
  groups = left;
}

// Bundles of rows that stay together, each handed to one part: larger bundles first, equal sizes in random order, each
// to the part where it overshoots the classes' counts least and, among those, where most is still wanted. The last
// bundles go to the parts that have none yet.
std::vector<int> assign(const Table& table, const Request& request) {
  const auto rows = static_cast<std::size_t>(table.rows());
  std::int64_t classes = 1, bundles = table.rows();
  std::vector<std::int64_t> class_of(rows), bundle_of(rows);
  if (!request.stratify.empty()) class_of = numbered(table, {request.stratify}, classes);
  std::iota(bundle_of.begin(), bundle_of.end(), std::int64_t{0});
  const std::vector<std::string> features = request.together ? features_of(table, request) : std::vector<std::string>();
  if (!request.group.empty()) {
    bundle_of = numbered(table, {request.group}, bundles);
    const std::vector<std::string> wanted = parts_wanted(request);
    if (bundles < static_cast<std::int64_t>(wanted.size())) {
      internal::fail_column(table, request.group, request.where,
                            "expected at least " + std::to_string(wanted.size()) + " groups, one for each of " +
                                join(wanted) + ", got " + std::to_string(bundles));
    }
    if (!features.empty()) {
      std::int64_t kinds = 0;
      const std::vector<std::int64_t> alike = numbered(table, features, kinds);
      join_groups(alike, kinds, request, bundle_of, bundles);
    }
  } else if (!features.empty()) {
    bundle_of = numbered(table, features, bundles);
  }

  const auto parts = request.shares.size();
  std::vector<std::int64_t> class_rows(static_cast<std::size_t>(classes));
  for (const std::int64_t c : class_of) ++class_rows[static_cast<std::size_t>(c)];
  std::vector<std::vector<double>> wanted, left;  // [class][part]
  std::vector<double> owed(parts);
  for (const std::int64_t n : class_rows) wanted.push_back(apportion(n, request.shares, owed));
  left = wanted;

  // Rows of each bundle, one bundle after the other.
  std::vector<std::size_t> begin(static_cast<std::size_t>(bundles) + 1);
  for (const std::int64_t b : bundle_of) ++begin[static_cast<std::size_t>(b) + 1];
  std::partial_sum(begin.begin(), begin.end(), begin.begin());
  std::vector<std::size_t> at(begin.begin(), begin.end() - 1), members(rows);
  for (std::size_t i = 0; i < rows; ++i) members[at[static_cast<std::size_t>(bundle_of[i])]++] = i;

  Rows order = permutation(bundles, Philox(request.seed, kSplitStream));
  const auto size_of = [&begin](std::int64_t b) {
    return begin[static_cast<std::size_t>(b) + 1] - begin[static_cast<std::size_t>(b)];
  };
  std::stable_sort(order.begin(), order.end(),
                   [&size_of](std::int64_t a, std::int64_t b) { return size_of(a) > size_of(b); });

  std::vector<int> part_of(rows);
  std::vector<bool> filled(parts);
  auto empty = static_cast<std::int64_t>(parts_wanted(request).size());
  std::int64_t to_come = bundles;
  std::vector<std::pair<std::size_t, double>> histogram;  // class, rows of the bundle
  for (const std::int64_t b : order) {
    const bool only_empty = to_come-- <= empty;
    const std::size_t first = begin[static_cast<std::size_t>(b)], last = begin[static_cast<std::size_t>(b) + 1];
    histogram.clear();
    for (std::size_t k = first; k < last; ++k) {
      const auto c = static_cast<std::size_t>(class_of[members[k]]);
      const auto found =
          std::find_if(histogram.begin(), histogram.end(), [c](const auto& entry) { return entry.first == c; });
      if (found == histogram.end()) {
        histogram.emplace_back(c, 1.0);
      } else {
        found->second += 1;
      }
    }
    std::size_t best = parts;
    double best_over = 0, best_want = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      if (request.shares[p] == 0 || (only_empty && empty > 0 && filled[p])) continue;
      double over = 0, want = 0;
      for (const auto& [c, n] : histogram) {
        over += std::max(0.0, n - std::max(0.0, left[c][p]));
        if (wanted[c][p] > 0) want += n * left[c][p] / wanted[c][p];
      }
      if (best == parts || over < best_over || (over == best_over && want > best_want)) {
        best = p;
        best_over = over;
        best_want = want;
      }
    }
    if (!filled[best]) --empty;
    filled[best] = true;
    for (std::size_t k = first; k < last; ++k) {
      part_of[members[k]] = static_cast<int>(best);
      left[static_cast<std::size_t>(class_of[members[k]])][best] -= 1;
    }
  }
  return part_of;
}

// Rows in time, cut near the cumulated shares, never between equal times: a cut within a run of them goes to its nearer
// end.
std::vector<int> assign_by_time(const Table& table, const Request& request) {
  const Column& time = table.column(request.time);
  if (time.type() != ColumnType::timestamp && time.type() != ColumnType::i64 && time.type() != ColumnType::f64) {
    internal::fail_column(table, request.time, request.where,
                          "expected timestamps or numbers to order by, got " + std::string(to_string(time.type())) +
                              "; where it holds dates, tell the type that is their form, such as date:dmy");
  }
  const Rows order = table.sorted_indices({request.time});
  const auto rows = static_cast<std::int64_t>(order.size());
  const auto same = [&](std::int64_t k) {  // whether the rows at k - 1 and k have the same time
    const std::int64_t a = order[static_cast<std::size_t>(k - 1)], b = order[static_cast<std::size_t>(k)];
    if (time.type() == ColumnType::f64) return time.f64(a) == time.f64(b);
    const auto values = time.i64_values();
    return values[static_cast<std::size_t>(a)] == values[static_cast<std::size_t>(b)];
  };
  std::vector<int> part_of(order.size());
  double share = 0;
  std::int64_t begin = 0;
  for (std::size_t p = 0; p < request.shares.size(); ++p) {
    share += request.shares[p];
    std::int64_t end = p + 1 == request.shares.size() ? rows : std::llround(static_cast<double>(rows) * share);
    end = std::clamp(end, begin, rows);
    std::int64_t before = end, after = end;
    while (before > begin && before < rows && same(before)) --before;
    while (after > 0 && after < rows && same(after)) ++after;
    end = end - before <= after - end && before > begin ? before : after;
    if (request.shares[p] == 0) end = begin;
    for (std::int64_t k = begin; k < end; ++k)
      part_of[static_cast<std::size_t>(order[static_cast<std::size_t>(k)])] = static_cast<int>(p);
    begin = end;
  }
  return part_of;
}

std::vector<int> parts_of(const Table& table, const Request& request) {
  check(table, request);
  return request.time.empty() ? assign(table, request) : assign_by_time(table, request);
}

// The column whose every class must be in every part, empty when there is none.
std::string class_column(const Table& table, const Request& request) {
  if (!request.stratify.empty()) return request.stratify;
  if (request.target.empty()) return {};
  const ColumnType type = table.column(request.target).type();
  const bool categories = type == ColumnType::boolean || type == ColumnType::categorical || type == ColumnType::string;
  return categories || table.column(request.target).distinct_count() == 2 ? request.target : std::string();
}

void check_parts(const Table& table, const Request& request, const std::vector<int>& part_of) {
  const std::size_t parts = request.shares.size();
  std::vector<std::int64_t> sizes(parts);
  for (const int p : part_of) ++sizes[static_cast<std::size_t>(p)];
  const std::string& file = table.source_file();
  for (std::size_t p = 0; p < parts; ++p) {
    if (request.shares[p] > 0 && sizes[p] == 0) {
      throw DataError(
          request.where,
          "expected at least one row in " + request.parts[p] + ", got none of " + std::to_string(table.rows()),
          {.file = file});
    }
  }
  const std::string name = class_column(table, request);
  if (name.empty()) return;
  const Column& column = table.column(name);
  std::int64_t classes = 0;
  const std::vector<std::int64_t> class_of = numbered(table, {name}, classes);
  std::vector<std::int64_t> example(static_cast<std::size_t>(classes), -1);
  std::vector<std::vector<bool>> present(static_cast<std::size_t>(classes), std::vector<bool>(parts));
  for (std::size_t i = 0; i < class_of.size(); ++i) {
    const auto c = static_cast<std::size_t>(class_of[i]);
    example[c] = static_cast<std::int64_t>(i);
    present[c][static_cast<std::size_t>(part_of[i])] = true;
  }
  for (std::size_t c = 0; c < present.size(); ++c) {
    if (column.is_null(example[c])) continue;
    for (std::size_t p = 0; p < parts; ++p) {
      if (request.shares[p] == 0 || present[c][p]) continue;
      internal::fail_column(
          table, name, request.where,
          "expected rows of class \"" + column.text(example[c]) + "\" in " + request.parts[p] + ", got none");
    }
  }
}

// Rows equal in all features to a row of an earlier part, where group or time rules who stands where.
std::int64_t repeats(const Table& table, const Request& request, const std::vector<int>& part_of) {
  if (!request.together || (request.group.empty() && request.time.empty())) return 0;
  const std::vector<std::string> features = features_of(table, request);
  if (features.empty()) return 0;
  std::int64_t kinds = 0, count = 0;
  const std::vector<std::int64_t> alike = numbered(table, features, kinds);
  std::vector<int> earliest(static_cast<std::size_t>(kinds), std::numeric_limits<int>::max());
  for (std::size_t i = 0; i < alike.size(); ++i) {
    int& part = earliest[static_cast<std::size_t>(alike[i])];
    part = std::min(part, part_of[i]);
  }
  for (std::size_t i = 0; i < alike.size(); ++i) count += part_of[i] > earliest[static_cast<std::size_t>(alike[i])];
  return count;
}

std::string repeats_note(const Table& table, const Request& request, std::int64_t count) {
  const bool by_time = !request.time.empty();
  return std::to_string(count) + " of " + std::to_string(table.rows()) +
         " rows are equal in every feature to a row of an earlier part, and stay where " +
         internal::shown(by_time ? request.time : request.group) + " puts them" +
         (by_time ? ": a split by time moves no row"
                  : ": joining the groups that share them would leave too few or too large ones") +
         "; figures may be optimistic";
}

Rows rows_of(const std::vector<int>& part_of, int part) {
  Rows rows;
  for (std::size_t i = 0; i < part_of.size(); ++i) {
    if (part_of[i] == part) rows.push_back(static_cast<std::int64_t>(i));
  }
  return rows;
}

}  // namespace

Splits split(const Table& table, const SplitOptions& options) {
  const double sum = options.train + options.validation + options.test;
  for (const double share : {options.train, options.validation, options.test}) {
    if (!(share >= 0 && share <= 1) || std::fabs(sum - 1) > 1e-9 || options.train == 0) {
      throw ValueError("[split] expected shares of at least 0 that sum to 1, train above 0, got " +
                       std::to_string(options.train) + ", " + std::to_string(options.validation) + ", " +
                       std::to_string(options.test));
    }
  }
  const Request request{.where = "split",
                        .shares = {options.train / sum, options.validation / sum, options.test / sum},
                        .parts = {"train", "validation", "test"},
                        .stratify = options.stratify,
                        .group = options.group,
                        .time = options.time,
                        .target = options.target,
                        .id = options.id,
                        .ignore = options.ignore,
                        .seed = options.seed,
                        .together = options.together};
  const std::vector<int> part_of = parts_of(table, request);
  check_parts(table, request, part_of);
  Splits result;
  result.train_rows = rows_of(part_of, 0);
  result.validation_rows = rows_of(part_of, 1);
  result.test_rows = rows_of(part_of, 2);
  result.train = table.take(result.train_rows);
  result.validation = table.take(result.validation_rows);
  result.test = table.take(result.test_rows);
  result.repeated = repeats(table, request, part_of);
  if (result.repeated > 0) {
    result.notes.push_back(repeats_note(table, request, result.repeated));
    log(LogLevel::warning, "[split] " + result.notes.back());
  }
  return result;
}

std::vector<Fold> k_fold(const Table& table, const KFoldOptions& options) {
  if (options.folds < 2) {
    throw ValueError("[k_fold] expected at least 2 folds, got " + std::to_string(options.folds));
  }
  const bool by_time = !options.time.empty();
  const int parts = options.folds + by_time;
  if (parts > table.rows()) {
    throw DataError("k_fold",
                    "expected at least " + std::to_string(parts) + " rows, got " + std::to_string(table.rows()),
                    {.file = table.source_file()});
  }
  Request request{.where = "k_fold",
                  .shares = std::vector<double>(static_cast<std::size_t>(parts), 1.0 / parts),
                  .parts = {},
                  .stratify = options.stratify,
                  .group = options.group,
                  .time = options.time,
                  .target = options.target,
                  .id = options.id,
                  .ignore = options.ignore,
                  .seed = options.seed,
                  .together = options.together};
  for (int p = 0; p < parts; ++p) request.parts.push_back((by_time ? "stretch " : "fold ") + std::to_string(p));
  const std::vector<int> part_of = parts_of(table, request);
  check_parts(table, request, part_of);
  if (const std::int64_t count = repeats(table, request, part_of); count > 0) {
    log(LogLevel::warning, "[k_fold] " + repeats_note(table, request, count));
  }
  std::vector<Fold> folds(static_cast<std::size_t>(options.folds));
  for (std::size_t i = 0; i < part_of.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    for (int f = 0; f < options.folds; ++f) {
      Fold& fold = folds[static_cast<std::size_t>(f)];
      const int held = by_time ? f + 1 : f;
      if (part_of[i] == held) {
        fold.validation.push_back(row);
      } else if (!by_time || part_of[i] < held) {
        fold.train.push_back(row);
      }
    }
  }
  return folds;
}

}  // namespace tern::data
