#include "tern/models/recommend.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "base/number_text.h"
#include "base/retell.h"
#include "tensor/sealed.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/tensor/creation.h"

namespace tern::models {
namespace {

using tern::internal::class_name;
using tern::internal::Json;
using tern::internal::json_get;

constexpr const char* kKey = "tern.recommender";

const data::Column& column_of(const data::Table& table, const std::string& name) {
  if (name.empty()) throw ValueError("[interactions] expected the columns of users and items, got none");
  return table[name];
}

std::vector<std::int32_t> positions(const data::Table& table, const std::string& name, std::vector<std::string>& names,
                                    bool grow) {
  const data::Column& column = column_of(table, name);
  std::unordered_map<std::string, std::int32_t> index;
  for (const std::string& each : names) index.emplace(each, static_cast<std::int32_t>(index.size()));
  std::vector<std::int32_t> out;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (column.is_null(row)) {
      throw DataError("interactions", "expected a name in every row, got none", table.location(row, name));
    }
    std::string text = column.text(row);
    const auto found = index.find(text);
    if (found != index.end()) {
      out.push_back(found->second);
    } else if (grow) {
      out.push_back(static_cast<std::int32_t>(names.size()));
      index.emplace(text, out.back());
      names.push_back(std::move(text));
    } else {
      out.push_back(-1);
    }
  }
  return out;
}

Interactions make(const data::Table& table, const InteractionColumns& columns, Interactions out, bool grow) {
  out.users = positions(table, columns.user, out.user_names, grow);
  out.items = positions(table, columns.item, out.item_names, grow);
  out.values.assign(out.users.size(), 1.0f);
  if (columns.value.empty()) return out;
  const data::Column& values = table[columns.value];
  if (!values.is_numeric()) {
    throw DataError("interactions", "expected numbers, got " + std::string(data::to_string(values.type())),
                    {.column = columns.value});
  }
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const double value = values.is_null(row) ? std::nan("") : values.numeric(row);
    if (!std::isfinite(value)) {
      throw DataError("interactions",
                      "expected a finite number, got " + (values.is_null(row) ? "none" : values.text(row)),
                      table.location(row, columns.value));
    }
    out.values[static_cast<std::size_t>(row)] = static_cast<float>(value);
  }
  return out;
}

// The k largest, of equals the first.
std::vector<Recommendation> largest(std::span<const float> scores, int count) {
  std::vector<Recommendation> all;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > -INFINITY) all.push_back({static_cast<std::int32_t>(i), scores[i]});
  }
  const auto k = std::min(all.size(), static_cast<std::size_t>(count));
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end(),
                    [](const Recommendation& a, const Recommendation& b) {
                      return a.score != b.score ? a.score > b.score : a.item < b.item;
                    });
  all.resize(k);
  return all;
}

// Of a model, or of none in evaluate_ranking.
void check_position(const Recommender* model, const char* what, std::int32_t at, std::int64_t size,
                    std::int32_t least) {
  if (at >= least && at < size) return;
  throw IndexError("[" + (model ? class_name(model->type()) : "evaluate_ranking") + "] expected " + std::string(what) +
                   " from " + std::to_string(least) + " to " + std::to_string(size - 1) + ", got " +
                   std::to_string(at));
}

}  // namespace

Interactions interactions(const data::Table& table, const InteractionColumns& columns) {
  return make(table, columns, {}, true);
}

Interactions interactions(const data::Table& table, const InteractionColumns& columns, const Interactions& names) {
  Interactions out;
  out.user_names = names.user_names;
  out.item_names = names.item_names;
  return make(table, columns, std::move(out), false);
}

