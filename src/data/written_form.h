#pragma once

#include <string_view>

namespace tern::data::internal {

/// Whether a value by itself is a number without needless zeros in front, plain or in a form of formats.h, or a date.
bool has_written_form(std::string_view text);

}  // namespace tern::data::internal
