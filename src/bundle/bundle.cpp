#include "tern/bundle/bundle.h"

#include <algorithm>
#include <filesystem>
#include <unordered_map>
#include <unordered_set>

#include "base/json.h"
#include "base/retell.h"
#include "bundle/archive.h"
#include "bundle/card.h"
#include "bundle/facts.h"
#include "bundle/manifest.h"
#include "bundle/state.h"
#include "data/estimator_file.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/data/duplicates.h"
#include "tern/data/estimator.h"
#include "tern/models/register.h"
#include "tern/nn/safetensors.h"
#include "tern/tensor/creation.h"
#include "tern/trees/register.h"

namespace tern {
namespace {

using internal::ArchiveEntry;
using internal::Entries;
using internal::Json;

// Classes that are numbers or booleans are read as such, so that "1" and "1.0" in a file are one class.
data::ColumnType target_type(const train::Task& task) {
  if (task.kind() == train::TaskKind::regression) return data::ColumnType::f64;
  const data::Column classes = data::Column::from_strings(task.classes());
  for (const data::ColumnType type : {data::ColumnType::f64, data::ColumnType::boolean}) {
    try {
      const data::Column cast = classes.cast(type);
      bool same = true;
      for (std::int64_t i = 0; i < cast.size(); ++i) same = same && cast.text(i) == classes.text(i);
      if (same) return type;
    } catch (const DataError&) {
      continue;  // some class is no value of this type
    }
  }
  return data::ColumnType::string;
}

// How raw files are read: the inputs that reach the model, the id as text, the group as it was, the target. Levels are
// left out: reading needs none, and a level may be that of a single row.
data::Schema reading_schema(const Provenance& facts, const data::Pipeline& pipeline, const train::Task& task) {
  const data::Schema& given = facts.schema;
  const bool told = !given.columns.empty();
  data::Schema schema{.missing = told ? given.missing : data::default_missing_words(),
                      .quoted_missing = given.quoted_missing};
  for (const data::InputColumn& input : pipeline.inputs()) {
    const data::SchemaColumn* column = told ? given.find(input.name) : nullptr;
    if (told && (column == nullptr || column->type != input.type)) {
      throw ValueError("[bundle] expected a schema that reads column \"" + input.name + "\" as " +
                       std::string(to_string(input.type)) + ", as the pipeline was fitted, got " +
                       (column == nullptr ? "one without it" : std::string(to_string(column->type))));
    }
    schema.columns.push_back(column != nullptr ? *column : data::SchemaColumn{.name = input.name, .type = input.type});
  }
  for (const std::string& name : {facts.id, facts.group}) {
    if (name.empty() || name == task.target() || schema.find(name) != nullptr) continue;
    const data::SchemaColumn* column = told && name == facts.group && name != facts.id ? given.find(name) : nullptr;
    schema.columns.push_back(column != nullptr ? *column
                                               : data::SchemaColumn{.name = name,
                                                                    .type = data::ColumnType::string,
                                                                    .only_blank_missing = name == facts.id});
  }
  const data::SchemaColumn* target = told ? given.find(task.target()) : nullptr;
  schema.columns.push_back(target != nullptr ? *target
                                             : data::SchemaColumn{.name = task.target(), .type = target_type(task)});
  for (data::SchemaColumn& column : schema.columns) {
    column.levels.clear();
    column.ordered = false;
  }
  return schema;
}

// Whose parameter a name is: of one of Tern's own modules, within one of another kind (which knows its own, and whose
// size is its maker's affair), or nobody's.
enum class Place : std::uint8_t { none, own, foreign };

Place place_of(const Json& node, std::string_view name, const nn::ModuleRegistry& modules) {
  if (!node.is_object()) return Place::none;
  const auto type = node.find("type");
  if (type == node.end() || !type->is_string()) return Place::none;
  if (modules.find(type->get_ref<const std::string&>()) != nullptr) return Place::foreign;
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) {
    return *type == "Linear" && (name == "weight" || name == "bias") ? Place::own : Place::none;
  }
  const auto parts = node.find("parts");
  if (parts == node.end() || !parts->is_array()) return Place::none;
  for (const Json& part : *parts) {
    if (!part.is_object()) continue;
    const auto called = part.find("name");
    if (called != part.end() && *called == name.substr(0, dot)) return place_of(part, name.substr(dot + 1), modules);
  }
  return Place::none;
}

// The most elements that the architecture may ask for: those that the weights file holds, and for each tied name that
// it leaves out those of the name that it holds instead. Beyond the usual limit it is what the file holds and no more.
std::int64_t parameter_limit(const TensorFile& weights, const std::string& architecture,
                             const nn::ModuleRegistry& modules) {
  const auto fail = [](const std::string& expected, const std::string& got) {
    throw FormatError("[architecture] expected " + expected + ", got " + got);
  };
  std::int64_t saved = 0;
  std::unordered_map<std::string, std::int64_t> sizes;
  for (const auto& [name, tensor] : weights.tensors) {
    saved += tensor.numel();
    sizes.emplace(name, tensor.numel());
  }
  const std::int64_t bound = std::max(saved, nn::ArchitectureLimits{}.max_parameters);
  const Json json = internal::parse_json(architecture, "architecture");
  const auto tied = json.is_object() ? json.find("tied") : json.end();
  if (!json.is_object() || tied == json.end()) return saved;
  if (!tied->is_array()) fail("\"tied\" as an array of arrays of names", tied->type_name());
  std::unordered_set<std::string> seen;
  std::int64_t limit = saved;
  for (const Json& group : *tied) {
    if (!group.is_array()) fail("tied names as an array", group.type_name());
    std::int64_t left_out = 0, elements = -1;
    for (const Json& entry : group) {
      if (!entry.is_string()) fail("the name of a tied parameter", entry.type_name());
      const auto name = entry.get<std::string>();
      const std::string shown = internal::json_text(entry, {.ascii = true}).substr(0, 80);
      const Place place = place_of(json, name, modules);
      if (place == Place::none) fail("tied names of parameters of the architecture", shown);
      if (!seen.insert(name).second) fail("each tied name once", shown + " again");
      const auto found = sizes.find(name);
      if (found != sizes.end()) {
        elements = found->second;
      } else if (place == Place::own) {
        ++left_out;
      }
    }
    if (elements < 0) fail("the weights of one name of each tied group", "none");
    limit = elements > 0 && left_out > (bound - limit) / elements ? bound : limit + left_out * elements;
  }
  return limit;
}

template <class Read>
auto in_entry(const std::string& name, Read read) {
  try {
    return read();
  } catch (const MemoryError&) {
    throw;
  } catch (const Error& error) {
    throw FormatError("entry \"" + name + "\": " + error.what());
  }
}

}  // namespace

