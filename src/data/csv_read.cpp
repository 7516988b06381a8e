#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>
#include <unordered_set>
#include <utility>

#include "data/bits.h"
#include "data/column_names.h"
#include "data/csv_infer.h"
#include "data/csv_input.h"
#include "data/csv_notes.h"
#include "data/csv_output.h"
#include "data/csv_records.h"
#include "data/near_names.h"
#include "data/scalar.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/log.h"
#include "tern/base/parallel.h"
#include "tern/data/column_builder.h"
#include "tern/data/csv.h"
#include "tern/data/formats.h"
#include "tern/data/sentinels.h"

namespace tern::data {
namespace {

using internal::CsvOutput;
using internal::Field;
using internal::Inference;
using internal::Parsed;
using internal::Problem;
using internal::Split;

constexpr std::int64_t sample_rows = 2048;    // from which types are guessed before the whole file confirms them
constexpr std::int64_t block_fields = 16384;  // split at a time, so that a block stays in cache

constexpr const char* not_utf8 = "expected UTF-8 text, got other bytes";
constexpr const char* to_utf8 =
    "; iconv -f WINDOWS-1252 -t UTF-8 converts what office programs write in western languages";

// A column of the table to be made.
struct Plan {
  std::int64_t field = 0;  // position in the file
  SchemaColumn out{};
  bool told = false;
  ColumnType read = ColumnType::string;  // the type that fields are parsed to, before format and levels
  std::string note{};
};

class Reader {
 public:
  Reader(std::string_view text, std::string file, const CsvOptions& options)
      : text_(text),
        file_(std::move(file)),
        options_(options),
        words_(internal::missing_words(options)),
        missing_(words_),
        quoted_missing_(options.schema.columns.empty() ? options.quoted_missing : options.schema.quoted_missing) {}

  Table read(CsvReport* report) {
    check_options(report);
    find_structure();
    read_header();
    make_plans();
    if (options_.bad_rows != BadRows::error) leave_out_bad_rows();
    if (rows() == 0 && !options_.allow_no_rows) {
      fail(-1, {}, skipped_.empty() ? "expected rows, got a header alone" : "expected rows, got none that can be read");
    }
    infer();
    fill();
    Table table = make_table();
    note_columns(table);
    for (const Plan& plan : plans_) {
      if (!plan.note.empty()) notes_.push_back("column " + internal::shown(plan.out.name) + ": " + plan.note);
    }
    for (const std::string& note : notes_) log(LogLevel::info, "[read_csv] " + note);
    if (report) write_report(*report, table);
    return table;
  }

 private:
  std::int64_t rows() const { return some_left_out_ ? static_cast<std::int64_t>(kept_.size()) : records_.count() - 1; }
  // The record of the file (the header not counted) that a row of the table is read from.
  std::int64_t record(std::int64_t row) const { return some_left_out_ ? kept_[static_cast<std::size_t>(row)] : row; }
  std::string_view record_text(std::int64_t record) const {
    const auto at = static_cast<std::size_t>(record + 1);
    return text_.substr(static_cast<std::size_t>(records_.starts[at]),
                        static_cast<std::size_t>(records_.starts[at + 1] - records_.starts[at]));
  }

  // `record` -1: no record; the header is -2.
  [[noreturn]] TERN_COLD void fail(std::int64_t record, const std::string& column, const std::string& message) const {
    DataLocation location;
    location.file = file_;
    if (record >= 0) location.row = record;
    if (record != -1) location.line = records_.line(record == -2 ? 0 : record + 1);
    location.column = column;
    throw DataError("read_csv", message, std::move(location));
  }
  [[noreturn]] TERN_COLD void fail_line(std::int64_t line, const std::string& message) const {
    DataLocation location;
    location.file = file_;
    location.line = line;
    throw DataError("read_csv", message, std::move(location));
  }
  std::string name(std::int64_t field) const {
    return field >= 0 && field < width_ ? names_[static_cast<std::size_t>(field)] : std::string();
  }

