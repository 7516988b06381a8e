#pragma once

#include <string>
#include <vector>

namespace tern::data::internal {

/// For the end of a message about a column that is not there: the names like it, or the first few.
std::string near_names(const std::string& name, const std::vector<std::string>& names);

}  // namespace tern::data::internal
