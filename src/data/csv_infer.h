#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tern/data/csv.h"

namespace tern::data::internal {

/// The words that stand for a missing value, compared without the blanks around a field.
class MissingWords {
 public:
  explicit MissingWords(const std::vector<std::string>& words);
  bool has(std::string_view text) const {
    if (text.empty()) return blank_;
    if (text.size() >= by_length_.size() || !first_[static_cast<unsigned char>(text.front())]) return false;
    for (const std::string& word : by_length_[text.size()]) {
      if (word == text) return true;
    }
    return false;
  }

 private:
  bool blank_ = false;
  bool first_[256] = {};
  std::vector<std::vector<std::string>> by_length_;
};

/// The words that count with these options: those of the schema or the options, and the further ones; a whole number
/// among these also as it is written where a column of such numbers has become a float.
std::vector<std::string> missing_words(const CsvOptions& options);

/// A whole number with more digits than it needs, such as 007: an identifier, not a quantity.
bool leading_zero(std::string_view text);

/// What the values of a column could be, value by value; states of parts merge in order.
struct Inference {
  bool boolean = true;           ///< all are true/false
  bool timestamp = true;         ///< all are ISO 8601
  bool number = true;            ///< all are numbers
  bool whole = true;             ///< all are whole numbers
  bool days = true;              ///< all are days of eight digits, 20240131, of the years 1900 to 2100 or 9999
  bool zeros = false;            ///< one has leading zeros
  bool point = false;            ///< one has a decimal point
  bool thousands = true;         ///< each point of a number could part thousands: 4.596, not 0.596 or 4.59
  std::int64_t values = 0;       ///< values that were seen
  std::int64_t long_values = 0;  ///< while all are whole numbers, those beyond int64
  std::int64_t first_long = -1;  ///< first row with one
  std::int64_t too_large = -1;   ///< first row with a number beyond double
  std::int64_t infinite = -1;    ///< first row with inf or infinity

  void add(std::string_view text, std::int64_t row);
  void merge(const Inference& later);
  /// The type; a column without values is f64; days of eight digits are whole numbers; whole numbers of which nine in
  /// ten are beyond int64 are text, with fewer they are f64. `note` says why numbers are kept as text, or that there is
  /// no value.
  ColumnType type(std::string& note) const;
  /// No later value can change the type except by being text, nor what is noted of it.
  bool settled() const {
    return values > 0 && !days && !(number && long_values > 0) && !(number && point && thousands) && too_large < 0 &&
           infinite < 0;
  }
};

}  // namespace tern::data::internal