std::int64_t internal::times_opened(const std::vector<LedgerEntry>& ledger) {
  return std::count_if(ledger.begin(), ledger.end(), [](const LedgerEntry& entry) { return entry.test_rows; });
}

void Bundle::State::check() {
  if (!task.fitted()) throw StateError("[bundle] expected a fitted task, got one before fit");
  if (!pipeline.fitted()) throw StateError("[bundle] expected a fitted pipeline, got one before fit");
  const auto classes = static_cast<std::int64_t>(task.classes().size());
  const bool regression = task.kind() == train::TaskKind::regression;
  if (!regression && classes < 2) throw ShapeError("[bundle] expected a task of two or more classes, got fewer");
  if (!pipeline.target().empty() && pipeline.target() != task.target()) {
    throw ValueError("[bundle] expected the pipeline's target \"" + pipeline.target() + "\" to be the task's, got \"" +
                     task.target() + "\"");
  }
  const auto prior = static_cast<std::int64_t>(baselines.prior.size());
  if (prior != 0 && prior != (regression ? 1 : classes)) {
    throw ShapeError("[bundle] expected a prior for each class, got " + std::to_string(prior));
  }
  const std::int64_t compared =
      baselines.features.empty() ? pipeline.width() : data::Pipeline::from_json(baselines.features).width();
  if (!baselines.logistic.coefficients.empty() &&
      (classes != 2 || static_cast<std::int64_t>(baselines.logistic.coefficients.size()) != compared)) {
    throw ShapeError("[bundle] expected a logistic regression of two classes and " + std::to_string(compared) +
                     " features, got " + std::to_string(baselines.logistic.coefficients.size()));
  }
  const data::Schema& schema = provenance.schema;
  if (schema.find(task.target()) == nullptr) {
    throw ValueError("[bundle] expected the schema to have the target \"" + task.target() + "\", got none");
  }
  for (const data::InputColumn& input : pipeline.inputs()) {
    const data::SchemaColumn* column = schema.find(input.name);
    if (column == nullptr || column->type != input.type) {
      throw ValueError("[bundle] expected the schema to read \"" + input.name + "\" as " +
                       std::string(to_string(input.type)) + ", got another");
    }
  }
  estimator ? check_estimator() : check_module();
}