  void check_options(const CsvReport* report) const {
    if (options_.bad_rows == BadRows::report && !report) {
      throw ValueError("[read_csv] expected a CsvReport for BadRows::report, got none");
    }
    if (from_schema() && !options_.types.empty()) {
      throw ValueError("[read_csv] expected a schema or types, got both");
    }
    if (from_schema() && !options_.only_blank_missing.empty()) {
      throw ValueError(
          "[read_csv] expected a schema, which says where a blank alone is missing, or such columns, got both");
    }
    if (!from_schema() && !options_.optional_columns.empty()) {
      throw ValueError("[read_csv] expected optional columns of a schema, got no schema");
    }
    for (const auto& [name, spec] : options_.types) {
      try {
        if (!spec.format.empty()) format_type(spec.format);
      } catch (const ValueError&) {
        throw ValueError("[read_csv] column " + internal::shown(name) +
                         ": expected a type (number or f64, i64, boolean, string, categorical, timestamp) or a written "
                         "form (date:dmy, date:mdy2, number:point+group+$, number:point+percent, number:comma, "
                         "boolean:yes/no, ...), got " +
                         internal::shown(spec.format));
      }
    }
    const char d = options_.delimiter;
    if (d == '"' || d == '\n' || d == '\r' || static_cast<unsigned char>(d) >= 0x80) {
      throw ValueError("[read_csv] expected an ASCII delimiter other than a quote or a line end, got another");
    }
    const auto positive = [](std::int64_t value, const char* option) {
      if (value < 1)
        throw ValueError("[read_csv] expected " + std::string(option) + " of at least 1, got " + std::to_string(value));
    };
    positive(options_.max_columns, "max_columns");
    positive(options_.max_bytes, "max_bytes");
    positive(options_.max_field_bytes, "max_field_bytes");
    if (options_.max_field_bytes > std::int64_t{1} << 31) {
      throw ValueError("[read_csv] expected max_field_bytes of at most 2^31, got " +
                       std::to_string(options_.max_field_bytes));
    }
    if (options_.max_rows < -1) {
      throw ValueError("[read_csv] expected max_rows of at least 0, or -1, got " + std::to_string(options_.max_rows));
    }
  }

  void find_structure() {
    if (static_cast<std::int64_t>(text_.size()) > options_.max_bytes) {
      fail(-1, {}, "expected at most " + std::to_string(options_.max_bytes) + " bytes of text, got more");
    }
    const internal::TextIdentity identity = internal::identify(text_);
    hash_ = identity.hash;
    if (text_.substr(0, 2) == "\xFF\xFE" || text_.substr(0, 2) == "\xFE\xFF") {
      fail_line(1, "expected UTF-8 text, got UTF-16; iconv -f UTF-16 -t UTF-8 converts it");
    }
    if (const std::size_t at = identity.zero_at; at != std::string_view::npos) {
      const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), '\n');
      fail_line(line, "expected text, got a binary file (a zero byte)");
    }
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
    delimiter_ = options_.delimiter != '\0' ? options_.delimiter : found_delimiter();
    records_ = internal::scan_records(text_, delimiter_, options_.max_rows < 0 ? -1 : options_.max_rows + 1);
    if (records_.unclosed_at >= 0) {
      const std::int64_t record = records_.starts[static_cast<std::size_t>(records_.count()) - 1];
      fail_line(records_.unclosed_line,
                "expected a closing quote, got the end of the file (the quote opens on this "
                "line, in field " +
                    std::to_string(fields_between(record, records_.unclosed_at)) + ")");
    }
    if (records_.count() == 0) fail(-1, {}, "expected a header line, got an empty file");
    const auto& at = records_.starts;  // and not a title above a table
    if (records_.blank_line > 0 && fields_between(at[0], at[1]) == 1 && fields_between(at[1], at[2]) == 1) {
      fail_line(records_.blank_line,
                "expected a value of the one column, got a blank line: \"\" stands for a missing value");
    }
  }

  std::int64_t fields_between(std::int64_t begin, std::int64_t end) const {
    const std::string_view text = text_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    return internal::split(text, delimiter_, 0, options_.max_field_bytes, nullptr).fields;
  }

