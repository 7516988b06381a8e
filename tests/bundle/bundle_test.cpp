#include "tern/bundle/bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/json.h"
#include "bundle/facts.h"
#include "bundle/small.h"
#include "message_of.h"
#include "tern/base/error.h"
#include "tern/nn/safetensors.h"
#include "tern/ops/unary.h"

namespace tern {
namespace {

using internal::Entries;
using test::Folder;

// A module of a user's own.
struct Net : nn::Module {
  explicit Net(std::int64_t width) : hidden(width, 4), out(4, 1) {}
  nn::Linear hidden, out;
  TERN_MODULE(Net, hidden, out)
  Tensor forward(const Tensor& x) override { return out(tanh(hidden(x))); }
};

void expect_damaged(const Entries& entries, const std::string& words) {
  const std::string message =
      message_of<FormatError>([&] { Bundle::from_bytes(test::repacked(entries), {}, "x.tern"); });
  EXPECT_NE(message.find(words), std::string::npos) << message;
  EXPECT_EQ(message.find("[bundle] x.tern: "), 0u) << message;
}

TEST(Bundle, LoadsWhatItSaved) {
  const Folder folder("bundle-save");
  const Bundle made = test::small_bundle();
  made.save(folder / "a.tern");
  const Bundle loaded = Bundle::load(folder / "a.tern");
  const data::Table table = test::small_parts().table;
  const Predictions before = made.predict(table), after = loaded.predict(table);
  EXPECT_EQ(before.values, after.values);
  EXPECT_EQ(before.decisions, after.decisions);
  EXPECT_EQ(before.rows, table.rows());
  EXPECT_EQ(loaded.provenance().test_rows, made.provenance().test_rows);
  EXPECT_EQ(loaded.provenance().train_rows, made.provenance().train_rows);
  EXPECT_EQ(loaded.provenance().settings, R"({"model":"mlp","seed":7})");
  EXPECT_EQ(loaded.provenance().id, "id");
  EXPECT_EQ(loaded.provenance().created, "2025-01-31T12:00:00Z");
  EXPECT_EQ(loaded.profile(), made.profile());
  EXPECT_EQ(loaded.environment(), made.environment());
  EXPECT_EQ(loaded.training(), made.training());
  EXPECT_EQ(loaded.validation_report(), made.validation_report());
  EXPECT_EQ(loaded.test_report(), "");
  EXPECT_EQ(loaded.task().positive(), "Yes");
}

TEST(Bundle, IsTheSameBytesAgain) {
  const std::string bytes = test::small_bundle().to_bytes();
  EXPECT_EQ(test::small_bundle().to_bytes(), bytes);
  EXPECT_EQ(Bundle::from_bytes(bytes).to_bytes(), bytes);
}

TEST(Bundle, LoadsTheUnpackedFolder) {
  const Folder folder("bundle-folder");
  const Bundle made = test::small_bundle();
  for (const auto& [name, bytes] : internal::read_archive(made.to_bytes())) {
    std::filesystem::create_directories((folder.path() / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << bytes;
  }
  std::ofstream(folder / "note.txt") << "a file of somebody else's";
  EXPECT_EQ(Bundle::load(folder.path().string()).to_bytes(), made.to_bytes());

  std::ofstream(folder / "task.json", std::ios::binary | std::ios::app) << " ";
  const std::string longer = message_of<FormatError>([&] { Bundle::load(folder.path().string()); });
  EXPECT_NE(longer.find("task.json"), std::string::npos) << longer;
  std::filesystem::remove(folder / "task.json");
  EXPECT_THROW(Bundle::load(folder.path().string()), FileError);
}

TEST(Bundle, AlignsWeightsInTheFile) {
  const Bundle made = test::small_bundle();
  const std::string bytes = made.to_bytes();
  const std::string weights = internal::read_archive(bytes).at("weights.safetensors");
  const std::size_t at = bytes.find(weights);
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(at % 64, 0u);
  std::uint64_t header = 0;
  std::copy_n(weights.data(), 8, reinterpret_cast<char*>(&header));
  EXPECT_EQ((at + 8 + header) % 64, 0u);
}

TEST(Bundle, HoldsTheFactsOfItsModelCard) {
  const Entries entries = internal::read_archive(test::small_bundle().to_bytes());
  const std::string& card = entries.at("README.md");
  for (const char* words :
       {"---\nlibrary_name: tern\npipeline_tag: tabular-classification", "`churn`", "`small.csv`",
        "120 train, 60 validation, 60 test", "opened 0 times", "| auroc |", "prior", "has not been judged"}) {
    EXPECT_NE(card.find(words), std::string::npos) << words << "\n" << card;
  }
}

TEST(Bundle, TellsWarningsInItsModelCard) {
  const test::Small small = test::small_parts();
  const Bundle bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted,
                      {.settings = R"({"warnings": ["\"status\" tells the target\n# almost *alone*", 3]})"});
  const std::string card = internal::read_archive(bundle.to_bytes()).at("README.md");
  const std::string words = "\n## Warnings\n\n- \"status\" tells the target \\# almost \\*alone\\*\n";
  EXPECT_NE(card.find(words), std::string::npos) << card;
  EXPECT_NE(card.find("\n- validation rows: only 60 rows"), std::string::npos) << card;
}

TEST(Bundle, RefusesWhatDoesNotFitTogether) {
  const test::Small small = test::small_parts();
  const std::int64_t width = small.pipeline.width();
  EXPECT_THROW(Bundle(test::small_model(width + 1), small.pipeline, small.fitted), ShapeError);
  EXPECT_THROW(Bundle(test::small_model(width, 8, 2), small.pipeline, small.fitted), ShapeError);
  EXPECT_THROW(Bundle(test::small_model(width), data::Pipeline(), small.fitted), StateError);
  EXPECT_THROW(Bundle(std::unique_ptr<nn::Module>(), small.pipeline, small.fitted), ValueError);
  EXPECT_THROW(Bundle(test::small_model(width), small.pipeline, small.fitted, {.created = "today"}), ValueError);
  EXPECT_THROW(Bundle(test::small_model(width), small.pipeline, small.fitted, {.settings = "[1]"}), FormatError);
  data::Schema schema = small.schema;
  schema.columns.erase(schema.columns.begin() + 1);
  EXPECT_THROW(Bundle(test::small_model(width), small.pipeline, small.fitted, {.schema = schema}), ValueError);
}

TEST(Bundle, TakesAUsersOwnModule) {
  const test::Small small = test::small_parts();
  const std::int64_t width = small.pipeline.width();
  EXPECT_THROW(Bundle(Net(width), small.pipeline, small.fitted), FormatError);
  const Bundle made(std::make_unique<Net>(width), small.pipeline, small.fitted);
  const std::string bytes = made.to_bytes();

  const std::string message = message_of<FormatError>([&] { Bundle::from_bytes(bytes); });
  EXPECT_NE(message.find("\"Net\""), std::string::npos) << message;
  EXPECT_NE(message.find("model.json"), std::string::npos) << message;

  LoadOptions options;
  options.modules.add("Net", [&](const nn::Attributes&) { return std::make_unique<Net>(width); });
  const Bundle loaded = Bundle::from_bytes(bytes, options);
  EXPECT_EQ(loaded.predict(small.table).values, made.predict(small.table).values);
}

TEST(Bundle, KeepsDoublesAndOtherTasks) {
  {
    const test::Small small = test::small_parts();
    nn::Sequential model = test::small_model(small.pipeline.width());
    model.to(f64);
    const Bundle made(model, small.pipeline, small.fitted);
    EXPECT_EQ(Bundle::from_bytes(made.to_bytes()).predict(small.table).values, made.predict(small.table).values);
  }
  {
    const test::Small small = test::small_parts(train::multiclass({.target = "plan"}));
    Bundle made(test::small_model(small.pipeline.width(), 8, 3), small.pipeline, small.fitted);
    made.evaluate(small.test);
    const Bundle loaded = Bundle::from_bytes(made.to_bytes());
    const Predictions predictions = loaded.predict(small.table);
    EXPECT_EQ(predictions.values, made.predict(small.table).values);
    ASSERT_EQ(predictions.values.size(), static_cast<std::size_t>(3 * small.table.rows()));
    for (std::size_t row = 0; row < predictions.decisions.size(); ++row) {
      const auto first = predictions.values.begin() + static_cast<std::ptrdiff_t>(3 * row);
      EXPECT_EQ(predictions.decisions[row],
                loaded.task().classes()[static_cast<std::size_t>(std::max_element(first, first + 3) - first)]);
    }
  }
  {
    const test::Small small = test::small_parts(train::regression({.target = "age"}), 241);
    const Bundle made(test::small_model(small.pipeline.width()), small.pipeline, small.fitted);
    const Predictions predictions = Bundle::from_bytes(made.to_bytes()).predict(small.table);
    EXPECT_EQ(predictions.values, made.predict(small.table).values);
    EXPECT_TRUE(predictions.decisions.empty());
  }
}

TEST(Bundle, EvaluatesAndKeepsTheLedger) {
  const test::Small small = test::small_parts();
  const std::string hash = sha256(test::small_csv(240));
  Bundle bundle = test::small_bundle();
  const train::Report first = bundle.evaluate(small.test, true, hash);
  EXPECT_EQ(first.rows, 60);
  EXPECT_EQ(first.note, "test rows opened 1 time");
  EXPECT_EQ(first.baselines.size(), 2u);
  Bundle again = Bundle::from_bytes(bundle.to_bytes());
  ASSERT_EQ(again.ledger().size(), 1u);
  EXPECT_EQ(again.ledger()[0].data_hash, hash);
  EXPECT_EQ(again.ledger()[0].rows, 60);
  EXPECT_TRUE(again.ledger()[0].test_rows);
  EXPECT_EQ(again.test_report(), train::to_json(first));
  EXPECT_EQ(again.evaluate(small.test).note, "test rows opened 2 times");
  EXPECT_EQ(again.ledger()[1].data_hash, small.test.content_hash());
  EXPECT_EQ(again.ledger()[1].split_hash, again.ledger()[0].split_hash);

  // Rows of the training file count as an opening when test rows are among them, and say what the model saw of them.
  EXPECT_EQ(again.evaluate(small.table, false, hash).note,
            "rows given, not as test rows; 120 of them trained the model and 60 selected it (validation), so the "
            "figures are optimistic; 60 are test rows, opened 3 times");
  EXPECT_TRUE(again.ledger()[2].test_rows);
  EXPECT_EQ(again.evaluate(small.validation, false, hash).note,
            "rows given, not as test rows; 60 of them selected it (validation), so the figures are optimistic");
  EXPECT_FALSE(again.ledger()[3].test_rows);
  // Of rows of another file, and of rows without a file, only so much is known.
  EXPECT_EQ(Bundle::from_bytes(again.to_bytes()).evaluate(small.validation, false, sha256("another file")).note,
            "rows given, not as test rows; they come from another file than the training rows: whether any of them "
            "trained or selected the model is not known");
  EXPECT_EQ(Bundle::from_bytes(again.to_bytes()).evaluate(small.test, false).note,
            "rows given, not as test rows; by their row numbers none of them trained or selected the model");
  EXPECT_EQ(Bundle::from_bytes(again.to_bytes()).evaluate(small.training, false).note,
            "rows given, not as test rows; by their row numbers 120 of them trained the model, so the figures are "
            "optimistic if they come from the training file");
  const std::string card = internal::read_archive(again.to_bytes()).at("README.md");
  EXPECT_NE(card.find("opened 3 times"), std::string::npos) << card;

  EXPECT_THROW(again.evaluate(small.validation, true), ValueError);
  EXPECT_THROW(again.evaluate(small.test, true, sha256("another file")), ValueError);
  data::Table unlabelled = small.test;
  unlabelled.replace("churn", data::Column::nulls(data::ColumnType::string, 60));
  try {
    again.evaluate(unlabelled, false);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.column(), "churn");
    EXPECT_EQ(error.row(), 180);
  }
  EXPECT_EQ(again.ledger().size(), 4u);
}

TEST(Bundle, RowsGivenToABundleWithoutTestRowsAreNotCalledTest) {
  const test::Small small = test::small_parts();
  Bundle bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted);
  const train::Report report = bundle.evaluate(small.test);
  EXPECT_EQ(report.rows_name, "rows given");
  EXPECT_EQ(report.note,
            "given as test rows, of which the bundle has no record; by their row numbers none of them trained or "
            "selected the model; opened 1 time");
  EXPECT_EQ(
      bundle.evaluate(small.table).note,
      "given as test rows, of which the bundle has no record; by their row numbers 120 of them trained the model "
      "and 60 selected it (validation), so the figures are optimistic if they come from the training file; opened 2 "
      "times");
  const std::string card = internal::read_archive(bundle.to_bytes()).at("README.md");
  EXPECT_NE(card.find("240 rows (given as test rows"), std::string::npos) << card;
  // Its own rows, one of them twice, are not its test rows.
  Bundle known = test::small_bundle();
  std::vector<std::int64_t> twice(60, 0);
  for (std::int64_t i = 1; i < 60; ++i) twice[static_cast<std::size_t>(i)] = i - 1;
  EXPECT_THROW(known.evaluate(small.test.take(twice)), ValueError);
}

