#include "data/csv_records.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tern::data::internal {
namespace {

// The next place of a byte, remembered, so that all lookups together pass over the text once.
class Next {
 public:
  Next(const char* begin, const char* end, char byte) : at_(begin - 1), end_(end), byte_(byte) {}
  const char* from(const char* p) {
    if (at_ < p) {
      const void* found = p < end_ ? std::memchr(p, byte_, static_cast<std::size_t>(end_ - p)) : nullptr;
      at_ = found ? static_cast<const char*>(found) : end_;
    }
    return at_;
  }

 private:
  const char* at_;
  const char* end_;
  char byte_;
};

const char* find(const char* p, const char* end, char byte) {
  const void* found = p < end ? std::memchr(p, byte, static_cast<std::size_t>(end - p)) : nullptr;
  return found ? static_cast<const char*>(found) : end;
}

// The same for what is mostly near: most fields are shorter than a call of memchr is worth.
const char* find_near(const char* p, const char* end, char byte) {
  const char* const near = end - p > 16 ? p + 16 : end;
  while (p != near && *p != byte) ++p;
  return p == near && p != end ? find(p, end, byte) : p;
}

// The quote that closes a field whose content starts at `p`, or `end`.
const char* closing_quote(const char* p, const char* end, bool& escaped) {
  for (;;) {
    p = find(p, end, '"');
    if (p == end || p + 1 == end || p[1] != '"') return p;
    escaped = true;
    p += 2;
  }
}

// End of a record that holds quotes, or nullptr when the one at `opened` is not closed.
const char* end_of_record(const char* p, const char* end, char delimiter, const char*& opened) {
  for (;;) {
    if (p != end && *p == '"') {
      bool escaped = false;
      opened = p;
      p = closing_quote(p + 1, end, escaped);
      if (p == end) return nullptr;
      ++p;
    }
    while (p != end && *p != delimiter && *p != '\n' && *p != '\r') ++p;
    if (p == end || *p != delimiter) return p;
    ++p;
  }
}

std::int64_t count_lines(const char* p, const char* end) {
  std::int64_t lines = 0;
  for (; p != end; ++p) lines += *p == '\n' || (*p == '\r' && (p + 1 == end || p[1] != '\n'));
  return lines;
}

}  // namespace

Records scan_records(std::string_view text, char delimiter, std::int64_t most) {
  Records records;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const char* p = begin;
  Next line_feed(begin, end, '\n'), carriage(begin, end, '\r'), quote(begin, end, '"');
  std::int64_t line = 1, blank = -1;
  const auto take_line_end = [&] {
    if (p == end) return;
    p += *p == '\r' && p + 1 != end && p[1] == '\n' ? 2 : 1;
    ++line;
  };
  while (p != end && (most < 0 || static_cast<std::int64_t>(records.starts.size()) < most)) {
    const auto index = static_cast<std::int64_t>(records.starts.size());
    if (*p == '\n' || *p == '\r') {
      if (index > 0 && blank < 0) blank = line;
      take_line_end();
      continue;
    }
    records.blank_line = blank;
    if (line != index + 1 && records.lines.empty()) {
      for (std::int64_t i = 0; i < index; ++i) records.lines.push_back(i + 1);
    }
    if (line != index + 1 || !records.lines.empty()) records.lines.push_back(line);
    records.starts.push_back(p - begin);
    const char* stop = std::min(line_feed.from(p), carriage.from(p));
    if (quote.from(p) < stop) {
      const char* opened = nullptr;
      stop = end_of_record(p, end, delimiter, opened);
      if (stop == nullptr) {
        records.unclosed_at = opened - begin;
        records.unclosed_line = line + count_lines(p, opened);
        p = end;
        break;
      }
      line += count_lines(p, stop);
    }
    p = stop;
    take_line_end();
  }
  records.starts.push_back(p - begin);
  return records;
}

std::string_view Field::undoubled(std::string& scratch) const {
  scratch.clear();
  for (std::uint32_t i = 0; i < size; ++i) {
    scratch += data[i];
    if (data[i] == '"') ++i;
  }
  return scratch;
}

Split split(std::string_view text, char delimiter, std::int64_t width, std::int64_t max_field, Field* out) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  Split result;
  const char* p = text.data();
  const char* const end = p + text.size();
  const auto note = [&result](Problem problem) {
    if (result.problem != Problem::none) return;
    result.problem = problem;
    result.at = result.fields;
  };
  for (;;) {
    Field field;
    const char* stop = nullptr;
    if (p != end && *p == '"') {
      field.quoted = true;
      stop = closing_quote(++p, end, field.escaped);
      field.data = p;
      p = stop == end ? end : stop + 1;
      if (p != end && *p != delimiter) {
        note(Problem::after_quote);
        p = find(p, end, delimiter);
      }
    } else {
      stop = find_near(p, end, delimiter);
      field.data = p;
      p = stop;
    }
    const std::int64_t size = stop - field.data;
    if (size > max_field) note(Problem::too_long);
    field.size = static_cast<std::uint32_t>(std::min<std::int64_t>(size, max_field));
    if (result.fields < width) out[result.fields] = field;
    ++result.fields;
    if (p == end) break;
    ++p;
  }
  if (result.problem == Problem::none && result.fields != width) result.problem = Problem::fields;
  return result;
}

char find_delimiter(std::string_view text) {
  constexpr std::int64_t sample = 50;
  char best = ',';
  std::int64_t best_agreeing = 0, best_fields = 1;
  for (const char delimiter : {',', ';', '\t', '|'}) {
    const Records records = scan_records(text, delimiter, sample);
    std::int64_t fields = 0, agreeing = 0;
    for (std::int64_t i = 0; i < records.count(); ++i) {
      const auto begin = static_cast<std::size_t>(records.starts[static_cast<std::size_t>(i)]);
      const auto end = static_cast<std::size_t>(records.starts[static_cast<std::size_t>(i) + 1]);
      const Split record =
          split(text.substr(begin, end - begin), delimiter, 0, std::numeric_limits<std::uint32_t>::max(), nullptr);
      if (i == 0) fields = record.fields;
      agreeing += record.fields == fields;
    }
    if (fields < 2) continue;
    // A text with an unclosed quote under one delimiter may be whole under another.
    if (records.unclosed_at >= 0) agreeing = 1;
    if (agreeing > best_agreeing || (agreeing == best_agreeing && fields > best_fields)) {
      best = delimiter;
      best_agreeing = agreeing;
      best_fields = fields;
    }
  }
  return best;
}

}  // namespace tern::data::internal