// No rows through the pipeline, the estimator and the baseline: what lacks a column, or has another type, is found.
void Bundle::State::check_estimator() const {
  if (estimator->classifies() == (task.kind() == train::TaskKind::regression)) {
    throw ValueError("[bundle] expected an estimator of the task's kind, got " +
                     tern::internal::class_name(estimator->type()) + " of the other");
  }
  if (estimator->classifies() && !estimator->has_probability()) {
    throw ValueError("[bundle] expected an estimator with probabilities, got " +
                     tern::internal::class_name(estimator->type()) +
                     " without; models::Calibrated gives them, soft votes do in Voting");
  }
  data::Table none;
  for (const data::InputColumn& input : pipeline.inputs()) none.add(input.name, data::Column::nulls(input.type, 0));
  none.add(task.target(), data::Column::nulls(provenance.schema.find(task.target())->type, 0));
  const data::Table features = pipeline.transform_table(none);
  train::predict(*estimator, task, features);
  if (!baselines.features.empty()) train::baseline_rows(baselines, task, features);
}

void Bundle::State::check_module() {
  const std::vector<Tensor> parameters = model->parameters();
  dtype = parameters.empty() ? f32 : parameters[0].dtype();
  model->eval();
  const NoGrad no_grad;
  const Tensor output = (*model)(zeros({1, pipeline.width()}, dtype));
  if (output.dim() != 2 || output.size(0) != 1 || output.size(1) != task.outputs()) {
    throw ShapeError("[bundle] expected the model to give [1, " + std::to_string(task.outputs()) + "] for a row of " +
                     std::to_string(pipeline.width()) + " features, got " + to_string(output.shape()));
  }
}

Bundle::Bundle(const nn::Module& model, const data::Pipeline& pipeline, const train::Fitted& fitted,
               Provenance provenance)
    : Bundle(nn::clone(model), pipeline, fitted, std::move(provenance)) {}

Bundle::Bundle(std::unique_ptr<nn::Module> model, const data::Pipeline& pipeline, const train::Fitted& fitted,
               Provenance provenance)
    : state_(std::make_shared<State>()) {
  if (!model) throw ValueError("[bundle] expected a model, got none");
  state_->model = std::move(model);
  state_->fill(pipeline, fitted, std::move(provenance));
}

Bundle::Bundle(const data::Estimator& estimator, const data::Pipeline& pipeline, const train::Fitted& fitted,
               Provenance provenance)
    : state_(std::make_shared<State>()) {
  state_->estimator = estimator.clone();
  state_->fill(pipeline, fitted, std::move(provenance));
}

Bundle::Bundle(const data::Estimator& estimator, Provenance provenance) : state_(std::make_shared<State>()) {
  const std::vector<std::string>& names = estimator.names();
  if (names.empty() || estimator.types().size() != names.size() || estimator.target().empty()) {
    throw StateError("[bundle] expected an estimator that was fitted on a table, got one that was not");
  }
  data::Table row;
  for (std::size_t i = 0; i < names.size(); ++i) row.add(names[i], data::Column::nulls(estimator.types()[i], 1));
  data::Pipeline pipeline;
  pipeline.fit_transform_table(row);
  train::Fitted fitted;
  const std::vector<std::string>& classes = estimator.classes();
  if (!estimator.classifies()) {
    fitted.task = train::regression({.target = estimator.target(), .standardize = false});
    fitted.task.fit(data::Column::from_f64({0, 1}));
  } else if (classes.size() == 2) {
    fitted.task = train::binary({.target = estimator.target(), .positive = classes[1]});
    fitted.task.fit(data::Column::from_strings(classes));
  } else {
    fitted.task = train::multiclass({.target = estimator.target(), .classes = classes});
    fitted.task.fit(data::Column::from_strings(classes));
  }
  state_->estimator = estimator.clone();
  state_->fill(pipeline, fitted, std::move(provenance));
  state_->validation = "{}";
}