TEST(Bundle, ResamplesTheGroupsItWasSplitBy) {
  const Folder folder("bundle-groups");
  const test::Small small = test::small_parts();
  Provenance facts = test::small_provenance(small);
  facts.group = "id";
  facts.id = "";
  Bundle bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted, facts);
  write_file(folder / "rows.csv", test::small_csv(240));
  Bundle again = Bundle::from_bytes(bundle.to_bytes());
  EXPECT_EQ(again.provenance().group, "id");
  EXPECT_FALSE(again.read(folder / "rows.csv", false).has("id"));
  const data::Table rows = again.read(folder / "rows.csv", true);
  ASSERT_TRUE(rows.has("id"));
  EXPECT_EQ(again.evaluate(rows, false).model.binary.groups, 240);
  data::Table shared = rows;  // by pairs of rows
  std::vector<std::string> homes;
  for (std::int64_t i = 0; i < 240; ++i) homes.push_back("h" + std::to_string(i / 2));
  shared.replace("id", data::Column::from_strings(homes));
  EXPECT_EQ(again.evaluate(shared, false).model.binary.groups, 120);
  shared.replace("id", data::Column::nulls(data::ColumnType::string, 240));
  EXPECT_EQ(again.evaluate(shared, false).model.binary.groups, 240);
  EXPECT_EQ(again.evaluate(rows.drop({"id"}), false).model.binary.groups, 0);
}