UserSplit split_by_user(const data::Table& table, const std::string& user, const std::string& time, double share) {
  if (!(share > 0 && share < 1)) {
    throw ValueError("[split_by_user] expected a share in (0, 1), got " + tern::internal::number_text(share));
  }
  std::vector<std::string> names;
  const std::vector<std::int32_t> users = positions(table, user, names, true);
  const data::Column& times = table[time];
  if (times.type() != data::ColumnType::timestamp && times.type() != data::ColumnType::i64 &&
      times.type() != data::ColumnType::f64) {
    throw DataError("split_by_user",
                    "expected timestamps or numbers to order by, got " + std::string(data::to_string(times.type())),
                    {.file = table.source_file(), .column = time});
  }
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    if (times.is_null(row)) {
      throw DataError("split_by_user", "expected a time in every row, got none", table.location(row, time));
    }
  }
  std::vector<std::vector<std::int64_t>> of(names.size());
  for (const std::int64_t row : table.sorted_indices({time})) {
    of[static_cast<std::size_t>(users[static_cast<std::size_t>(row)])].push_back(row);
  }
  std::vector<bool> tested(static_cast<std::size_t>(table.rows()));
  for (const auto& rows : of) {
    const auto count = static_cast<std::size_t>(std::llround(share * static_cast<double>(rows.size())));
    for (std::size_t i = rows.size() - std::min(count, rows.size() - 1); i < rows.size(); ++i) {
      tested[static_cast<std::size_t>(rows[i])] = true;
    }
  }
  UserSplit out;
  out.test = table.filter(tested);
  tested.flip();
  out.train = table.filter(tested);
  return out;
}

Recommender::~Recommender() = default;

void Recommender::need_fitted() const {
  if (item_names_.empty()) {
    throw StateError("[" + class_name(type()) + "] expected a fitted model, got one before fit");
  }
}

void Recommender::index_names() {
  user_index_.clear();
  item_index_.clear();
  std::int32_t at = 0;
  for (const std::string& name : user_names_) {
    user_index_.emplace(name, at++);
  }
  at = 0;
  for (const std::string& name : item_names_) {
    item_index_.emplace(name, at++);
  }
}

void Recommender::fit(const Interactions& rows) {
  const std::string where = "[" + class_name(type()) + "] expected ";
  if (rows.rows() == 0) throw ValueError(where + "rows to train on, got none");
  if (rows.items.size() != rows.users.size() || rows.values.size() != rows.users.size()) {
    throw ShapeError(where + "a user, an item and a value for each row, got " + std::to_string(rows.users.size()) +
                     ", " + std::to_string(rows.items.size()) + " and " + std::to_string(rows.values.size()));
  }
  const auto side = [&](const std::vector<std::int32_t>& of, const std::vector<std::int32_t>& other,
                        std::size_t members, std::size_t others) {
    Side out;
    out.begin.assign(members + 1, 0);
    for (std::size_t row = 0; row < of.size(); ++row) {
      if (of[row] < 0 || static_cast<std::size_t>(of[row]) >= members || other[row] < 0 ||
          static_cast<std::size_t>(other[row]) >= others) {
        throw ValueError(where + "users and items among their names, got " + std::to_string(of[row]) + " and " +
                         std::to_string(other[row]) + " in row " + std::to_string(row));
      }
      ++out.begin[static_cast<std::size_t>(of[row]) + 1];
    }
    std::partial_sum(out.begin.begin(), out.begin.end(), out.begin.begin());
    std::vector<std::int64_t> at(out.begin.begin(), out.begin.end() - 1);
    out.other.resize(of.size());
    out.value.resize(of.size());
    for (std::size_t row = 0; row < of.size(); ++row) {
      const auto place = static_cast<std::size_t>(at[static_cast<std::size_t>(of[row])]++);
      out.other[place] = other[row];
      out.value[place] = rows.values[row];
    }
    return out;
  };
  const Side by_user = side(rows.users, rows.items, rows.user_names.size(), rows.item_names.size());
  const Side by_item = side(rows.items, rows.users, rows.item_names.size(), rows.user_names.size());
  auto users = std::exchange(user_names_, rows.user_names);
  auto items = std::exchange(item_names_, rows.item_names);
  try {
    learn(by_user, by_item);
  } catch (...) {
    user_names_ = std::move(users);
    item_names_ = std::move(items);
    throw;
  }
  popularity_.clear();
  for (std::size_t i = 0; i < item_names_.size(); ++i) {
    popularity_.push_back(static_cast<float>(by_item.begin[i + 1] - by_item.begin[i]));
  }
  begin_ = by_user.begin;
  rows_ = by_user.other;
  index_names();
}

