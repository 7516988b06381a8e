#include "data/rows.h"

#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "base/retell.h"
#include "tern/base/error.h"
#include "tern/base/parallel.h"
#include "tern/data/formats.h"

namespace tern::data::internal {
namespace {

[[noreturn]] void refuse(std::string_view type, const std::string& expected, const std::string& got) {
  throw ValueError("[" + std::string(type) + "] expected " + expected + ", got " + got);
}

// Whether all are finite; side by side, as compilers make wide code of at -O2.
template <class T>
bool all_finite(const T* values, std::int64_t count) {
  constexpr int kLanes = 16;
  int wrong[kLanes] = {}, any = 0;
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) wrong[lane] |= !(values[i + lane] - values[i + lane] == 0);
  }
  for (; i < count; ++i) any |= !(values[i] - values[i] == 0);
  for (const int lane : wrong) any |= lane;
  return any == 0;
}

// The first of `count` values that is infinite, or missing where that is not allowed; `count` when there is none.
template <class T>
std::int64_t first_bad(const T* values, std::int64_t count, bool missing) {
  constexpr std::int64_t kBlock = 1 << 16;
  std::vector<std::int64_t> first(static_cast<std::size_t>((count + kBlock - 1) / kBlock), count);
  parallel_for(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
    if (all_finite(values + begin, end - begin)) return;
    const T* bad = std::find_if(values + begin, values + end, [missing](T value) {
      return !std::isfinite(value) && !(missing && std::isnan(value));
    });
    if (bad != values + end) first[static_cast<std::size_t>(begin / kBlock)] = bad - values;
  });
  return first.empty() ? count : *std::min_element(first.begin(), first.end());
}

}  // namespace

std::string written_numbers(const Column& column, const std::string& name) {
  if (column.type() != ColumnType::string && column.type() != ColumnType::categorical) return {};
  try {
    const auto format = detect_format(column, name);
    if (format && format_type(*format) == ColumnType::f64) return *format;
  } catch (const DataError&) {  // one of several
  }
  return {};
}

std::string no_numbers(const Column& target, const std::string& name) {
  std::string got = "expected numbers, got " + std::string(to_string(target.type()));
  const std::string form = written_numbers(target, name);
  if (form.empty()) return got;
  return got + ", all of it written numbers; normalize_formats leaves a target alone, apply_format(table, \"" + name +
         "\", \"" + form + "\") reads it";
}

std::vector<double> numbers_of(const Table& table, const std::vector<std::string>& names, std::string_view type,
                               bool missing) {
  const auto width = names.size();
  std::vector<double> values(static_cast<std::size_t>(table.rows()) * width);
  for (std::size_t f = 0; f < width; ++f) {
    const Column& column = table[names[f]];
    if (!column.is_numeric()) {
      throw DataError(
          std::string(type),
          "expected numbers, got " + std::string(to_string(column.type())) +
              (written_numbers(column, names[f]).empty()
                   ? (column.type() == ColumnType::timestamp
                          ? " (a Pipeline's date_parts make numbers of it)"
                          : " (a Pipeline's normalize_formats, then one_hot or ordinal, make numbers of it)")
                   : ", all of it written numbers (normalize_formats of a Pipeline reads them)"),
          {.column = names[f]});
    }
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      const double value = column.is_null(row) ? std::nan("") : column.numeric(row);
      if (std::isinf(value) || (std::isnan(value) && !missing)) {
        throw DataError(std::string(type),
                        std::isinf(value) ? "expected finite numbers, got " + column.text(row)
                                          : "expected a value, got a missing one (impute of a Pipeline fills it)",
                        table.location(row, names[f]));
      }
      values[static_cast<std::size_t>(row) * width + f] = value;
    }
  }
  return values;
}

void check_type(std::string_view type, const Table& table, const std::string& name, ColumnType learned) {
  const Column& column = table[name];
  const ColumnType is = column.type();
  const auto fail = [&](const std::string& got, DataLocation at) {
    throw DataError(std::string(type), "expected " + std::string(to_string(learned)) + " as in training, got " + got,
                    std::move(at));
  };
  if ((learned == ColumnType::timestamp) != (is == ColumnType::timestamp) && column.null_count() < column.size()) {
    fail(std::string(to_string(is)), {.file = table.source_file(), .column = name});
  }
  if (learned != ColumnType::boolean || (is != ColumnType::f64 && is != ColumnType::i64)) return;
  for (std::int64_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    const double value = column.numeric(row);
    if (value != 0 && value != 1 && !std::isnan(value)) fail(column.text(row), table.location(row, name));
  }
}

