#include <string>

#include "base/number_text.h"
#include "data/step_base.h"
#include "data/text_levels.h"
#include "tern/data/formats.h"

// From text as people write it to types.
namespace tern::data {
namespace internal {
namespace {

// A format's name, "categorical" or "text".
struct Form {
  std::string name{};
};

class NormalizeFormats final : public ColumnStep<Form> {
 public:
  explicit NormalizeFormats(NormalizeOptions options)
      : ColumnStep(options.columns, Output::in_place), options_(std::move(options)) {
    if (options_.max_levels < 1 || !(options_.max_level_share > 0 && options_.max_level_share <= 1)) {
      throw ValueError("[normalize_formats] expected max_levels of at least 1 and max_level_share in (0, 1], got " +
                       std::to_string(options_.max_levels) + " and " +
                       tern::internal::number_text(options_.max_level_share));
    }
    for (const auto& [name, format] : options_.formats) {
      if (format != "string" && format != "categorical") format_type(format);
    }
  }
  std::string_view type() const override { return "normalize_formats"; }
  std::unique_ptr<Step> clone() const override { return std::make_unique<NormalizeFormats>(*this); }

 protected:
  Form fit_column(const Table& table, const std::string& name, const FitContext&) const override {
    const Column& column = table.column(name);
    if (column.type() != ColumnType::string && column.type() != ColumnType::categorical) {
      throw DTypeError("[normalize_formats] column \"" + name + "\": expected text or categories, got " +
                       std::string(to_string(column.type())));
    }
    auto format = told_format(name);
    if (!format && options_.find_formats) format = found_format(table, name);
    if (format) return {std::move(*format)};
    if (column.null_count() == column.size()) return {"categorical"};
    return {column.type() == ColumnType::string && is_free(column) ? "text" : "categorical"};
  }

  std::vector<Column> apply(const Table& table, const std::string& name, const Column& column,
                            const Form& form) const override {
    if (form.name == "text") return {column};
    if (form.name == "categorical") return {column.cast(ColumnType::categorical)};
    if (column.null_count() == column.size()) return {Column::nulls(format_type(form.name), column.size())};
    if (format_type(form.name) == ColumnType::boolean) {
      return {parse_known_booleans(column, parse_boolean_format(form.name))};
    }
    Table one = table.select({name});
    one.replace(name, column);
    apply_format(one, name, form.name);
    return {one.column(std::int64_t{0})};
  }

  std::int64_t count_unseen(const Column& column, const Form& form) const override {
    if (form.name == "text" || form.name == "categorical" || format_type(form.name) != ColumnType::boolean) return 0;
    return parse_known_booleans(column, parse_boolean_format(form.name)).null_count() - column.null_count();
  }
  std::vector<std::string> output_names(const std::string& name, const Form&) const override { return {name}; }
  Json save_options() const override {
    Json json = {{"max_levels", options_.max_levels}, {"max_level_share", options_.max_level_share}};
    if (!options_.formats.empty() || !options_.find_formats) {
      json["formats"] = options_.formats;
      json["find_formats"] = options_.find_formats;
    }
    return json;
  }
  Json save_state(const Form& form) const override { return {{"form", form.name}}; }
  Form load_state(const Json& json) const override {
    Form form{json_get<std::string>(json, "form", "normalize_formats")};
    if (form.name != "text" && form.name != "categorical") format_type(form.name);  // ValueError becomes FormatError
    return form;
  }

 private:
  std::optional<std::string> told_format(const std::string& name) const {
    for (const auto& [told, format] : options_.formats) {
      if (told == name) return format == "string" ? "text" : format;
    }
    return std::nullopt;
  }
  static std::optional<std::string> found_format(const Table& table, const std::string& name) {
    try {
      return detect_format(table, name);
    } catch (const DataError& error) {
      if (!error.file().empty()) throw;
      fail_column(table, name, "normalize_formats", error.message());
    }
  }
  bool is_free(const Column& column) const {
    return too_many_levels(column.distinct_count(), column.size() - column.null_count(), options_.max_levels,
                           options_.max_level_share);
  }

  NormalizeOptions options_;
};

}  // namespace

StepPtr load_normalize_formats(const Json& json) {
  NormalizeOptions options{.columns = selector_of(json, "normalize_formats")};
  options.max_levels = json_get<std::int64_t>(json, "max_levels", "normalize_formats");
  options.max_level_share = get_finite(json, "max_level_share", "normalize_formats");
  if (json.contains("formats")) {
    options.formats = json_get<std::vector<std::pair<std::string, std::string>>>(json, "formats", "normalize_formats");
    options.find_formats = json_get_or(json, "find_formats", false, "normalize_formats");
  }
  return loaded(std::make_shared<NormalizeFormats>(std::move(options)), json);
}

}  // namespace internal

StepPtr normalize_formats(NormalizeOptions options) {
  return std::make_shared<internal::NormalizeFormats>(std::move(options));
}

}  // namespace tern::data
