#include "data/seen_rows.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <limits>
#include <string>

#include "tern/base/error.h"

namespace tern::data::internal {

using tern::internal::Json;
using tern::internal::json_get;

SeenRows::SeenRows(const Table& table) {
  std::map<RowOrigin, std::vector<std::int64_t>> ids;
  for (std::int64_t row = 0; row < table.rows(); ++row) ids[table.origin(row)].push_back(table.row_id(row));
  for (auto& [origin, list] : ids) {
    std::sort(list.begin(), list.end());
    std::vector<Word>& words = words_[origin];
    for (const std::int64_t id : list) {
      if (words.empty() || words.back().at != id >> 5) words.push_back({.at = id >> 5});
      words.back().bits |= std::uint32_t{1} << (id & 31);
    }
    words.shrink_to_fit();
  }
}

std::int64_t SeenRows::first_in(const Table& table) const {
  RowOrigin last;
  const std::vector<Word>* words = nullptr;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const RowOrigin origin = table.origin(row);
    if (row == 0 || origin != last) {
      const auto known = words_.find(origin);
      words = known == words_.end() ? nullptr : &known->second;
      last = origin;
    }
    if (words == nullptr) continue;
    const std::int64_t id = table.row_id(row);
    const auto word = std::lower_bound(words->begin(), words->end(), id >> 5,
                                       [](const Word& one, std::int64_t at) { return one.at < at; });
    if (word != words->end() && word->at == id >> 5 && (word->bits >> (id & 31) & 1u) != 0) return row;
  }
  return -1;
}

Json SeenRows::to_json() const {
  Json json = Json::array();
  for (const auto& [origin, words] : words_) {
    if (!origin.text) continue;
    char name[17];
    std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(origin.id));
    Json at = Json::array(), bits = Json::array();
    for (const Word& word : words) {
      at.push_back(word.at);
      bits.push_back(word.bits);
    }
    json.push_back({{"text", name}, {"at", std::move(at)}, {"bits", std::move(bits)}});
  }
  return json;
}

SeenRows SeenRows::from_json(const Json& json, const char* what) {
  const auto fail = [what](const char* expected) {
    throw FormatError("[" + std::string(what) + "] expected " + expected + " in \"seen\", got others");
  };
  if (!json.is_array()) fail("a list of texts");
  SeenRows seen;
  for (const Json& one : json) {
    const auto name = json_get<std::string>(one, "text", what);
    RowOrigin origin{.text = true};
    const auto read = std::from_chars(name.data(), name.data() + name.size(), origin.id, 16);
    if (name.size() != 16 || read.ec != std::errc() || read.ptr != name.data() + name.size()) fail("16 hex digits");
    const auto at = json_get<std::vector<std::int64_t>>(one, "at", what);
    const auto bits = json_get<std::vector<std::int64_t>>(one, "bits", what);
    if (at.size() != bits.size()) fail("as many bits as places");
    std::vector<Word> words;
    for (std::size_t k = 0; k < at.size(); ++k) {
      if (k > 0 && at[k] <= at[k - 1]) fail("ascending places");
      if (bits[k] <= 0 || bits[k] > std::numeric_limits<std::uint32_t>::max()) fail("32 bits a place");
      words.push_back({.at = at[k], .bits = static_cast<std::uint32_t>(bits[k])});
    }
    if (!seen.words_.emplace(origin, std::move(words)).second) fail("each text once");
  }
  return seen;
}

}  // namespace tern::data::internal