void Bundle::State::fill(const data::Pipeline& steps, const train::Fitted& fitted, Provenance given) {
  State& state = *this;
  state.pipeline = steps;
  state.task = fitted.task;
  state.baselines = fitted.baselines;
  state.validation = train::to_json(fitted.report);
  state.training = internal::training_json(fitted);
  state.environment = internal::environment_json();
  state.provenance = std::move(given);
  Provenance& facts = state.provenance;
  facts.schema = reading_schema(facts, pipeline, state.task);
  if (facts.train_rows.empty()) facts.train_rows = fitted.train_rows;
  if (facts.validation_rows.empty()) facts.validation_rows = fitted.validation_rows;
  facts.settings = facts.settings.empty() ? "{}" : internal::checked_object(facts.settings, "settings");
  if (!facts.profile.empty()) internal::checked_object(facts.profile, "profile");
  if (const std::string problem = internal::splits_problem(facts); !problem.empty()) {
    throw ValueError("[bundle] " + problem);
  }
  if (facts.created.empty()) facts.created = internal::utc_now();
  if (!internal::is_utc_time(facts.created)) {
    throw ValueError("[bundle] expected created as 2025-01-31T12:00:00Z, got \"" + facts.created + "\"");
  }
  state.check();
}

Bundle::Bundle(std::shared_ptr<State> state) : state_(std::move(state)) {}
Bundle::Bundle(Bundle&&) noexcept = default;
Bundle& Bundle::operator=(Bundle&&) noexcept = default;
Bundle::~Bundle() = default;

namespace internal {
namespace {

// Parts of a bundle from its entries, each error naming its entry.
class Reader {
 public:
  explicit Reader(Entries entries) : entries_(std::move(entries)), manifest_(check_manifest(entries_)) {}

  const Manifest& manifest() const { return manifest_; }
  bool has(const std::string& name) const { return entries_.contains(name); }
  /// What `read` makes of an entry, which is let go of then.
  template <class Read>
  auto take(const std::string& name, Read read) {
    const std::string bytes = std::move(entries_.at(name));
    return in_entry(name, [&] { return read(bytes); });
  }
  /// The text of an entry that is a JSON object.
  std::string text(const std::string& name) {
    return take(name, [&](const std::string& bytes) {
      checked_object(bytes, name);
      return bytes;
    });
  }

 private:
  Entries entries_;
  Manifest manifest_;
};

}  // namespace
}  // namespace internal

std::shared_ptr<Bundle::State> Bundle::State::read(Entries entries, const LoadOptions& options) {
  internal::Reader reader(std::move(entries));
  auto result = std::make_shared<State>();
  State& state = *result;
  Provenance& facts = state.provenance;
  TensorFile weights;
  if (reader.has("weights.safetensors")) weights = reader.take("weights.safetensors", from_safetensors);
  if (reader.has("estimator.json")) {
    trees::register_estimators();
    models::register_estimators();
    reader.take("estimator.json", [&](const std::string& bytes) {
      data::EstimatorState fitted = data::internal::read_state(bytes);
      fitted.tensors = std::move(weights.tensors);
      state.estimator = data::make_estimator(fitted);
    });
  } else {
    reader.take("model.json", [&](const std::string& bytes) {
      state.model =
          nn::make_module(bytes, options.modules, {.max_parameters = parameter_limit(weights, bytes, options.modules)});
    });
    in_entry("weights.safetensors", [&] { nn::load_weights(*state.model, weights); });
  }
  state.task = reader.take("task.json", train::Task::from_json);
  facts.schema = reader.take("schema.json", data::Schema::from_json);
  state.pipeline = reader.take("pipeline.json", data::Pipeline::from_json);
  state.baselines = reader.take("baselines.json", train::baselines_from_json);
  state.validation = reader.text("validation.json");
  if (reader.has("test.json")) state.test = reader.text("test.json");
  if (reader.has("profile.json")) facts.profile = reader.text("profile.json");
  state.environment = reader.text("environment.json");
  reader.take("provenance/settings.json",
              [&](const std::string& bytes) { internal::read_settings(bytes, facts, state.training); });
  reader.take("splits.safetensors", [&](const std::string& bytes) { internal::read_splits(bytes, facts); });
  state.ledger = reader.take("ledger.jsonl", internal::read_ledger);
  facts.created = reader.manifest().created;
  in_entry(state.model ? "model.json" : "estimator.json", [&] { state.check(); });
  return result;
}

