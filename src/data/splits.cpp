#include "tern/data/splits.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>
#include <utility>

#include "base/number_text.h"
#include "base/warnings.h"
#include "data/equal_rows.h"
#include "data/scalar.h"
#include "data/step_base.h"
#include "tern/base/error.h"
#include "tern/base/log.h"
#include "tern/base/random.h"

namespace tern::data {
namespace {

constexpr std::uint64_t kSplitStream = 0x59117;  // of the order of rows, apart from other uses of a seed

using Rows = std::vector<std::int64_t>;
using internal::numbered_values;

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

// What split and k_fold are told alike.
template <class Options>
Request request_of(const char* where, const Options& options, std::vector<double>&& shares,
                   std::vector<std::string>&& parts) {
  return {.where = where,
          .shares = std::move(shares),
          .parts = std::move(parts),
          .stratify = options.stratify,
          .group = options.group,
          .time = options.time,
          .target = options.target,
          .id = options.id,
          .ignore = options.ignore,
          .seed = options.seed,
          .together = options.together};
}

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

// Groups that share rows of equal features become one, those that share the rarest first: so far as that leaves bundles
// enough for the parts, and ties no more rows to each other than the largest part is to have.
void join_groups(const internal::EqualRows& equal, const Request& request, std::vector<std::int64_t>& group_of,
                 std::int64_t& groups) {
  std::vector<std::int64_t> parent(static_cast<std::size_t>(groups)), rows_in(parent.size());
  std::iota(parent.begin(), parent.end(), std::int64_t{0});
  const auto root = [&parent](std::int64_t g) {
    while (parent[static_cast<std::size_t>(g)] != g) {
      std::int64_t& up = parent[static_cast<std::size_t>(g)];
      up = parent[static_cast<std::size_t>(up)];
      g = up;
    }
    return g;
  };
  std::vector<std::vector<std::int64_t>> sharing(equal.size.size());  // the groups of each kind of rows
  for (std::size_t i = 0; i < group_of.size(); ++i) {
    ++rows_in[static_cast<std::size_t>(group_of[i])];
    std::vector<std::int64_t>& known = sharing[static_cast<std::size_t>(equal.kind[i])];
    if (known.empty() || known.back() != group_of[i]) known.push_back(group_of[i]);
  }
  Rows order(equal.size.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&equal](std::int64_t a, std::int64_t b) {
    return equal.size[static_cast<std::size_t>(a)] < equal.size[static_cast<std::size_t>(b)];
  });
  const double most =
      static_cast<double>(group_of.size()) * *std::max_element(request.shares.begin(), request.shares.end());
  std::int64_t left = groups;
  for (const std::int64_t kind : order) {
    std::vector<std::int64_t>& roots = sharing[static_cast<std::size_t>(kind)];
    for (std::int64_t& g : roots) g = root(g);
    std::sort(roots.begin(), roots.end());
    roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
    if (roots.size() < 2) continue;
    std::int64_t rows = 0;
    for (const std::int64_t g : roots) rows += rows_in[static_cast<std::size_t>(g)];
    const std::int64_t then = left - static_cast<std::int64_t>(roots.size()) + 1;
    if (static_cast<double>(rows) > most || then < static_cast<std::int64_t>(parts_wanted(request).size())) continue;
    for (const std::int64_t g : roots) parent[static_cast<std::size_t>(g)] = roots.front();
    rows_in[static_cast<std::size_t>(roots.front())] = rows;
    left = then;
  }
  std::vector<std::int64_t> number(parent.size());
  groups = 0;
  for (std::size_t g = 0; g < parent.size(); ++g) {
    const auto to = static_cast<std::size_t>(root(static_cast<std::int64_t>(g)));  // its root comes before it
    number[g] = to == g ? groups++ : number[to];
  }
  for (std::int64_t& g : group_of) g = number[static_cast<std::size_t>(g)];
}

// Rows of a block of equal rows that is no matter of chance: it stands in one part whole, and parts differ by it.
bool is_large(std::int64_t block, std::int64_t rows) { return block >= 30 && 100 * block > rows; }

// Bundles of rows that stay together, each handed to one part: larger bundles first, those of about the same size in
// random order (or a table whose bundles all differ in size would be split alike by every seed), each to the part where
// it overshoots the classes' counts least and, among those, where most is still wanted. The last bundles go to the
// parts that have none yet.
std::vector<int> assign(const Table& table, const Request& request, const internal::EqualRows& equal) {
  const auto rows = static_cast<std::size_t>(table.rows());
  std::int64_t classes = 1, bundles = table.rows();
  std::vector<std::int64_t> class_of(rows), bundle_of(rows);
  if (!request.stratify.empty()) class_of = numbered_values(table, {request.stratify}, classes);
  std::iota(bundle_of.begin(), bundle_of.end(), std::int64_t{0});
  if (!request.group.empty()) {
    bundle_of = numbered_values(table, {request.group}, bundles);
    const std::vector<std::string> wanted = parts_wanted(request);
    if (bundles < static_cast<std::int64_t>(wanted.size())) {
      internal::fail_column(table, request.group, request.where,
                            "expected at least " + std::to_string(wanted.size()) + " groups, one for each of " +
                                join(wanted) + ", got " + std::to_string(bundles));
    }
    if (!equal.kind.empty()) join_groups(equal, request, bundle_of, bundles);
  } else if (!equal.kind.empty()) {
    bundle_of = equal.kind;
    bundles = static_cast<std::int64_t>(equal.size.size());
  }

  if (request.group.empty() && !equal.kind.empty()) {  // other rows do not make up for the classes of a large block
    for (std::size_t i = 0; i < rows; ++i) {
      if (is_large(equal.size[static_cast<std::size_t>(equal.kind[i])], table.rows())) class_of[i] += classes;
    }
    classes *= 2;
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
  const auto about = [&size_of](std::int64_t b) {  // sizes up to 8 as they are, then by octaves
    const std::size_t size = size_of(b);
    return size <= 8 ? size : std::bit_ceil(size);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&about](std::int64_t a, std::int64_t b) { return about(a) > about(b); });

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

// Equal rows as far as the split looks at them; else empty.
internal::EqualRows equal_rows(const Table& table, const Request& request) {
  if (!request.together) return {};
  const std::vector<std::string> features = features_of(table, request);
  if (features.empty()) return {};
  return internal::find_equal_rows(table, features);
}

std::vector<int> parts_of(const Table& table, const Request& request, const internal::EqualRows& equal) {
  return request.time.empty() ? assign(table, request, equal) : assign_by_time(table, request);
}

// The column whose every class must be in every part, empty when there is none.
std::string class_column(const Table& table, const Request& request) {
  if (!request.stratify.empty()) return request.stratify;
  if (request.target.empty()) return {};
  const ColumnType type = table.column(request.target).type();
  const bool categories = type == ColumnType::boolean || type == ColumnType::categorical || type == ColumnType::string;
  return categories || table.column(request.target).distinct_count() == 2 ? request.target : std::string();
}

// Why a class of so many rows is in some part not to be found, and what helps.
std::string why_absent(const Request& request, bool equal_rows, std::int64_t rows) {
  const auto wanted = static_cast<std::int64_t>(parts_wanted(request).size());
  const std::string there = "; there " + std::string(rows == 1 ? "is 1 row" : "are " + std::to_string(rows) + " rows");
  if (rows < wanted) {
    return there + " of that class in all, and each of " + std::to_string(wanted) +
           " parts needs one: it takes more of them, and many more to learn from";
  }
  if (!request.time.empty()) {
    return there + " of that class, all at other times: where " + internal::shown(request.time) +
           " goes with the outcome, as the day of a cancellation does, it is no time to split by";
  }
  if (!request.group.empty()) return there + " of that class, in few groups of " + internal::shown(request.group);
  if (!equal_rows) return there + " of that class";
  return there +
         " of that class, among rows that equal others and stay with them; where they are no copies, equal rows "
         "may stand apart";
}

void check_parts(const Table& table, const Request& request, const internal::EqualRows& equal,
                 const std::vector<int>& part_of) {
  const bool equal_rows = std::any_of(equal.size.begin(), equal.size.end(), [](std::int64_t size) { return size > 1; });
  const std::size_t parts = request.shares.size();
  std::vector<std::int64_t> sizes(parts);
  for (const int p : part_of) ++sizes[static_cast<std::size_t>(p)];
  const std::string& file = table.source_file();
  for (std::size_t p = 0; p < parts; ++p) {
    if (request.shares[p] > 0 && sizes[p] == 0) {
      throw DataError(
          request.where,
          "expected at least one row in " + request.parts[p] + ", got none of " + std::to_string(table.rows()) +
              (!request.time.empty() ? "; rows of the same " + internal::shown(request.time) + " stay together"
               : equal_rows && request.group.empty()
                   ? "; rows of equal features stay together: where they are no copies, equal rows may stand apart"
                   : ""),
          {.file = file});
    }
  }
  const std::string name = class_column(table, request);
  if (name.empty()) return;
  const Column& column = table.column(name);
  std::int64_t classes = 0;
  const std::vector<std::int64_t> class_of = numbered_values(table, {name}, classes);
  std::vector<std::int64_t> example(static_cast<std::size_t>(classes), -1);
  std::vector<std::vector<bool>> present(static_cast<std::size_t>(classes), std::vector<bool>(parts));
  std::vector<std::int64_t> rows_of_class(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < class_of.size(); ++i) {
    const auto c = static_cast<std::size_t>(class_of[i]);
    example[c] = static_cast<std::int64_t>(i);
    ++rows_of_class[c];
    present[c][static_cast<std::size_t>(part_of[i])] = true;
  }
  for (std::size_t c = 0; c < present.size(); ++c) {
    if (column.is_null(example[c])) continue;
    for (std::size_t p = 0; p < parts; ++p) {
      if (request.shares[p] == 0 || present[c][p]) continue;
      internal::fail_column(table, name, request.where,
                            "expected rows of class \"" + column.text(example[c]) + "\" in " + request.parts[p] +
                                ", got none" + why_absent(request, equal_rows, rows_of_class[c]));
    }
  }
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

// Where a class has a share in some part that chance would not give it: the class for which it is plainest.
std::string shares_warning(const Table& table, const Request& request, const std::vector<int>& part_of) {
  constexpr double most_deviations = 4;  // of the number of rows of a class, in a part drawn at random
  constexpr double least_ratio = 1.2;    // of the odds, below which a difference matters little
  const std::string name = class_column(table, request);
  if (name.empty()) return {};
  std::int64_t classes = 0;
  const std::vector<std::int64_t> class_of = numbered_values(table, {name}, classes);
  if (classes < 2 || classes > 100) return {};
  const std::size_t parts = request.shares.size();
  std::vector<double> part_rows(parts), class_rows(static_cast<std::size_t>(classes));
  std::vector<std::vector<double>> count(static_cast<std::size_t>(classes), std::vector<double>(parts));
  std::vector<std::int64_t> example(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < class_of.size(); ++i) {
    const auto c = static_cast<std::size_t>(class_of[i]), p = static_cast<std::size_t>(part_of[i]);
    part_rows[p] += 1;
    class_rows[c] += 1;
    count[c][p] += 1;
    example[c] = static_cast<std::int64_t>(i);
  }
  const auto rows = static_cast<double>(table.rows());
  double plainest = 0;
  std::size_t at = 0;
  for (std::size_t c = 0; c < count.size(); ++c) {
    for (std::size_t p = 0; p < parts; ++p) {
      const double in_part = part_rows[p], share = class_rows[c] / rows;
      if (in_part == 0 || in_part == rows) continue;
      const double sd = std::sqrt(in_part * share * (1 - share) * (rows - in_part) / (rows - 1));
      const double deviations = std::fabs(count[c][p] - in_part * share) / sd;
      const double odds = (count[c][p] + 0.5) / (in_part - count[c][p] + 0.5) * (1 - share) / share;
      if (deviations < most_deviations || std::max(odds, 1 / odds) < least_ratio) continue;
      if (deviations > plainest * (1 + 1e-9) ||
          (deviations > plainest * (1 - 1e-9) && class_rows[c] < class_rows[at])) {
        plainest = std::max(plainest, deviations);
        at = c;
      }
    }
  }
  if (plainest == 0) return {};
  std::string text;
  for (std::size_t p = 0; p < parts; ++p) {
    if (part_rows[p] == 0) continue;
    text += (text.empty() ? "" : ", ") + percent(count[at][p] / part_rows[p]) + " of " + request.parts[p];
  }
  const Column& column = table.column(name);
  const std::string value =
      example[at] < 0 || column.is_null(example[at]) ? "a missing value" : "\"" + column.text(example[at]) + "\"";
  return value + " is " + text + ": further apart than chance brings parts of these sizes, so " +
         (!request.time.empty() ? "it changes with " + internal::shown(request.time) +
                                      ", and probabilities learned from earlier rows may be off for later ones"
          : !request.group.empty() ? "groups differ in it; the figures are those of few groups"
                                   : "figures of one part need not hold for another");
}

// Rows equal in all features to a row of an earlier part, where group or time rules who stands where, and those of
// them whose target is another.
std::int64_t repeats(const Table& table, const Request& request, const internal::EqualRows& equal,
                     const std::vector<int>& part_of, std::int64_t& differing) {
  differing = 0;
  if (equal.kind.empty() || (request.group.empty() && request.time.empty())) return 0;
  std::vector<int> earliest(equal.size.size(), std::numeric_limits<int>::max());
  std::vector<std::size_t> first(equal.size.size());
  for (std::size_t i = 0; i < part_of.size(); ++i) {
    const auto kind = static_cast<std::size_t>(equal.kind[i]);
    if (part_of[i] >= earliest[kind]) continue;
    earliest[kind] = part_of[i];
    first[kind] = i;
  }
  std::vector<std::int64_t> target(part_of.size());
  std::int64_t values = 0, count = 0;
  if (!request.target.empty()) target = numbered_values(table, {request.target}, values);
  for (std::size_t i = 0; i < part_of.size(); ++i) {
    const auto kind = static_cast<std::size_t>(equal.kind[i]);
    if (part_of[i] <= earliest[kind]) continue;
    ++count;
    differing += target[i] != target[first[kind]];
  }
  return count;
}

// What makes figures doubtful where large blocks of equal rows stand in one part each.
std::string blocks_warning(const internal::EqualRows& equal, std::int64_t all) {
  std::int64_t rows = 0, blocks = 0;
  for (const std::int64_t size : equal.size) {
    if (!is_large(size, all)) continue;
    rows += size;
    ++blocks;
  }
  if (blocks == 0) return {};
  return std::to_string(rows) + " of " + std::to_string(all) + " rows (" +
         percent(static_cast<double>(rows) / static_cast<double>(all)) +
         ") are equal in every feature to many others, and " +
         (blocks == 1 ? "stand in one part"
                      : "each of their " + std::to_string(blocks) + " blocks stands in one part") +
         ": figures are those of values that were not learned from, of parts that differ; where they are no copies but "
         "look alike, equal rows may stand apart";
}

// What is to be known of rows that equal others: of those on both sides of a split a warning or a note.
void tell_of_equal_rows(const Table& table, const Request& request, const internal::EqualRows& equal,
                        const std::vector<int>& part_of, Splits& result) {
  const std::string all = std::to_string(table.rows());
  if (request.group.empty() && request.time.empty()) {
    for (const std::int64_t size : equal.size) result.together += size > 1 ? size : 0;
    if (std::string text = blocks_warning(equal, table.rows()); !text.empty()) {
      result.warnings.push_back(std::move(text));
    }
  }
  std::int64_t differing = 0;
  result.repeated = repeats(table, request, equal, part_of, differing);
  if (result.repeated == 0) return;
  const bool by_time = !request.time.empty();
  const std::string text = std::to_string(result.repeated) + " of " + all +
                           " rows are equal in every feature to a row of an earlier part, and stay where " +
                           internal::shown(by_time ? request.time : request.group) + " puts them" +
                           (by_time ? ": a split by time moves no row"
                                    : ": joining the groups that share them would leave too few or too large ones");
  if (request.target.empty() ||
      internal::may_be_copies(result.repeated, differing, internal::chance_of_difference(table, request.target))) {
    result.warnings.push_back(text + "; if they are copies, figures are optimistic");
  } else {
    result.notes.push_back(text + "; " + std::to_string(differing) +
                           " of them differ from it in the target, so they look alike by chance and are no copies");
  }
}

// What is to be known of a split, for whoever reads it and for the log.
void tell(const Table& table, const Request& request, const internal::EqualRows& equal, const std::vector<int>& part_of,
          Splits& result) {
  tell_of_equal_rows(table, request, equal, part_of, result);
  if (std::string text = shares_warning(table, request, part_of); !text.empty()) {
    result.warnings.push_back(std::move(text));
  }
  for (const std::string& note : result.notes) log(LogLevel::info, "[" + request.where + "] " + note);
  for (const std::string& warning : result.warnings) {
    std::string subject = warning;
    std::erase_if(subject, [](char c) { return c >= '0' && c <= '9'; });
    tern::internal::warn(subject, "[" + request.where + "] " + warning);
  }
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
                       tern::internal::number_text(options.train) + ", " +
                       tern::internal::number_text(options.validation) + ", " +
                       tern::internal::number_text(options.test));
    }
  }
  const Request request =
      request_of("split", options, {options.train / sum, options.validation / sum, options.test / sum},
                 {"train", "validation", "test"});
  check(table, request);
  const internal::EqualRows equal = equal_rows(table, request);
  const std::vector<int> part_of = parts_of(table, request, equal);
  check_parts(table, request, equal, part_of);
  Splits result;
  result.train_rows = rows_of(part_of, 0);
  result.validation_rows = rows_of(part_of, 1);
  result.test_rows = rows_of(part_of, 2);
  result.train = table.take(result.train_rows);
  result.validation = table.take(result.validation_rows);
  result.test = table.take(result.test_rows);
  tell(table, request, equal, part_of, result);
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
  std::vector<std::string> names;
  for (int p = 0; p < parts; ++p) names.push_back((by_time ? "stretch " : "fold ") + std::to_string(p));
  const Request request = request_of(
      "k_fold", options, std::vector<double>(static_cast<std::size_t>(parts), 1.0 / parts), std::move(names));
  check(table, request);
  const internal::EqualRows equal = equal_rows(table, request);
  const std::vector<int> part_of = parts_of(table, request, equal);
  check_parts(table, request, equal, part_of);
  Splits said;
  tell(table, request, equal, part_of, said);
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