TEST(Bundle, NamesTheEntryThatIsDamaged) {
  const Entries good = internal::read_archive(test::small_bundle().to_bytes());
  EXPECT_NO_THROW(Bundle::from_bytes(test::repacked(good)));
  for (const auto& [name, bytes] : good) {
    if (name == "bundle.json" || name == "README.md" || name == "ledger.jsonl") continue;
    Entries damaged = good;
    damaged[name] = "[1]";
    expect_damaged(damaged, name);
    damaged[name] = bytes.substr(0, bytes.size() / 2);
    expect_damaged(damaged, name);
    damaged.erase(name);
    const internal::EntryKind* kind = internal::entry_kind(name);
    if (kind->required) expect_damaged(damaged, name);
  }
  Entries damaged = good;
  damaged["ledger.jsonl"] = "{}\n";
  expect_damaged(damaged, "ledger.jsonl");
}

TEST(Bundle, RefusesOtherHashesVersionsAndStrangers) {
  const Entries good = internal::read_archive(test::small_bundle().to_bytes());
  const auto with = [&](Entries entries, const std::string& from, const std::string& to) {
    std::string& manifest = entries["bundle.json"];
    const std::size_t at = manifest.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    manifest.replace(at, from.size(), to);
    std::string packed;
    std::vector<internal::ArchiveEntry> list;
    for (const auto& [name, bytes] : entries) list.push_back({name, bytes});
    internal::write_archive(list, [&](const char* data, std::size_t size) { packed.append(data, size); });
    return message_of<FormatError>([&] { Bundle::from_bytes(packed); });
  };
  const std::string weights = sha256(good.at("weights.safetensors")), task = sha256(good.at("task.json"));
  EXPECT_NE(with(good, weights, task).find("\"weights.safetensors\" with SHA-256"), std::string::npos);
  EXPECT_NE(with(good, "\"version\": 1", "\"version\": 3").find("expected version 1 or 2, got 3"), std::string::npos);
  EXPECT_NE(with(good, "\"version\": 1", "\"version\": 1 ").size(), 0u);
  Entries without = good;
  without.erase("profile.json");
  EXPECT_NE(with(without, "tern", "tern").find("profile.json"), std::string::npos);
  Entries more = good;
  more["test.json"] = "{}";
  EXPECT_NE(with(more, "tern", "tern").find("test.json"), std::string::npos);
  Entries changed = good;
  changed["task.json"] += " ";
  EXPECT_NE(with(changed, "tern", "tern").find("task.json"), std::string::npos);
}

