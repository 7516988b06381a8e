#pragma once

#include <string>

#include "tern/data/table.h"

namespace tern::data::internal {

/// What a reader says of a text column that looks like numbers or dates kept as text: which words, units or written
/// forms keep it from being one, and what would make it one. Empty where there is nothing to say.
std::string note_on_text(const Table& table, const std::string& name);

}  // namespace tern::data::internal