  // As the first records say; with a schema, the delimiter under which the header has most of its columns.
  char found_delimiter() const {
    const char found = internal::find_delimiter(text_);
    if (!from_schema()) return found;
    char best = found;
    std::int64_t most = -1;
    std::string scratch;
    for (const char delimiter : {found, ',', ';', '\t', '|'}) {
      const internal::Records first = internal::scan_records(text_, delimiter, 1);
      if (first.count() == 0) continue;
      const auto begin = static_cast<std::size_t>(first.starts[0]), end = static_cast<std::size_t>(first.starts[1]);
      const std::string_view header = text_.substr(begin, end - begin);
      const std::int64_t width = internal::split(header, delimiter, 0, options_.max_field_bytes, nullptr).fields;
      if (width > options_.max_columns) continue;
      std::vector<Field> fields(static_cast<std::size_t>(width));
      internal::split(header, delimiter, width, options_.max_field_bytes, fields.data());
      std::unordered_set<std::string_view> wanted;
      for (const SchemaColumn& column : options_.schema.columns) wanted.insert(column.name);
      std::int64_t count = 0;
      for (const Field& field : fields) {
        count +=
            static_cast<std::int64_t>(wanted.erase(field.quoted ? field.value(scratch) : internal::trim(field.raw())));
      }
      if (count > most) {
        most = count;
        best = delimiter;
      }
    }
    return best;
  }

  // A first column without a name is the index that pandas writes; it is called what pandas calls it.
  std::string index_name(const std::vector<std::string>& others) {
    std::string name = "Unnamed: 0";
    for (int again = 1; std::find(others.begin(), others.end(), name) != others.end(); ++again) {
      name = "Unnamed: 0." + std::to_string(again);
    }
    notes_.push_back("column " + internal::shown(name) +
                     ": the header has no name for the first column, as where pandas wrote its index");
    return name;
  }

  void read_header() {
    const std::string_view header = record_text(-1);
    if (internal::invalid_utf8(header) != std::string_view::npos)
      fail(-2, {}, std::string(not_utf8) + " in the header" + to_utf8);
    const Split count = internal::split(header, delimiter_, 0, options_.max_field_bytes, nullptr);
    if (count.fields > options_.max_columns) {
      fail(
          -2, {},
          "expected at most " + std::to_string(options_.max_columns) + " columns, got " + std::to_string(count.fields));
    }
    width_ = count.fields;
    std::vector<Field> fields(static_cast<std::size_t>(width_));
    const Split found = internal::split(header, delimiter_, width_, options_.max_field_bytes, fields.data());
    if (found.problem != Problem::none) fail(-2, {}, describe(found));
    std::unordered_set<std::string> seen;
    std::string scratch;
    for (const Field& field : fields) {
      names_.emplace_back(field.quoted ? field.value(scratch) : internal::trim(field.raw()));
    }
    if (width_ > 1 && names_[0].empty()) names_[0] = index_name(names_);
    for (std::size_t f = 0; f < names_.size(); ++f) {
      const std::string& name = names_[f];
      const auto position = std::to_string(f + 1);
      if (name.empty()) {
        fail(-2, {}, "expected a name for each column, got an empty one for column " + position + guess());
      }
      if (!seen.insert(name).second)
        fail(-2, name, "expected each column name once, got it again for column " + position);
    }
  }

  // What the first line may be instead of a header, for the end of a message.
  std::string guess() const {
    std::int64_t next = 0;
    if (records_.count() > 1) {
      next = internal::split(record_text(0), delimiter_, 0, options_.max_field_bytes, nullptr).fields;
    }
    return internal::guess_at_header(record_text(-1), names_, next);
  }

  std::string describe(const Split& split) const {
    switch (split.problem) {
      case Problem::none:
        break;
      case Problem::fields:
        return "expected " + std::to_string(width_) + " fields, got " + std::to_string(split.fields);
      case Problem::after_quote:
        return "expected a delimiter or a line end after a closing quote, got other text";
      case Problem::too_long:
        return "expected fields of at most " + std::to_string(options_.max_field_bytes) + " bytes, got a longer one";
    }
    return {};
  }