TEST(Bundle, RefusesSplitsThatNoFileHas) {
  const Entries good = internal::read_archive(test::small_bundle().to_bytes());
  const auto with = [&](Provenance rows, bool known_file) {
    Entries entries = good;
    entries["splits.safetensors"] = internal::splits_file(rows);
    if (!known_file) {
      std::string& settings = entries["provenance/settings.json"];
      const std::string hash = sha256(test::small_csv(240));
      settings.replace(settings.find(hash), hash.size(), "");
    }
    return message_of<FormatError>([&] { Bundle::from_bytes(test::repacked(entries)); });
  };
  const std::string none = message_of<FormatError>([] {});
  EXPECT_EQ(with({.train_rows = {0, 0, 3}, .validation_rows = {2}, .test_rows = {1}}, true), none);
  for (const std::string& said :
       {with({.train_rows = {0, -1}}, true), with({.test_rows = {std::int64_t{1} << 53}}, false),
        with({.train_rows = {0, 4}, .test_rows = {3, 4}}, true)}) {
    EXPECT_NE(said.find("splits.safetensors"), std::string::npos) << said;
  }
  EXPECT_NE(with({.train_rows = {0, 4}, .test_rows = {3, 4}}, true).find("row 4 in train and test"), std::string::npos);
  EXPECT_EQ(with({.train_rows = {0, 4}, .test_rows = {3, 4}}, false), none) << "rows of two tables";

  const test::Small small = test::small_parts();
  Provenance provenance = test::small_provenance(small);
  provenance.test_rows.push_back(provenance.train_rows[3]);
  EXPECT_THROW(Bundle(test::small_model(small.pipeline.width()), small.pipeline, small.fitted, provenance), ValueError);
}

