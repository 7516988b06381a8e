#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/column.h"
#include "tern/data/table.h"

/// Written forms of whole text columns: money, percentages, thousands separators, dates, yes and no. A form is found on
/// a column once and kept under its name, so that the same form, and no other, is read row by row when serving.
namespace tern::data {

/// Numbers as people write them: `$1,234.50`, `1.234,50 €`, `12%`, `(123)`, `123-`, `₹3,17,188`.
struct NumberFormat {
  char decimal = '.';      ///< '.' or ','
  char group = '\0';       ///< between groups of three digits: ',' '.' ' ' '\'' or none; optional in a value
  bool indian = false;     ///< ',' parts groups of two digits before the last three: 3,17,188
  std::string currency{};  ///< $ US$ € £ ¥ ₹ or a code (EUR) in front or behind, optional in a value; empty: none
  bool percent = false;    ///< every value ends in %, and is divided by 100
  bool parentheses = false;     ///< (123) is -123
  bool trailing_minus = false;  ///< 123- is -123
};

/// The order of a date's parts; a time of day may follow in each.
enum class DateFormat : std::uint8_t {
  iso,    ///< 2024-01-31, 2024-01-31T12:00:00Z, 2024-01-31 12:00:00
  ymd,    ///< 2024/01/31, 2024.01.31, 20240131
  dmy,    ///< 31/01/2024, 31.1.2024, 31-01-2024
  mdy,    ///< 01/31/2024
  d_mon,  ///< 31 Jan 2024, 31-January-2024
  mon_d,  ///< Jan 31, 2024, January 31 2024
  ym,     ///< 2024-01, 2024/01: the first day of the month
  ymd2,   ///< 24-01-31; here and below, years 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068 (POSIX strptime %y)
  dmy2,   ///< 31/01/24
  mdy2,   ///< 01/31/24
  d_mon2  ///< 31-Jan-24
};

/// The pair of words of a boolean column, in any case. The pair is what the form is found by; it is read in the other
/// usual spellings too: true/false, t/f, yes/no, y/n, on/off, 1/0.
enum class BooleanFormat : std::uint8_t { true_false, yes_no, y_n, on_off };

/// Names: `number:point`, `number:comma`, then any of `+group`, `+indian`, `+space`, `+apostrophe`, `+percent`,
/// `+parentheses`, `+trailing-minus`, `+$` (or another currency: US$ CA$ AU$ € £ ¥ ₹ USD EUR GBP CHF JPY CNY INR CAD
/// AUD SEK NOK DKK PLN CZK BRL) · `date:iso`, `date:dmy`, … · `boolean:yes/no`, ….
TERN_API std::string to_string(const NumberFormat& format);
TERN_API std::string to_string(DateFormat format);
TERN_API std::string to_string(BooleanFormat format);

/// The format of a name. Throw ValueError for a name that is none.
TERN_API NumberFormat parse_number_format(std::string_view name);
TERN_API DateFormat parse_date_format(std::string_view name);
TERN_API BooleanFormat parse_boolean_format(std::string_view name);

/// The type that columns of a named format get: f64, timestamp or boolean. Throws ValueError for a name that is none.
TERN_API ColumnType format_type(std::string_view name);

/// What a value of a type, plain or in a named format, looks like, for messages: "a whole number", "a number written
/// like $1,234.50", "a date written like 31/01/2024". Throws ValueError for a name that is none.
TERN_API std::string value_in_words(ColumnType type, std::string_view format = {});

/// The format that every value of a string or categorical column has, if there is one. Plain numbers are none: at least
/// one value must show a sign of the format. One comma before three digits is read as thousands unless another value
/// decides otherwise; groups of two digits are Indian where every value fits them. `detect_dates` throws DataError when
/// day and month cannot be told apart in any value, asking for the type `date:dmy` or `date:mdy`, unless all have dots
/// (05.03.2024), where the day is first; a column that needs both is text. It throws one for years of two digits too,
/// asking for `date:dmy2` and its like or string. Eight digits (20240131) are a date only
/// where the name says date or day; months that may all be spans of two years (2010-11) are text. `detect_numbers`
/// throws one for amounts of money such as $1.234 alone, whose point may part thousands.
TERN_API std::optional<NumberFormat> detect_numbers(const Column& column, std::string_view name = {});
TERN_API std::optional<DateFormat> detect_dates(const Column& column, std::string_view name = {});
TERN_API std::optional<BooleanFormat> detect_booleans(const Column& column);

/// The values of a text column in a format: f64, timestamp, boolean; nulls stay, and blank text becomes null. A column
/// already of that type is returned as it is. Throws DataError with the row and the value that does not fit, DTypeError
/// for a column of another type.
TERN_API Column parse_numbers(const Column& column, const NumberFormat& format);
TERN_API Column parse_dates(const Column& column, DateFormat format);
TERN_API Column parse_booleans(const Column& column, BooleanFormat format);
/// The same, where another word is no error but a missing value.
TERN_API Column parse_known_booleans(const Column& column, BooleanFormat format);

/// The same by name, as a saved pipeline or schema holds it.
TERN_API std::optional<std::string> detect_format(const Column& column, std::string_view name = {});
/// The same of a column in its table: where the commas of every value may be decimal ones as well ("1,926"), they are
/// those if another column has decimal commas for sure. Throws DataError when there is no such column.
TERN_API std::optional<std::string> detect_format(const Table& table, std::string_view column);
TERN_API Column apply_format(const Column& column, std::string_view format);

/// Replaces a column of the table by its values in a format. Throws DataError with file, row, line and column.
TERN_API void apply_format(Table& table, std::string_view column, std::string_view format);

/// Column and format of each text column that has one, in order. Throws DataError for ambiguous dates and amounts.
TERN_API std::vector<std::pair<std::string, std::string>> detect_formats(const Table& table);

}  // namespace tern::data