Bundle Bundle::from_bytes(std::string_view bytes, const LoadOptions& options, const std::string& name) {
  try {
    return Bundle(State::read(internal::read_archive(bytes), options));
  } catch (const FormatError& error) {
    throw FormatError("[bundle] " + name + ": " + error.what());
  }
}

Bundle Bundle::load(const std::string& path, const LoadOptions& options) {
  std::error_code ignored;  // what cannot be asked cannot be read either, and reading says why
  if (!std::filesystem::is_directory(path, ignored)) {
    const std::string start = read_start(path, 4);  // of what is no archive, however large, no more is read
    if (start.size() == 4 && !start.starts_with("PK")) {
      throw FormatError("[bundle] " + path + ": expected a zip archive, got another file");
    }
    return from_bytes(read_file(path, internal::max_archive_bytes), options, path);
  }
  try {
    return Bundle(State::read(internal::read_folder(path), options));
  } catch (const FormatError& error) {
    throw FormatError("[bundle] " + path + ": " + error.what());
  }
}

std::vector<ArchiveEntry> Bundle::State::entries() const {
  const State& state = *this;
  const Provenance& facts = state.provenance;
  std::vector<ArchiveEntry> entries;
  const auto add = [&](const char* name, std::string bytes) { entries.push_back({name, std::move(bytes)}); };
  if (state.model) {
    add("weights.safetensors", to_safetensors(nn::weights_of(*state.model)));
    add("model.json", nn::architecture(*state.model));
  } else {
    const data::EstimatorState fitted = state.estimator->state();
    if (!fitted.tensors.empty()) add("weights.safetensors", to_safetensors({.tensors = fitted.tensors}));
    add("estimator.json", data::internal::state_json(fitted));
  }
  add("task.json", state.task.to_json());
  add("schema.json", facts.schema.to_json());
  add("pipeline.json", state.pipeline.to_json());
  add("baselines.json", train::to_json(state.baselines));
  add("validation.json", state.validation);
  if (!state.test.empty()) add("test.json", state.test);
  if (!facts.profile.empty()) add("profile.json", facts.profile);
  add("splits.safetensors", internal::splits_file(facts));
  add("provenance/settings.json", internal::settings_json(facts, state.training));
  add("environment.json", state.environment);
  add("ledger.jsonl", internal::ledger_lines(state.ledger));
  add("README.md",
      internal::model_card({.task = state.task,
                            .pipeline = state.pipeline,
                            .provenance = facts,
                            .ledger = state.ledger,
                            .validation = state.validation,
                            .test = state.test,
                            .module = state.model != nullptr,
                            .model = state.model ? "parameters: " + std::to_string(state.model->num_parameters())
                                                 : "estimator: `" + std::string(state.estimator->type()) + "`"}));
  for (const ArchiveEntry& entry : entries) {  // what could not be loaded is not saved
    if (const internal::EntryKind* kind = internal::entry_kind(entry.name); entry.bytes.size() > kind->max_bytes) {
      throw ValueError("[bundle] expected " + entry.name + " of at most " + std::to_string(kind->max_bytes) +
                       " bytes, got " + std::to_string(entry.bytes.size()));
    }
  }
  entries.insert(entries.begin(), {"bundle.json", internal::manifest_of(entries, facts.created)});
  return entries;
}

void Bundle::save(const std::string& path) const {
  const std::vector<ArchiveEntry> entries = state_->entries();
  AtomicFile file(path);
  internal::write_archive(entries, [&](const char* data, std::size_t size) { file.write(data, size); });
  file.commit();
}

std::string Bundle::to_bytes() const {
  std::string bytes;
  internal::write_archive(state_->entries(), [&](const char* data, std::size_t size) { bytes.append(data, size); });
  return bytes;
}