TEST(Bundle, KeepsNoLevelOfFewRows) {
  test::Small small = test::small_parts();
  data::CsvReport report;
  std::string csv = test::small_csv(240);
  csv.replace(csv.find(",basic,"), 7, ",lonely,");
  small.table = data::read_csv_text(csv, {.types = {{"plan", "categorical"}}}, &report);
  ASSERT_EQ(report.schema.find("plan")->levels.size(), 4u);
  data::Pipeline pipeline({data::drop(data::columns({"id"})), data::normalize_formats(),
                           data::impute(data::numeric(), data::Fill::median), data::standardize(data::numeric()),
                           data::one_hot(data::categorical(), {.min_count = 10, .unseen = data::Unseen::zeros})});
  pipeline.fit(small.table, "churn");
  Provenance provenance = test::small_provenance(small);
  provenance.schema = report.schema;
  provenance.profile = profile_of(small.table.drop({"id"}));
  const Bundle bundle(test::small_model(pipeline.width()), pipeline, small.fitted, provenance);
  for (const auto& [name, bytes] : internal::read_archive(bundle.to_bytes())) {
    EXPECT_EQ(bytes.find("lonely"), std::string::npos) << name;
  }
  EXPECT_EQ(Bundle::from_bytes(bundle.to_bytes()).predict(small.table).values, bundle.predict(small.table).values);
}

TEST(Bundle, RefusesArchitecturesLargerThanTheirWeights) {
  const Entries good = internal::read_archive(test::small_bundle().to_bytes());
  const std::string text = good.at("model.json"), hidden = "\"out\":8";
  const std::size_t at = text.find(hidden);
  ASSERT_NE(at, std::string::npos) << text;
  const std::int64_t held = Bundle::from_bytes(test::repacked(good)).model().num_parameters();
  for (const char* larger : {"\"out\":9", "\"out\":4000000000000"}) {  // one more is too many
    Entries entries = good;
    entries["model.json"].replace(at, hidden.size(), larger);
    expect_damaged(entries, "entry \"model.json\"");
    expect_damaged(entries, "at most " + std::to_string(held) + " parameters");
  }
}

// A model whose two middle layers share their parameters, which the file then holds once.
Entries tied_entries() {
  const test::Small small = test::small_parts();
  nn::Linear middle(8, 8);
  nn::Linear again(8, 8);
  again.weight = middle.weight;
  auto model = std::make_unique<nn::Sequential>(nn::Linear(small.pipeline.width(), 8), std::move(middle),
                                                std::move(again), nn::Linear(8, 1));
  const Bundle made(std::move(model), small.pipeline, small.fitted, test::small_provenance(small));
  return internal::read_archive(made.to_bytes());
}