std::vector<double> weights_of(const Table& table, const std::string& name, std::string_view type) {
  const Column& column = table[name];
  if (!column.is_numeric()) {
    throw DataError(std::string(type),
                    "expected weights that are numbers, got " + std::string(to_string(column.type())),
                    {.column = name});
  }
  std::vector<double> weights = column.numeric();
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const double weight = weights[static_cast<std::size_t>(row)];
    if (column.is_null(row) || !(weight >= 0) || std::isinf(weight)) {
      throw DataError(std::string(type),
                      "expected a finite weight of at least 0 in every row, got " +
                          (column.is_null(row) ? "none" : column.text(row)),
                      table.location(row, name));
    }
  }
  return weights;
}

void check_weights(std::string_view type, const Vector& weights, std::int64_t rows) {
  if (weights.empty()) return;
  if (weights.size() != rows) {
    throw ShapeError("[" + std::string(type) + "] expected " + std::to_string(rows) + " weights, got " +
                     std::to_string(weights.size()));
  }
  double sum = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double weight = weights[row];
    if (!(weight >= 0) || !std::isfinite(weight)) {
      refuse(type, "finite weights of at least 0",
             tern::internal::number_text(weight) + " in row " + std::to_string(row));
    }
    sum += weight;
  }
  if (!(sum > 0)) refuse(type, "weights above 0", "0 in all rows");
  if (!std::isfinite(sum)) refuse(type, "weights of a finite sum", "an infinite one");
}

void check_numbers(std::string_view type, const Matrix& x, const std::vector<std::string>& names, bool missing,
                   const char* what) {
  const std::int64_t columns = x.columns(), count = x.rows() * columns;
  if (count == 0) return;
  const std::int64_t bad = x.f32() ? first_bad(x.f32(), count, missing) : first_bad(x.f64(), count, missing);
  if (bad == count) return;
  const auto column = static_cast<std::size_t>(bad % columns);
  refuse(tern::internal::class_name(type), missing ? "numbers that are finite or missing" : "finite numbers",
         tern::internal::number_text(x.at(bad / columns, bad % columns)) + " in row " + std::to_string(bad / columns) +
             ", column " + (column < names.size() ? "\"" + names[column] + "\"" : std::to_string(column)) + what);
}

std::vector<double> in_classes(std::vector<double> given, const std::vector<std::string>& from,
                               const std::vector<std::string>& to) {
  const std::size_t given_width = from.size() == 2 ? 1 : from.size(), width = to.size() == 2 ? 1 : to.size();
  if (from.size() < 2 || to.size() < 2 || given.size() % given_width != 0) {
    throw ValueError("[predict_probability] expected probabilities of two classes or more, got others");
  }
  if (from == to) return given;
  std::vector<std::size_t> place;
  for (const std::string& name : from) {
    const auto found = std::find(to.begin(), to.end(), name);
    if (found == to.end()) {
      throw ValueError("[predict_probability] expected known classes, got \"" + name + "\"");
    }
    place.push_back(static_cast<std::size_t>(found - to.begin()));
  }
  const std::size_t rows = given.size() / given_width;
  std::vector<double> out(rows * width), all(to.size());
  for (std::size_t row = 0; row < rows; ++row) {
    std::fill(all.begin(), all.end(), 0.0);
    for (std::size_t k = 0; k < from.size(); ++k) {
      const double* p = given.data() + row * given_width;
      all[place[k]] = given_width > 1 ? p[k] : k == 1 ? p[0] : 1 - p[0];
    }
    if (width == 1) {
      out[row] = all[1];
    } else {
      std::copy(all.begin(), all.end(), out.begin() + static_cast<std::ptrdiff_t>(row * width));
    }
  }
  return out;
}

}  // namespace tern::data::internal