namespace {

std::string times(std::int64_t count) { return std::to_string(count) + (count == 1 ? " time" : " times"); }

// How rows that are to be judged stand to the rows that the bundle knows of.
struct Standing {
  bool same_file = false, other_file = false;                  // neither: one of the two is not known
  std::int64_t rows = 0, trained = 0, selected = 0, test = 0;  // of the rows, by their ids
  bool all_test = false;                                       // they are the bundle's own test rows, each once
  bool recorded = false;                                       // which rows trained the model
};

Standing standing_of(const Provenance& facts, const std::vector<std::int64_t>& ids, const std::string& data_hash) {
  const auto among = [&](const std::vector<std::int64_t>& known) {
    const std::unordered_set<std::int64_t> set(known.begin(), known.end());
    return std::count_if(ids.begin(), ids.end(), [&](std::int64_t id) { return set.contains(id); });
  };
  const bool known = !data_hash.empty() && !facts.input_sha256.empty();
  const std::unordered_set<std::int64_t> distinct(ids.begin(), ids.end());
  Standing standing{.same_file = known && data_hash == facts.input_sha256,
                    .other_file = known && data_hash != facts.input_sha256,
                    .rows = static_cast<std::int64_t>(ids.size()),
                    .trained = among(facts.train_rows),
                    .selected = among(facts.validation_rows),
                    .test = among(facts.test_rows),
                    .recorded = !facts.train_rows.empty()};
  standing.all_test = !facts.test_rows.empty() && distinct.size() == ids.size() && standing.test == standing.rows &&
                      ids.size() == facts.test_rows.size();
  return standing;
}

// What the rows are, and what the model has seen of them.
std::string note_of(const Standing& standing, bool test_rows, std::int64_t opened) {
  if (test_rows && standing.all_test) return "test rows opened " + times(opened);
  std::string note =
      test_rows ? "given as test rows, of which the bundle has no record" : "rows given, not as test rows";
  if (standing.other_file) {
    return note +
           "; they come from another file than the training rows: whether any of them trained or selected the model is "
           "not known";
  }
  std::string seen;
  if (!standing.recorded) note += "; which rows trained the model is not recorded";
  if (standing.trained > 0) seen = std::to_string(standing.trained) + " of them trained the model";
  if (standing.selected > 0) {
    seen +=
        (seen.empty() ? std::to_string(standing.selected) + " of them" : " and " + std::to_string(standing.selected));
    seen += " selected it (validation)";
  }
  if (!standing.same_file && !seen.empty()) seen = "by their row numbers " + seen;
  if (!standing.same_file && seen.empty() && standing.recorded) {
    seen = "by their row numbers none of them trained or selected the model";
  }
  if (!seen.empty()) note += "; " + seen;
  if (standing.trained + standing.selected > 0) {
    note += standing.same_file ? ", so the figures are optimistic"
                               : ", so the figures are optimistic if they come from the training file";
  }
  if (standing.same_file && standing.test > 0) {
    note += "; " + std::to_string(standing.test) + " are test rows, opened " + times(opened);
  } else if (test_rows) {
    note += "; opened " + times(opened);
  }
  return note;
}

// A number for each row's group; a row without a value is a group by itself. Without groups, copies are one.
std::vector<std::int64_t> groups_of(const data::Table& table, const std::string& column, const std::string& target,
                                    const data::Pipeline& pipeline) {
  if (column.empty() || !table.has(column)) {
    std::vector<std::string> names{target};
    for (const data::InputColumn& input : pipeline.inputs()) {
      if (table.has(input.name) && input.name != target) names.push_back(input.name);
    }
    return data::groups_of_copies(table.select(names), {.target = target});
  }
  std::vector<std::int64_t> groups = table.first_equal_row({column});
  const data::Column& values = table.column(column);
  for (std::int64_t i = 0; i < table.rows(); ++i) {
    if (values.is_null(i)) groups[static_cast<std::size_t>(i)] = i;
  }
  return groups;
}

}  // namespace

