#pragma once

#include <string>
#include <string_view>

#include "tern/data/column.h"

namespace tern::data::internal {

/// Whether a value by itself is a number without needless zeros in front, plain or in a form of formats.h, or a date.
bool has_written_form(std::string_view text);

/// Where a form of numbers has commas between thousands, each value's as well a decimal one (1,926): the name of the
/// form with decimal commas. Else empty.
std::string with_decimal_commas(const Column& column, std::string_view format);

/// Whether every value is a date of some order as well with the month first.
bool may_have_the_month_first(const Column& column);

/// Whether a month, 2010-11, may as well be that year and the next.
bool spans_two_years(std::string_view text);

}  // namespace tern::data::internal
