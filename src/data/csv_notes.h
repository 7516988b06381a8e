#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/data/table.h"

namespace tern::data::internal {

/// What a reader says of a text column that looks like numbers or dates kept as text: which words, units or written
/// forms keep it from being one, and what would make it one. Empty where there is nothing to say.
std::string note_on_text(const Table& table, const std::string& name);

/// What a first line that is no proper header may be, for the end of a message, or nothing: Excel's "sep=;", a comment,
/// a title, a delimiter at the end of each line. `next` is the number of fields of the line below.
std::string guess_at_header(std::string_view line, const std::vector<std::string>& names, std::int64_t next);

}  // namespace tern::data::internal