train::Report Bundle::evaluate(const data::Table& labelled, bool test_rows, const std::string& data_hash) {
  State& state = *state_;
  const Provenance& facts = state.provenance;
  if (state.estimator && state.estimator->ranks()) {
    throw StateError(
        "[bundle] expected an estimator of values or classes to evaluate, got one that orders rows within "
        "queries: metrics::ndcg judges its predictions");
  }
  const data::Column& target = labelled.column(state.task.target());
  if (labelled.rows() == 0) {
    throw DataError("bundle", "expected labelled rows, got none", {.file = labelled.source_file()});
  }
  for (std::int64_t i = 0; i < labelled.rows(); ++i) {
    if (target.is_null(i)) {
      throw DataError("bundle", "expected a target value, got a missing one",
                      labelled.location(i, state.task.target()));
    }
  }
  if (state.task.kind() != train::TaskKind::regression) {
    try {
      state.task.labels(target);
    } catch (const DataError& error) {  // which knows of the column alone
      throw DataError("bundle", error.message(), labelled.location(error.row(), state.task.target()));
    }
  }
  const std::vector<std::int64_t> ids = labelled.row_ids();
  const Standing standing = standing_of(facts, ids, data_hash);
  if (test_rows && (standing.other_file || (!facts.test_rows.empty() && !standing.all_test))) {
    throw ValueError("[bundle] expected the bundle's own " + std::to_string(facts.test_rows.size()) +
                     " test rows (any others are scored with test_rows = false), got " +
                     std::to_string(labelled.rows()) + " rows " +
                     (standing.other_file ? "of another file" : "that differ"));
  }
  data::Dataset dataset;
  std::vector<double> predictions;
  if (state.model) {
    dataset = state.pipeline.transform(labelled, {.scoring = true});
    predictions = state.predict(dataset.x());
  } else {
    data::Table features = state.pipeline.transform_table(labelled, {.scoring = true});
    predictions = train::predict(*state.estimator, state.task, features);
    if (!features.has(state.task.target())) features.add(state.task.target(), target);
    dataset = train::baseline_rows(state.baselines, state.task, features);
  }

  LedgerEntry entry{.time = internal::utc_now(),
                    .data_hash = data_hash.empty() ? labelled.content_hash() : data_hash,
                    .split_hash = internal::row_hash(ids),
                    .rows = labelled.rows(),
                    .test_rows = test_rows || (standing.same_file && standing.test > 0)};
  const std::int64_t opened = internal::times_opened(state.ledger) + (entry.test_rows ? 1 : 0);
  const std::vector<std::int64_t> groups = groups_of(labelled, facts.group, state.task.target(), state.pipeline);
  const bool grouped = !facts.group.empty() && labelled.has(facts.group);
  std::string resampled;
  if (!facts.group.empty() && !grouped) {
    resampled = "; without the column \"" + facts.group + "\" of the groups, so that intervals promise too much";
  }
  if (!groups.empty() && !grouped) resampled += "; rows equal in every feature are resampled as one";
  const bool test = test_rows && standing.all_test;
  train::Report report = train::judge(state.task, predictions, dataset, state.baselines,
                                      {.rows_name = test        ? "test"
                                                    : test_rows ? "rows given"
                                                                : "labelled rows",
                                       .note = note_of(standing, test_rows, opened) + resampled,
                                       .seed = facts.seed,
                                       .groups = groups});
  if (test_rows) state.test = train::to_json(report);
  state.ledger.push_back(std::move(entry));
  return report;
}

const train::Task& Bundle::task() const { return state_->task; }
const data::Pipeline& Bundle::pipeline() const { return state_->pipeline; }
const nn::Module& Bundle::model() const {
  if (state_->model) return *state_->model;
  throw StateError("[Bundle::model] expected a module, got an estimator, " + std::string(state_->estimator->type()));
}
bool Bundle::has_estimator() const { return state_->estimator != nullptr; }
const data::Estimator& Bundle::estimator() const {
  if (state_->estimator) return *state_->estimator;
  throw StateError("[Bundle::estimator] expected an estimator, got a module");
}
const Provenance& Bundle::provenance() const { return state_->provenance; }
const std::vector<LedgerEntry>& Bundle::ledger() const { return state_->ledger; }

std::int64_t Bundle::continue_ledger(const Bundle& replaced) {
  const Provenance &facts = state_->provenance, &before = replaced.state_->provenance;
  if (facts.input_sha256.empty() || facts.input_sha256 != before.input_sha256) return 0;
  const std::unordered_set<std::int64_t> known(before.test_rows.begin(), before.test_rows.end());
  const bool shared = std::any_of(facts.test_rows.begin(), facts.test_rows.end(),
                                  [&](std::int64_t row) { return known.contains(row); });
  if (!shared) return 0;
  const std::vector<LedgerEntry> lines = replaced.ledger();  // a copy: both may be one bundle
  state_->ledger.insert(state_->ledger.begin(), lines.begin(), lines.end());
  return internal::times_opened(lines);
}

const std::string& Bundle::validation_report() const { return state_->validation; }
const std::string& Bundle::test_report() const { return state_->test; }
const std::string& Bundle::profile() const { return state_->provenance.profile; }
const std::string& Bundle::training() const { return state_->training; }
const std::string& Bundle::environment() const { return state_->environment; }

std::string environment() { return internal::environment_json(); }

}  // namespace tern
