#include "data/near_names.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <utility>

#include "data/scalar.h"

namespace tern::data::internal {
namespace {

// Edit distance (Levenshtein 1966), letters compared without case.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string near_names(const std::string& name, const std::vector<std::string>& names) {
  constexpr std::size_t longest = 100, most_names = 2000;  // bounds the work for odd tables
  std::vector<std::pair<std::size_t, std::size_t>> found;
  const std::string wanted = lower(name.substr(0, longest));
  for (std::size_t i = 0; i < names.size() && i < most_names; ++i) {
    const std::string other = lower(names[i].substr(0, longest));
    std::size_t d = distance(wanted, other);
    if (d > 2 && !wanted.empty() && other.find(wanted) != std::string::npos) d = 2;
    if (d <= 1 + std::min(wanted.size(), other.size()) / 3) found.emplace_back(d, i);
  }
  std::sort(found.begin(), found.end());
  std::string text = found.empty() ? "; the columns are " : "; near it: ";
  const std::size_t count =
      found.empty() ? std::min<std::size_t>(names.size(), 5) : std::min<std::size_t>(found.size(), 3);
  if (names.empty()) return "; the table has no column";
  for (std::size_t k = 0; k < count; ++k) {
    text += (k ? ", " : "") + shown(names[found.empty() ? k : found[k].second]);
  }
  return text + (found.empty() && names.size() > count ? ", ..." : "");
}

}  // namespace tern::data::internal