std::vector<float> Recommender::scores(std::int32_t user) const {
  need_fitted();
  check_position(this, "a user", user, users(), -1);
  const auto at = static_cast<std::size_t>(std::max(user, 0));
  if (user < 0 || begin_[at] == begin_[at + 1]) return popularity_;
  std::vector<float> out(static_cast<std::size_t>(items()));
  score(user, out);
  return out;
}

std::vector<Recommendation> Recommender::recommend(std::int32_t user, int count, bool known) const {
  if (count < 1)
    throw ValueError("[" + class_name(type()) + "] expected a count of at least 1, got " + std::to_string(count));
  std::vector<float> all = scores(user);
  if (user >= 0 && !known) {
    const auto at = static_cast<std::size_t>(user);
    for (std::int64_t i = begin_[at]; i < begin_[at + 1]; ++i) {
      all[static_cast<std::size_t>(rows_[static_cast<std::size_t>(i)])] = -INFINITY;
    }
  }
  return largest(all, count);
}

bool Recommender::has(std::int32_t user, std::int32_t item) const {
  need_fitted();
  check_position(this, "a user", user, users(), 0);
  check_position(this, "an item", item, items(), 0);
  const auto begin = rows_.begin() + begin_[static_cast<std::size_t>(user)];
  const auto end = rows_.begin() + begin_[static_cast<std::size_t>(user) + 1];
  return std::find(begin, end, item) != end;
}

std::int32_t Recommender::user(std::string_view name) const {
  const auto found = user_index_.find(std::string(name));
  return found == user_index_.end() ? -1 : found->second;
}

std::int32_t Recommender::item(std::string_view name) const {
  const auto found = item_index_.find(std::string(name));
  return found == item_index_.end() ? -1 : found->second;
}

void Recommender::save(const std::string& path) const {
  need_fitted();
  const Json json{{"version", 1},
                  {"type", std::string(type())},
                  {"users", user_names_},
                  {"items", item_names_},
                  {"settings", settings()}};
  TensorFile file;
  file.tensors = arrays();
  file.tensors.emplace_back("rows.begin", from_span<std::int64_t>(begin_, {std::ssize(begin_)}));
  file.tensors.emplace_back("rows.items", from_span<std::int32_t>(rows_, {std::ssize(rows_)}));
  file.tensors.emplace_back("popularity", from_span<float>(popularity_, {std::ssize(popularity_)}));
  write_file(path, tern::internal::sealed_tensors(std::move(file), kKey, tern::internal::json_text(json)));
}

std::string Recommender::read(const std::string& path, std::string_view type,
                              std::vector<std::pair<std::string, Tensor>>& arrays) {
  const std::string what = class_name(type);
  TensorFile file = tern::internal::unsealed_tensors(read_file(path), kKey, what);
  const auto fail = [&](const std::string& expected) {
    throw FormatError("[" + what + "] expected " + expected + ", got another");
  };
  const Json json = tern::internal::parse_json(file.metadata[0].second, what);
  if (json_get<int>(json, "version", what) != 1) fail("version 1");
  if (json_get<std::string>(json, "type", what) != type) fail("one of its type");
  user_names_ = json_get<std::vector<std::string>>(json, "users", what);
  item_names_ = json_get<std::vector<std::string>>(json, "items", what);
  for (auto& [name, tensor] : file.tensors) {
    const bool flat = tensor.dim() == 1;
    if (name == "rows.begin" && flat && tensor.dtype() == i64) {
      begin_ = tensor.to_vector<std::int64_t>();
    } else if (name == "rows.items" && flat && tensor.dtype() == i32) {
      rows_ = tensor.to_vector<std::int32_t>();
    } else if (name == "popularity" && flat && tensor.dtype() == f32) {
      popularity_ = tensor.to_vector<float>();
    } else {
      arrays.emplace_back(std::move(name), std::move(tensor));
    }
  }
  bool good = begin_.size() == user_names_.size() + 1 && popularity_.size() == item_names_.size() &&
              !item_names_.empty() && begin_.front() == 0 && begin_.back() == std::ssize(rows_) &&
              std::is_sorted(begin_.begin(), begin_.end());
  for (const std::int32_t item : rows_) good = good && item >= 0 && item < items();
  if (!good) fail("rows that fit its users and items");
  index_names();
  return json_get<std::string>(json, "settings", what);
}