TEST(Bundle, CountsTiedNamesOfTheArchitectureAlone) {
  const Entries good = tied_entries();
  const std::string tied = R"("tied":[["1.weight","2.weight"]])";
  const std::size_t at = good.at("model.json").find(tied);
  ASSERT_NE(at, std::string::npos) << good.at("model.json");
  const std::string loaded = Bundle::from_bytes(test::repacked(good)).to_bytes();
  EXPECT_EQ(internal::read_archive(loaded).at("model.json"), good.at("model.json"));
  const auto with = [&](const std::string& groups) {
    Entries entries = good;
    entries["model.json"].replace(at, tied.size(), "\"tied\":" + groups);
    return entries;
  };
  // A name for each of a million made-up places would have raised the bound on sizes a millionfold.
  std::string names = "\"0.weight\"";
  for (int i = 0; i < 1000; ++i) names += ",\"0.weight\"";
  expect_damaged(with("[[" + names + "]]"), "each tied name once");
  expect_damaged(with(R"([["1.weight","2.weight"],["1.weight","0.weight"]])"), "each tied name once");
  expect_damaged(with(R"([["1.weight","7.weight"]])"),
                 "tied names of parameters of the architecture, got \"7.weight\"");
  expect_damaged(with(R"([["1.weight","2.height"]])"), "tied names of parameters of the architecture");
  expect_damaged(with(R"([["1.weight","weight"]])"), "tied names of parameters of the architecture");
  expect_damaged(with(R"([["2.weight"]])"), "the weights of one name");
  expect_damaged(with("{}"), "an array of arrays");
  expect_damaged(with("[7]"), "tied names as an array");
  expect_damaged(with("[[7]]"), "the name of a tied parameter");
  // What is tied twice is counted at two places and no more.
  Entries larger = good;
  std::string& model = larger["model.json"];
  const std::string first = "\"out\":8";
  model.replace(model.find(first), first.size(), "\"out\":9");
  expect_damaged(larger, "parameters");
}

TEST(Bundle, HandsOnTheHashOfTheBytesThatItRead) {
  const Folder folder("bundle-hash");
  const std::string text = test::small_csv(30);
  write_file(folder / "a.csv", text);
  const Bundle made = test::small_bundle();
  data::CsvReport report;
  EXPECT_EQ(made.read(folder / "a.csv", true, &report).rows(), 30);
  EXPECT_EQ(report.sha256, sha256(text));
}

TEST(Bundle, FlippedBytesAreErrorsOrChangeNothing) {
  const Bundle made = test::small_bundle(2, 60);
  const std::string bytes = made.to_bytes();
  const data::Table table = test::small_parts({train::binary({.target = "churn", .positive = "Yes"})}, 60).table;
  const std::vector<double> expected = made.predict(table).values;
  int refused = 0, tried = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 7, ++tried) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
    try {
      EXPECT_EQ(Bundle::from_bytes(flipped).predict(table).values, expected) << at;
    } catch (const FormatError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, tried / 2);
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    EXPECT_THROW(Bundle::from_bytes(std::string_view(bytes).substr(0, size)), FormatError);
  }
}

TEST(Bundle, FlippedTextOfAnEntryIsATypedError) {
  // Behind a manifest that fits: what a hostile writer can reach.
  const Bundle made = test::small_bundle(2, 60);
  const Entries good = internal::read_archive(made.to_bytes());
  for (const auto& [name, bytes] : good) {
    if (name == "bundle.json" || name == "README.md") continue;
    const std::size_t step = std::max<std::size_t>(1, bytes.size() / 15);
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      Entries entries = good;
      entries[name][at] = static_cast<char>(entries[name][at] ^ (1 << (at % 7)));
      try {
        Bundle::from_bytes(test::repacked(entries));
      } catch (const FormatError& error) {
        EXPECT_NE(std::string(error.what()).find("[bundle] memory: "), std::string::npos) << error.what();
      }
    }
  }
}

TEST(Bundle, MissingAndUnreadableFilesAreFileErrors) {
  const Folder folder("bundle-missing");
  EXPECT_THROW(Bundle::load(folder / "none.tern"), FileError);
  EXPECT_THROW(Bundle::load(folder.path().string()), FileError);
  EXPECT_THROW(test::small_bundle().save(folder / "no-folder/a.tern"), FileError);
  std::ofstream(folder / "empty.tern");
  EXPECT_THROW(Bundle::load(folder / "empty.tern"), FormatError);
}

}  // namespace
}  // namespace tern
