#include "data/column_names.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "data/scalar.h"

namespace tern::data::internal {
namespace {

bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }

// "customerNo", "CUSTOMER_NO", "customer no." as {"customer", "no"}.
std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words;
  bool inside = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    const bool letter = std::isalpha(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
    if (!letter) {
      inside = false;
      continue;
    }
    if (!inside || (is_upper(c) && is_lower(name[i - 1]))) words.emplace_back();
    inside = true;
    words.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return words;
}

template <std::size_t N>
bool among(const std::string& word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

}  // namespace

bool named_like_id(const std::string& name) {
  const std::string low = lower(name);
  if (low == "id" || low == "uuid" || low == "guid") return true;
  const auto ends = [&](std::string_view with) {
    return name.size() > with.size() && name.compare(name.size() - with.size(), with.size(), with) == 0;
  };
  if (low.rfind("id_", 0) == 0 || low.rfind("id ", 0) == 0) return true;
  if (low.size() > 3 && low.compare(low.size() - 2, 2, "id") == 0) {
    const char before = low[low.size() - 3];
    if (before == '_' || before == ' ' || before == '-' || before == '.') return true;
  }
  if (!ends("Id") && !ends("ID")) return false;
  return is_lower(name[name.size() - 3]);
}

bool named_like_index(const std::string& name) { return name == "Unnamed: 0" || name.rfind("Unnamed: 0.", 0) == 0; }

bool named_like_key(const std::string& name) {
  static constexpr std::string_view somebody[] = {
      "customer",  "client",   "patient", "user",       "member",    "subject",     "person",
      "household", "employee", "student", "subscriber", "passenger", "participant", "respondent",
      "applicant", "borrower", "donor",   "visitor",    "guest",     "policyholder"};
  static constexpr std::string_view something[] = {"account", "policy", "contract", "card",    "device",
                                                   "vehicle", "phone",  "machine",  "invoice", "case"};
  static constexpr std::string_view number[] = {"no", "nr", "num", "number", "key", "code", "ref"};
  bool some = false, thing = false, numbered = false;
  for (const std::string& word : words_of(name)) {
    if (among(word, somebody)) {
      some = true;
    } else if (among(word, something)) {
      thing = true;
    } else if (among(word, number)) {
      numbered = true;
    } else if (word != "name" && word != "email") {
      return false;
    }
  }
  return some || (thing && numbered);
}

bool named_like_scale(const std::string& name) {
  static constexpr std::string_view scales[] = {
      "year",  "yr",    "month",    "week",   "weekday",  "day",   "days",  "date",   "hour",  "minute",     "second",
      "time",  "t",     "quarter",  "period", "step",     "epoch", "wave",  "round",  "cycle", "age",        "tenure",
      "rank",  "score", "decile",   "bin",    "bucket",   "count", "level", "x",      "y",     "percentile", "lag",
      "index", "row",   "position", "seq",    "sequence", "order", "col",   "column", "tick"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) { return among(word, scales); });
}

bool named_like_date(const std::string& name) {
  static constexpr std::string_view days[] = {"date",     "dates",     "datum",     "day",     "dt",       "dob",
                                              "birthday", "birthdate", "startdate", "enddate", "yyyymmdd", "ymd"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [](const std::string& word) { return among(word, days); });
}

}  // namespace tern::data::internal