Popularity Popularity::load(const std::string& path) {
  return tern::internal::from_file(path, [&] {
    Popularity made;
    std::vector<std::pair<std::string, Tensor>> arrays;
    made.read(path, "popularity", arrays);
    return made;
  });
}

void Popularity::learn(const Side& /*by_user*/, const Side& /*by_item*/) {}

void Popularity::score(std::int32_t /*user*/, std::span<float> out) const {
  std::copy(popularity_.begin(), popularity_.end(), out.begin());
}

RankingReport evaluate_ranking(const Recommender& model, const Interactions& later, int k) {
  if (k < 1) throw ValueError("[evaluate_ranking] expected k of at least 1, got " + std::to_string(k));
  static_cast<void>(model.scores(-1));  // says so before fit
  const std::size_t users = model.user_names().size();
  const bool named = !later.user_names.empty() || !later.item_names.empty();
  if (named && (later.user_names != model.user_names() || later.item_names != model.item_names())) {
    throw ValueError(
        "[evaluate_ranking] expected users and items numbered as the model's, got others: interactions(table, columns, "
        "seen) numbers them as in the rows of fit");
  }
  std::vector<std::vector<std::int32_t>> found(users);
  if (later.items.size() != later.users.size()) {
    throw ShapeError("[evaluate_ranking] expected an item for each of " + std::to_string(later.users.size()) +
                     " users, got " + std::to_string(later.items.size()));
  }
  for (std::size_t row = 0; row < later.users.size(); ++row) {
    const std::int32_t user = later.users[row], item = later.items[row];
    if (user < 0) continue;
    check_position(nullptr, "a user", user, static_cast<std::int64_t>(users), 0);
    if (item >= 0 && model.has(user, item)) continue;  // never recommended
    // An item that the model does not know stays to be found, and cannot be: each row is one of its own.
    found[static_cast<std::size_t>(user)].push_back(item >= 0 ? item : -1 - static_cast<std::int32_t>(row));
  }
  struct Figures {
    double ndcg = 0, map = 0, recall = 0, precision = 0;
    bool judged = false;
  };
  std::vector<Figures> all(users);
  parallel_for(static_cast<std::int64_t>(users), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t user = begin; user < end; ++user) {
      std::vector<std::int32_t>& wanted = found[static_cast<std::size_t>(user)];
      std::sort(wanted.begin(), wanted.end());
      wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
      if (wanted.empty()) continue;
      Figures& figures = all[static_cast<std::size_t>(user)];
      figures.judged = true;
      const auto list = model.recommend(static_cast<std::int32_t>(user), k);
      double gain = 0, best = 0, precisions = 0, hits = 0;
      for (std::size_t rank = 0; rank < list.size(); ++rank) {
        if (!std::binary_search(wanted.begin(), wanted.end(), list[rank].item)) continue;
        gain += 1 / std::log2(static_cast<double>(rank) + 2);
        ++hits;
        precisions += hits / static_cast<double>(rank + 1);
      }
      const auto most = std::min(wanted.size(), static_cast<std::size_t>(k));
      for (std::size_t rank = 0; rank < most; ++rank) best += 1 / std::log2(static_cast<double>(rank) + 2);
      figures.ndcg = gain / best;
      figures.map = precisions / static_cast<double>(most);
      figures.recall = hits / static_cast<double>(wanted.size());
      figures.precision = hits / static_cast<double>(k);
    }
  });
  RankingReport report;
  report.k = k;
  for (const Figures& each : all) {
    report.users += each.judged;
    report.ndcg += each.ndcg;
    report.map += each.map;
    report.recall += each.recall;
    report.precision += each.precision;
  }
  if (report.users == 0) throw ValueError("[evaluate_ranking] expected rows of known users, got none");
  for (double* each : {&report.ndcg, &report.map, &report.recall, &report.precision}) {
    *each /= static_cast<double>(report.users);
  }
  return report;
}

}  // namespace tern::models
