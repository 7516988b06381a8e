#include "tern/data/spellings.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <unordered_map>

namespace tern::data {
namespace {

// Lower case, without blanks at the ends and with one between words.
std::string folded(std::string_view text) {
  std::string result;
  bool blank = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      blank = true;
      continue;
    }
    if (blank && !result.empty()) result += ' ';
    blank = false;
    const bool latin_1 = i > 0 && text[i - 1] == '\xC3';  // U+00C0 to U+00FF in UTF-8
    const auto byte = static_cast<unsigned char>(c);
    if (c >= 'A' && c <= 'Z') {
      result += static_cast<char>(c - 'A' + 'a');
    } else if (latin_1 && byte <= 0x9E && byte != 0x97) {
      result += static_cast<char>(c + 0x20);
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

std::vector<Spellings> find_spellings(const Column& column) {
  if (column.type() != ColumnType::string && column.type() != ColumnType::categorical) return {};
  std::unordered_map<std::string_view, std::int64_t> counts;
  for (std::int64_t i = 0; i < column.size(); ++i) {
    if (!column.is_null(i)) ++counts[column.string(i)];
  }
  std::map<std::string, Spellings> by_value;
  for (const auto& [text, rows] : counts) by_value[folded(text)].emplace_back(text, rows);
  std::vector<Spellings> found;
  for (auto& [value, spellings] : by_value) {
    if (spellings.size() < 2) continue;
    std::sort(spellings.begin(), spellings.end(), [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    found.push_back(std::move(spellings));
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace tern::data
