#pragma once

#include <string>
#include <vector>

#include "journey.h"
#include "tern/tern.h"

/// What is no error in rows to be predicted, but may be one of whoever made the file: a line a column, of values far
/// outside the range of training, of levels that the model has not learned, of columns that are blank throughout.
std::vector<std::string> notes_on(const tern::Bundle& bundle, const tern::data::Table& rows);

/// Prints notes, the first twenty of many.
void tell(const std::vector<std::string>& notes, Journey& journey);
