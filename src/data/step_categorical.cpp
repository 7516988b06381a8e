#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "data/step_base.h"
#include "tern/data/column_builder.h"

// Categories to numbers, by level alone.
namespace tern::data {
namespace internal {
namespace {

std::vector<std::string> load_levels(const Json& json, const char* key, const std::string& what) {
  auto levels = json_get<std::vector<std::string>>(json, key, what);
  const std::unordered_set<std::string_view> distinct(levels.begin(), levels.end());
  if (distinct.size() != levels.size()) throw FormatError("[" + what + "] expected distinct levels, got one twice");
  return levels;
}

// Columns: a level each, then missing, then other. `column` holds, for each level in `index`, its column.
struct Encoded {
  std::vector<std::string> levels{};
  std::vector<std::string> rare{};  // grouped into other; of files of before rare levels were left unnamed
  bool missing = false, other = false, missing_is_rare = false;
  LevelIndex index{};  // levels, then rare
};

class OneHot final : public ColumnStep<Encoded> {
 public:
  OneHot(Selector selector, OneHotOptions options)
      : ColumnStep(std::move(selector), Output::instead), options_(options) {
    if (options.min_count < 1) {
      throw ValueError("[one_hot] expected min_count of at least 1, got " + std::to_string(options.min_count));
    }
    if (options.max_levels < 1) {
      throw ValueError("[one_hot] expected max_levels of at least 1, got " + std::to_string(options.max_levels));
    }
  }
  std::string_view type() const override { return "one_hot"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<OneHot>(*this); }

 protected:
  Encoded fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    LevelCounts found = count_levels(table.column(name), name, "one_hot");
    Encoded state;
    state.levels = common_levels(found, options_.min_count);
    const bool rare = state.levels.size() < found.levels.size(), grouped = options_.unseen == Unseen::other;
    if (options_.missing_level && found.missing > 0) {
      state.missing = found.missing >= options_.min_count;
      state.missing_is_rare = !state.missing && grouped;
    }
    state.other = grouped && (rare || state.missing_is_rare);
    if (static_cast<std::int64_t>(state.levels.size()) > options_.max_levels) {
      fail_column(table, name, "one_hot",
                  "expected at most " + std::to_string(options_.max_levels) + " levels, got " +
                      std::to_string(state.levels.size()) + "; drop it, or raise min_count or max_levels");
    }
    build_index(state);
    return state;
  }

  std::vector<Column> apply(const Table&, const std::string&, const Column& column,
                            const Encoded& state) const override {
    const std::vector<std::int32_t> found = state.index.of(column);
    const std::size_t levels = state.levels.size(), width = levels + state.missing + state.other;
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    const std::size_t other = state.other ? width - 1 : none;
    const std::size_t missing = state.missing ? levels : state.missing_is_rare ? other : none;
    const std::size_t unseen = options_.unseen == Unseen::other ? other : none;
    const std::size_t rows = found.size(), bytes = (rows + 7) / 8;
    std::vector<std::vector<std::uint8_t>> bits(width, std::vector<std::uint8_t>(bytes));
    for (std::size_t i = 0; i < rows; ++i) {
      const std::int32_t level = found[i];
      const std::size_t at = level == LevelIndex::missing               ? missing
                             : level == LevelIndex::unseen              ? unseen
                             : static_cast<std::size_t>(level) < levels ? static_cast<std::size_t>(level)
                                                                        : other;
      if (at != none) bits[at][i / 8] = static_cast<std::uint8_t>(bits[at][i / 8] | 1u << (i % 8));
    }
    std::vector<Column> made;
    for (std::size_t k = options_.drop_first ? 1 : 0; k < width; ++k) {
      ColumnBuffers buffers;
      buffers.type = ColumnType::boolean;
      buffers.size = column.size();
      buffers.bits = std::move(bits[k]);
      made.push_back(Column::from_buffers(std::move(buffers)));
    }
    return made;
  }

  std::int64_t count_unseen(const Column& column, const Encoded& state) const override {
    return state.index.count_unseen(column);
  }

  std::vector<std::string> output_names(const std::string& name, const Encoded& state) const override {
    std::vector<std::string> names;
    for (const std::string& level : state.levels) names.push_back(name + "=" + level);
    if (state.missing) names.push_back(name + "=<missing>");
    if (state.other) names.push_back(name + "=<other>");
    if (options_.drop_first && !names.empty()) names.erase(names.begin());
    return names;
  }

