#include <algorithm>
#include <utility>
#include <vector>

#include "data/csv_infer.h"
#include "data/csv_input.h"
#include "data/scalar.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/data/csv.h"

namespace tern::data {
namespace {

class Writer {
 public:
  Writer(const Table& table, const CsvWriteOptions& options)
      : table_(table), options_(options), words_(default_missing_words()), given_({options.missing}) {
    const char d = options.delimiter;
    if (d == '"' || d == '\n' || d == '\r' || d == '\0' || static_cast<unsigned char>(d) >= 0x80) {
      throw ValueError("[write_csv] expected an ASCII delimiter other than a quote or a line end, got another");
    }
    if (options.line_end != "\n" && options.line_end != "\r\n") {
      throw ValueError("[write_csv] expected a line end of \\n or \\r\\n, got another");
    }
    if (needs_quotes(options.missing)) {
      throw ValueError("[write_csv] expected a missing-value word without quotes, delimiters and line ends, got " +
                       internal::shown(options.missing));
    }
    if (table.width() == 0) throw ValueError("[write_csv] expected a table with columns, got none");
    whole_days_.resize(static_cast<std::size_t>(table.width()));
    for (std::int64_t c = 0; c < table.width(); ++c) {
      const Column& column = table.column(c);
      if (column.type() != ColumnType::timestamp) continue;
      constexpr std::int64_t day = std::int64_t{86'400} * 1'000'000;
      const auto values = column.i64_values();
      whole_days_[static_cast<std::size_t>(c)] =
          std::all_of(values.begin(), values.end(), [](std::int64_t value) { return value % day == 0; });
    }
  }

  void header(std::string& out) const {
    for (std::int64_t c = 0; c < table_.width(); ++c) {
      if (c > 0) out += options_.delimiter;
      append_text(out, table_.names()[static_cast<std::size_t>(c)]);
    }
    out += options_.line_end;
  }

  void rows(std::string& out, std::int64_t begin, std::int64_t end) const {
    for (std::int64_t i = begin; i < end; ++i) {
      for (std::int64_t c = 0; c < table_.width(); ++c) {
        if (c > 0) out += options_.delimiter;
        append(out, c, i);
      }
      out += options_.line_end;
    }
  }

 private:
  bool needs_quotes(std::string_view text) const {
    if (text.substr(0, 3) == "\xEF\xBB\xBF") return true;  // no byte-order mark
    return std::any_of(text.begin(), text.end(),
                       [this](char c) { return c == options_.delimiter || c == '"' || c == '\n' || c == '\r'; });
  }

  void append_text(std::string& out, std::string_view text) const {
    const std::string_view bare = internal::trim(text);
    // Blanks at the ends are quoted for readers that take them off, and missing-value words for those that heed quotes.
    if (bare.size() == text.size() && !words_.has(bare) && !given_.has(bare) && !needs_quotes(text)) {
      out += text;
      return;
    }
    out += '"';
    for (const char c : text) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }

  void append(std::string& out, std::int64_t c, std::int64_t i) const {
    const Column& column = table_.column(c);
    if (column.is_null(i)) {
      // A single empty field would be a blank line, which is no record.
      out += options_.missing.empty() && table_.width() == 1 ? "\"\"" : options_.missing;
      return;
    }
    switch (column.type()) {
      case ColumnType::f64:
        internal::append_f64(out, column.f64(i));
        break;
      case ColumnType::i64:
        internal::append_i64(out, column.i64(i));
        break;
      case ColumnType::boolean:
        out += column.boolean(i) ? "true" : "false";
        break;
      case ColumnType::timestamp:
        internal::append_timestamp(out, column.timestamp(i), !whole_days_[static_cast<std::size_t>(c)]);
        break;
      case ColumnType::string:
      case ColumnType::categorical:
        append_text(out, column.string(i));
        break;
    }
  }

  const Table& table_;
  const CsvWriteOptions& options_;
  internal::MissingWords words_, given_;
  std::vector<bool> whole_days_;
};

// Hands the text to `take` in pieces of bounded size.
template <class Take>
void write(const Table& table, const CsvWriteOptions& options, Take take) {
  const Writer writer(table, options);
  std::string header;
  writer.header(header);
  take(header);
  const std::int64_t grain = std::clamp<std::int64_t>(8192 / table.width(), 1, 4096);
  constexpr std::int64_t at_once = 64;  // blocks formatted in parallel before they are handed on
  std::vector<std::string> blocks(at_once);
  for (std::int64_t first = 0; first < table.rows(); first += grain * at_once) {
    const std::int64_t count = std::min(grain * at_once, table.rows() - first);
    for (std::string& block : blocks) block.clear();
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      writer.rows(blocks[static_cast<std::size_t>(begin / grain)], first + begin, first + end);
    });
    for (const std::string& block : blocks) take(block);
  }
}

}  // namespace

std::string write_csv_text(const Table& table, const CsvWriteOptions& options) {
  std::string text;
  write(table, options, [&text](const std::string& piece) { text += piece; });
  return text;
}

void write_csv(const Table& table, const std::string& path, const CsvWriteOptions& options) {
  AtomicFile file(path);
  if (path.size() > 3 && path.compare(path.size() - 3, 3, ".gz") == 0) {
    internal::Gzip gzip;
    write(table, options, [&](const std::string& piece) { file.write(gzip.add(piece)); });
    file.write(gzip.finish());
  } else {
    write(table, options, [&](const std::string& piece) { file.write(piece); });
  }
  file.commit();
}

}  // namespace tern::data
