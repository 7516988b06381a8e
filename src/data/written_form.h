#pragma once

#include <string_view>

namespace tern::data::internal {

/// Whether a value by itself is a number without needless zeros in front, plain or in a form of formats.h, or a date.
bool has_written_form(std::string_view text);

/// Whether a month, 2010-11, may as well be that year and the next.
bool spans_two_years(std::string_view text);

}  // namespace tern::data::internal