  Json save_options() const override {
    return {{"min_count", options_.min_count},
            {"unseen", options_.unseen == Unseen::other ? "other" : "zeros"},
            {"missing_level", options_.missing_level},
            {"drop_first", options_.drop_first},
            {"max_levels", options_.max_levels}};
  }
  // Which rare levels there were is not kept: they are what is not among the levels.
  Json save_state(const Encoded& state) const override {
    Json json = {{"levels", state.levels},
                 {"missing", state.missing},
                 {"other", state.other},
                 {"missing_is_rare", state.missing_is_rare}};
    if (!state.rare.empty()) json["rare"] = state.rare;
    return json;
  }
  Encoded load_state(const Json& json) const override {
    Encoded state;
    state.levels = load_levels(json, "levels", "one_hot");
    if (json.contains("rare")) state.rare = load_levels(json, "rare", "one_hot");
    // Column names repeat the name once a level: a small text must not make a large table of names.
    constexpr std::size_t most_bytes = std::size_t{1} << 26;
    const std::size_t bytes = json_get<std::string>(json, "name", "one_hot").size();
    if (bytes > 0 && state.levels.size() > most_bytes / bytes) {
      throw FormatError("[one_hot] expected column names of at most 64 MiB in all, got more");
    }
    state.missing = json_get<bool>(json, "missing", "one_hot");
    state.other = json_get<bool>(json, "other", "one_hot");
    state.missing_is_rare = json_get<bool>(json, "missing_is_rare", "one_hot");
    if (!state.other && (!state.rare.empty() || state.missing_is_rare)) {
      throw FormatError("[one_hot] expected \"other\" where there are rare levels, got none");
    }
    build_index(state);
    return state;
  }

 private:
  static void build_index(Encoded& state) {
    std::vector<std::string> known = state.levels;
    known.insert(known.end(), state.rare.begin(), state.rare.end());
    state.index = LevelIndex(known);
  }

  OneHotOptions options_;
};

struct Ranked {
  std::vector<std::string> levels{};
  LevelIndex index{};
};

class Ordinal final : public ColumnStep<Ranked> {
 public:
  Ordinal(Selector selector, OrdinalOptions options)
      : ColumnStep(std::move(selector), Output::in_place), options_(options) {
    if (!std::isfinite(options.unseen) || !std::isfinite(options.missing)) {
      throw ValueError("[ordinal] expected finite values for unseen and missing levels, got others");
    }
    if (options.min_count < 1) {
      throw ValueError("[ordinal] expected min_count of at least 1, got " + std::to_string(options.min_count));
    }
  }
  std::string_view type() const override { return "ordinal"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<Ordinal>(*this); }

 protected:
  Ranked fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    Ranked state;
    state.levels = common_levels(count_levels(table.column(name), name, "ordinal"), options_.min_count);
    state.index = LevelIndex(state.levels);
    return state;
  }
  std::vector<Column> apply(const Table&, const std::string&, const Column& column,
                            const Ranked& state) const override {
    const std::vector<std::int32_t> found = state.index.of(column);
    std::vector<double> values(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      values[i] = found[i] >= 0                     ? static_cast<double>(found[i])
                  : found[i] == LevelIndex::missing ? options_.missing
                                                    : options_.unseen;
    }
    return {Column::from_f64(std::move(values))};
  }
  std::int64_t count_unseen(const Column& column, const Ranked& state) const override {
    return state.index.count_unseen(column);
  }
  std::vector<std::string> output_names(const std::string& name, const Ranked&) const override { return {name}; }
  Json save_options() const override {
    return {{"unseen", options_.unseen}, {"missing", options_.missing}, {"min_count", options_.min_count}};
  }
  Json save_state(const Ranked& state) const override { return {{"levels", state.levels}}; }
  Ranked load_state(const Json& json) const override {
    Ranked state;
    state.levels = load_levels(json, "levels", "ordinal");
    state.index = LevelIndex(state.levels);
    return state;
  }

 private:
  OrdinalOptions options_;
};

}  // namespace

StepPtr load_one_hot(const Json& json) {
  OneHotOptions options;
  options.min_count = json_get<std::int64_t>(json, "min_count", "one_hot");
  const auto unseen = json_get<std::string>(json, "unseen", "one_hot");
  if (unseen != "other" && unseen != "zeros") {
    throw FormatError("[one_hot] expected unseen to be \"other\" or \"zeros\", got \"" + unseen + "\"");
  }
  options.unseen = unseen == "other" ? Unseen::other : Unseen::zeros;
  options.missing_level = json_get<bool>(json, "missing_level", "one_hot");
  options.drop_first = json_get<bool>(json, "drop_first", "one_hot");
  options.max_levels = json_get<std::int64_t>(json, "max_levels", "one_hot");
  return loaded(std::make_shared<OneHot>(selector_of(json, "one_hot"), options), json);
}

StepPtr load_ordinal(const Json& json) {
  OrdinalOptions options;
  options.unseen = get_finite(json, "unseen", "ordinal");
  options.missing = get_finite(json, "missing", "ordinal");
  options.min_count = json_get_or<std::int64_t>(json, "min_count", 1, "ordinal");  // before it was written: all levels
  return loaded(std::make_shared<Ordinal>(selector_of(json, "ordinal"), options), json);
}

}  // namespace internal

StepPtr one_hot(Selector columns, OneHotOptions options) {
  return std::make_shared<internal::OneHot>(std::move(columns), options);
}
StepPtr ordinal(Selector columns, OrdinalOptions options) {
  return std::make_shared<internal::Ordinal>(std::move(columns), options);
}

}  // namespace tern::data