  bool from_schema() const { return !options_.schema.columns.empty(); }

  void make_plans() {
    if (from_schema()) return make_plans_from_schema();
    for (const auto& [name, spec] : options_.types) {
      if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
        fail(-2, name,
             "expected told types of columns of the file, got " + internal::shown(name) +
                 internal::near_names(name, names_) + guess());
      }
    }
    for (std::int64_t f = 0; f < width_; ++f) {
      Plan plan;
      plan.field = f;
      plan.out.name = name(f);
      const auto& blank = options_.only_blank_missing;
      plan.out.only_blank_missing = std::find(blank.begin(), blank.end(), plan.out.name) != blank.end();
      for (const auto& [told, spec] : options_.types) {
        if (told != plan.out.name) continue;
        if (plan.told) fail(-2, told, "expected one told type, got another");
        plan.told = true;
        plan.out.type = spec.type;
        plan.out.format = spec.format;
        plan.read = read_type(plan.out);
      }
      plans_.push_back(std::move(plan));
    }
  }

  void make_plans_from_schema() {
    const auto& optional = options_.optional_columns;
    for (const std::string& name : optional) {
      if (!options_.schema.find(name)) {
        throw ValueError("[read_csv] expected optional columns of the schema, got " + internal::shown(name));
      }
    }
    for (const SchemaColumn& column : options_.schema.columns) {
      const auto at = std::find(names_.begin(), names_.end(), column.name);
      if (at == names_.end()) {
        if (std::find(optional.begin(), optional.end(), column.name) != optional.end()) continue;
        fail(-2, column.name, "expected this column, got a file without it" + missing_columns(column.name) + guess());
      }
      Plan plan;
      plan.field = at - names_.begin();
      plan.out = column;
      plan.told = true;
      plan.read = read_type(column);
      plans_.push_back(std::move(plan));
    }
    for (const std::string& name : names_) {
      if (!options_.schema.find(name))
        notes_.push_back("column " + internal::shown(name) + ": not in the schema, left out");
    }
  }

  // For the end of a message about the first column of the schema that the file lacks: what is like it, and the others.
  std::string missing_columns(const std::string& first) const {
    constexpr std::size_t most = 20;
    std::vector<std::string> others;
    for (const SchemaColumn& column : options_.schema.columns) {
      const auto& optional = options_.optional_columns;
      if (column.name == first || std::find(names_.begin(), names_.end(), column.name) != names_.end() ||
          std::find(optional.begin(), optional.end(), column.name) != optional.end()) {
        continue;
      }
      others.push_back(column.name);
    }
    std::string text = internal::near_names(first, names_);
    for (std::size_t i = 0; i < others.size() && i < most; ++i) {
      text += (i == 0 ? "; it lacks " : ", ") + internal::shown(others[i]);
    }
    if (others.size() > most) text += " and " + std::to_string(others.size() - most) + " more";
    return others.empty() ? text : text + " too";
  }

  static ColumnType read_type(const SchemaColumn& column) {
    return column.format.empty() && column.type != ColumnType::categorical ? column.type : ColumnType::string;
  }

  std::int64_t block_rows() const { return std::clamp<std::int64_t>(block_fields / width_ / 8 * 8, 8, 4096); }

  // Splits `count` rows from `first`; throws for the first that breaks a rule.
  void split_rows(std::int64_t first, std::int64_t count, std::vector<Field>& fields) const {
    fields.resize(static_cast<std::size_t>(count * width_));
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t at = record(first + r);
      const Split found =
          internal::split(record_text(at), delimiter_, width_, options_.max_field_bytes, fields.data() + r * width_);
      if (found.problem == Problem::none) continue;
      fail(at, name(found.at), describe(found) + (found.problem == Problem::fields ? guess() : ""));
    }
    if (some_left_out_) return;  // every record was checked one by one
    const auto begin = static_cast<std::size_t>(records_.starts[static_cast<std::size_t>(first + 1)]);
    const auto end = static_cast<std::size_t>(records_.starts[static_cast<std::size_t>(first + count + 1)]);
    if (internal::invalid_utf8(text_.substr(begin, end - begin)) == std::string_view::npos) return;
    for (std::int64_t r = 0; r < count; ++r) {
      for (std::int64_t f = 0; f < width_; ++f) {
        if (internal::invalid_utf8(fields[static_cast<std::size_t>(r * width_ + f)].raw()) != std::string_view::npos) {
          fail(record(first + r), name(f), std::string(not_utf8) + to_utf8);
        }
      }
    }
  }

  void leave_out_bad_rows() {
    const std::int64_t count = records_.count() - 1, grain = block_rows();
    std::vector<std::vector<SkippedRow>> found(static_cast<std::size_t>(count / grain + 1));
    parallel_for(count, grain, [&](std::int64_t begin, std::int64_t end) {
      std::vector<Field> fields(static_cast<std::size_t>(width_));
      for (std::int64_t r = begin; r < end; ++r) {
        const std::string_view text = record_text(r);
        const Split split = internal::split(text, delimiter_, width_, options_.max_field_bytes, fields.data());
        std::string reason = describe(split);
        if (reason.empty() && internal::invalid_utf8(text) != std::string_view::npos) {
          reason = not_utf8;
        }
        if (!reason.empty()) {
          found[static_cast<std::size_t>(begin / grain)].push_back({r, records_.line(r + 1), std::move(reason)});
        }
      }
    });
    for (auto& block : found) {
      for (SkippedRow& row : block) skipped_.push_back(std::move(row));
    }
    some_left_out_ = true;
    kept_.reserve(static_cast<std::size_t>(count) - skipped_.size());
    std::size_t next = 0;
    for (std::int64_t r = 0; r < count; ++r) {
      if (next < skipped_.size() && skipped_[next].row == r) {
        ++next;
      } else {
        kept_.push_back(r);
      }
    }
  }

  // The value of a field without the blanks around it; false when it is missing.
  bool value(const Plan& plan, const Field& field, std::string& scratch, std::string_view& text) const {
    text = internal::trim(field.value(scratch));
    return (field.quoted && !quoted_missing_) || (plan.out.only_blank_missing && !text.empty()) || !missing_.has(text);
  }

  void infer_rows(std::int64_t first, std::int64_t count, const std::vector<std::size_t>& columns,
                  std::vector<Inference>& states) const {
    std::vector<Field> fields;
    split_rows(first, count, fields);
    std::string scratch;
    std::string_view text;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const Plan& plan = plans_[columns[k]];
      const Field* field = fields.data() + plan.field;
      for (std::int64_t r = 0; r < count; ++r, field += width_) {
        if (value(plan, *field, scratch, text)) states[k].add(text, first + r);
      }
    }
  }

  // Guesses types from the first rows. Where those cannot settle it, or `fill` finds the guess wrong, all rows decide.
  void infer() {
    std::vector<std::size_t> columns;
    for (std::size_t c = 0; c < plans_.size(); ++c) {
      if (!plans_[c].told) columns.push_back(c);
    }
    if (columns.empty()) return;
    std::vector<Inference> states(columns.size());
    const std::int64_t count = std::min(rows(), sample_rows), grain = block_rows();
    for (std::int64_t first = 0; first < count; first += grain) {
      infer_rows(first, std::min(grain, count - first), columns, states);
    }
    std::vector<std::size_t> open;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (count == rows() || states[k].settled()) {
        decide(columns[k], states[k]);
      } else {
        open.push_back(columns[k]);
      }
    }
    infer_all(open);
  }

  void infer_all(const std::vector<std::size_t>& columns) {
    if (columns.empty()) return;
    const std::int64_t grain = block_rows();
    std::vector<std::vector<Inference>> blocks(static_cast<std::size_t>(rows() / grain + 1),
                                               std::vector<Inference>(columns.size()));
    parallel_for(rows(), grain, [&](std::int64_t begin, std::int64_t end) {
      infer_rows(begin, end - begin, columns, blocks[static_cast<std::size_t>(begin / grain)]);
    });
    for (std::size_t k = 0; k < columns.size(); ++k) {
      Inference state = blocks[0][k];
      for (std::size_t b = 1; b < blocks.size(); ++b) state.merge(blocks[b][k]);
      decide(columns[k], state);
    }
  }

  void decide(std::size_t column, const Inference& state) {
    Plan& plan = plans_[column];
    plan.out.type = plan.read = state.type(plan.note);
    if (plan.read == ColumnType::f64 && state.whole && state.long_values > 0) {
      plan.note = std::to_string(state.long_values) + " of " + std::to_string(state.values) +
                  " values are whole numbers beyond 64 bits, the first in line " +
                  std::to_string(records_.line(record(state.first_long) + 1)) +
                  "; read as numbers of about 16 digits, the type string keeps all";
    }
    if (state.values > 0 && state.days && !plan.out.only_blank_missing) {
      plan.note = take_days(plan)
                      ? "every value is a day, such as 20240131; read as dates, the type number keeps numbers"
                      : "every value is a day, such as 20240131, read as a whole number; the type date:ymd reads dates";
    }
    if (plan.read != ColumnType::f64 || (state.too_large < 0 && state.infinite < 0)) return;
    const bool large = state.too_large >= 0 && (state.infinite < 0 || state.too_large < state.infinite);
    const std::int64_t row = large ? state.too_large : state.infinite;
    const std::string word = this->word(plan, row);
    if (large) fail(record(row), plan.out.name, "expected a number, got one too large: " + internal::shown(word));
    fail(record(row), plan.out.name,
         "expected a finite number, got " + internal::shown(word) +
             "; told as a missing word it is a missing value, the type number keeps it");
  }

  // Days of eight digits are dates where the name says so.
  static bool take_days(Plan& plan) {
    if (!internal::named_like_date(plan.out.name)) return false;
    plan.out.type = ColumnType::timestamp;
    plan.out.format = to_string(DateFormat::ymd);
    plan.read = ColumnType::string;
    return true;
  }

  // Fills rows of one column; returns false where an inferred type does not hold, throws where a told one does not.
  bool fill_rows(const Plan& plan, CsvOutput& out, const std::vector<Field>& fields, std::int64_t first,
                 std::int64_t count, std::size_t block) const {
    std::string scratch;
    std::string_view text;
    const Field* field = fields.data() + plan.field;
    ColumnBuffers& b = out.buffers;
    if (plan.read == ColumnType::string) {
      internal::BlockText& strings = out.blocks[block];
      strings.ends.reserve(static_cast<std::size_t>(count));
      for (std::int64_t r = 0; r < count; ++r, field += width_) {
        if (value(plan, *field, scratch, text)) {
          internal::set_bit(b.validity, first + r);
          strings.characters += field->escaped ? std::string_view(scratch) : field->quoted ? field->raw() : text;
        }
        strings.ends.push_back(static_cast<std::int64_t>(strings.characters.size()));
      }
      return true;
    }
    for (std::int64_t r = 0; r < count; ++r, field += width_) {
      if (!value(plan, *field, scratch, text)) continue;
      const std::int64_t row = first + r;
      Parsed parsed = Parsed::no;
      switch (plan.read) {
        case ColumnType::f64:
          parsed = internal::parse_f64(text, b.f64[static_cast<std::size_t>(row)]);
          if (!plan.told && std::isinf(b.f64[static_cast<std::size_t>(row)])) parsed = Parsed::no;
          break;
        case ColumnType::i64: {
          std::int64_t& value = b.i64[static_cast<std::size_t>(row)];
          parsed = internal::parse_i64(text, value);
          if (parsed == Parsed::no && plan.told) parsed = whole(text, value);
          break;
        }
        case ColumnType::boolean:
          if (const auto word = plan.told ? internal::parse_boolean(text) : internal::parse_true_false(text)) {
            parsed = Parsed::ok;
            if (*word) internal::set_bit(b.bits, row);
          }
          break;
        default:
          if (const auto time = internal::parse_iso(text)) {
            parsed = Parsed::ok;
            b.i64[static_cast<std::size_t>(row)] = *time;
          }
          break;
      }
      const bool number = plan.read == ColumnType::f64 || plan.read == ColumnType::i64;
      if (parsed == Parsed::ok && !(number && !plan.told && internal::leading_zero(text))) {
        internal::set_bit(b.validity, row);
      } else if (!plan.told) {
        return false;
      } else {
        fail(record(row), plan.out.name,
             "expected " + value_in_words(plan.read) + ", got " +
                 (parsed == Parsed::too_large ? "a number too large: " : "") + internal::shown(text) +
                 (plan.read == ColumnType::i64 && fraction(text) ? "; the type number takes fractions" : ""));
      }
    }
    return true;
  }

  static bool fraction(std::string_view text) {
    double number = 0;
    return internal::parse_f64(text, number) == Parsed::ok && number != std::floor(number);
  }

  // A whole number written with a fraction of zeros (3.0), as tools do that keep numbers with gaps as floating point.
  static Parsed whole(std::string_view text, std::int64_t& value) {
    const std::size_t point = text.find('.');
    if (point != std::string_view::npos && text.find_first_not_of('0', point + 1) == std::string_view::npos) {
      const Parsed exact = internal::parse_i64(text.substr(0, point), value);
      if (exact != Parsed::no) return exact;
    }
    double number = 0;
    const Parsed parsed = internal::parse_f64(text, number);
    if (parsed != Parsed::ok) return parsed;
    if (number != std::floor(number)) return Parsed::no;
    if (std::fabs(number) >= 0x1p63) return Parsed::too_large;
    value = static_cast<std::int64_t>(number);
    return Parsed::ok;
  }

  void fill() {
    outputs_.resize(plans_.size());
    std::vector<std::size_t> columns(plans_.size());
    for (std::size_t c = 0; c < columns.size(); ++c) columns[c] = c;
    const std::vector<std::size_t> wrong = fill_columns(columns);
    infer_all(wrong);
    if (!fill_columns(wrong).empty()) throw Error("[read_csv] expected the inferred type to hold, got another");
  }

  // Returns the columns whose inferred type does not hold.
  std::vector<std::size_t> fill_columns(const std::vector<std::size_t>& columns) {
    const std::int64_t grain = block_rows();
    for (const std::size_t c : columns) outputs_[c].start(plans_[c].read, rows(), rows() / grain + 1);
    const auto failed = std::make_unique<std::atomic<bool>[]>(plans_.size());
    if (!columns.empty()) {
      parallel_for(rows(), grain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<Field> fields;
        split_rows(begin, end - begin, fields);
        for (const std::size_t c : columns) {
          if (failed[c].load(std::memory_order_relaxed)) continue;
          if (!fill_rows(plans_[c], outputs_[c], fields, begin, end - begin, static_cast<std::size_t>(begin / grain))) {
            failed[c].store(true, std::memory_order_relaxed);
          }
        }
      });
    }
    std::vector<std::size_t> wrong;
    for (const std::size_t c : columns) {
      if (failed[c].load(std::memory_order_relaxed)) wrong.push_back(c);
    }
    return wrong;
  }

  Table make_table() {
    std::vector<Column> columns(plans_.size());
    parallel_for(static_cast<std::int64_t>(plans_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        const auto at = static_cast<std::size_t>(c);
        columns[at] = outputs_[at].finish();
        const SchemaColumn& out = plans_[at].out;
        if (out.type == ColumnType::categorical) {
          columns[at] = out.levels.empty() ? columns[at].cast(ColumnType::categorical)
                                           : columns[at].encode(out.levels, out.ordered);
        }
      }
    });
    outputs_.clear();
    Table table;
    for (std::size_t c = 0; c < plans_.size(); ++c) table.add(plans_[c].out.name, std::move(columns[c]));
    auto source = std::make_shared<TableSource>();
    source->file = file_;
    source->first_line = records_.line(0) + 1;
    source->origin = {.id = hash_, .text = true};
    if (!records_.lines.empty()) source->lines.assign(records_.lines.begin() + 1, records_.lines.end());
    table.set_source(std::move(source), kept_);
    for (const Plan& plan : plans_) {
      if (!plan.out.format.empty()) apply_format(table, plan.out.name, plan.out.format);
    }
    return table;
  }

  // Text that looks like numbers or dates: why it is none, and what can be done. Numbers and times that may stand for
  // missing values.
  void note_columns(const Table& table) {
    if (from_schema()) return;
    parallel_for(static_cast<std::int64_t>(plans_.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) {
        Plan& plan = plans_[static_cast<std::size_t>(c)];
        if (plan.out.only_blank_missing) continue;
        const Column& column = table.column(plan.out.name);
        if (!plan.told && column.type() == ColumnType::string && plan.note.empty()) {
          plan.note = internal::note_on_text(table, plan.out.name);
        }
        for (const Sentinel& sentinel : find_sentinels(column)) {
          plan.note += (plan.note.empty() ? "" : "; ") +
                       data::describe(sentinel, word(plan, sentinel.row), column.size() - column.null_count());
        }
      }
    });
  }

  // A value as the file has it.
  std::string word(const Plan& plan, std::int64_t row) const {
    std::vector<Field> fields;
    std::string scratch;
    split_rows(row, 1, fields);
    return std::string(internal::trim(fields[static_cast<std::size_t>(plan.field)].value(scratch)));
  }

  void write_report(CsvReport& report, const Table& table) const {
    report = CsvReport();
    report.records = records_.count() - 1;
    report.rows = rows();
    report.skipped_count = static_cast<std::int64_t>(skipped_.size());
    if (options_.bad_rows == BadRows::report) report.skipped = skipped_;
    report.bytes = static_cast<std::int64_t>(text_.size());
    report.delimiter = delimiter_;
    report.notes = notes_;
    report.schema.missing = words_;
    report.schema.quoted_missing = quoted_missing_;
    for (const Plan& plan : plans_) {
      SchemaColumn column = plan.out;
      if (column.type == ColumnType::categorical) {
        column.levels = table.column(column.name).levels();
        column.ordered = table.column(column.name).ordered();
      }
      report.schema.columns.push_back(std::move(column));
    }
  }

  std::string_view text_;
  std::string file_;
  const CsvOptions& options_;
  std::vector<std::string> words_;
  internal::MissingWords missing_;
  bool quoted_missing_;
  char delimiter_ = ',';
  std::uint64_t hash_ = 0;
  internal::Records records_;
  std::int64_t width_ = 0;
  std::vector<std::string> names_;
  std::vector<Plan> plans_;
  std::vector<CsvOutput> outputs_;
  bool some_left_out_ = false;  // rows are those of `kept_`, else all
  std::vector<std::int64_t> kept_;
  std::vector<SkippedRow> skipped_;
  std::vector<std::string> notes_;
};

}  // namespace

ColumnSpec::ColumnSpec(std::string_view name) : type(ColumnType::string) {
  try {
    if (name == "number") {
      type = ColumnType::f64;
    } else if (name.find(':') == std::string_view::npos) {
      type = parse_column_type(name);
    } else {
      format = name;
      type = format_type(name);
    }
  } catch (const ValueError&) {
    format = name.empty() ? "nothing" : name;  // of no type: the reader, which knows the column, refuses it
  }
}

Table read_csv(const std::string& path, const CsvOptions& options, CsvReport* report) {
  std::string hash;
  const std::string text = internal::read_text("read_csv", path, options.max_bytes, report ? &hash : nullptr);
  Table table = Reader(text, path, options).read(report);
  if (report) report->sha256 = std::move(hash);
  return table;
}

Table read_csv_text(std::string_view text, const CsvOptions& options, CsvReport* report) {
  Table table = Reader(text, {}, options).read(report);
  if (report) report->sha256 = sha256(text);
  return table;
}

}  // namespace tern::data
