// churn: from a raw table with a two-valued target to a model that can be judged, saved, loaded and trusted.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <exception>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <string>

#include "journey.h"
#include "options.h"
#include "tern/base/error.h"

namespace {

// Checks of what an option is given: empty when it is good, else what was expected. The command line's own conversions
// would take "-1" for a huge seed and "1e999" for infinity.
using Check = std::string (*)(const std::string&);

bool whole(const std::string& text, std::uint64_t most) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool octal = text.size() > 1 && text[0] == '0';  // to the conversion that follows
  return error == std::errc{} && end == text.data() + text.size() && value <= most && !octal;
}

constexpr Check is_seed = [](const std::string& text) {
  return whole(text, std::numeric_limits<std::uint64_t>::max())
             ? std::string()
             : "expected a whole number from 0 to 18446744073709551615, got \"" + text + "\"";
};

constexpr Check is_threads = [](const std::string& text) {
  return whole(text, 1024) ? std::string() : "expected a whole number from 0 to 1024, got \"" + text + "\"";
};

constexpr Check is_count = [](const std::string& text) {
  return whole(text, 1'000'000) ? std::string() : "expected a whole number from 0 to 1000000, got \"" + text + "\"";
};

constexpr Check is_seconds = [](const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc{} && end == text.data() + text.size() && std::isfinite(value) && value >= 0;
  return good ? std::string() : "expected a number of seconds, 0 or more, got \"" + text + "\"";
};

constexpr Check is_something = [](const std::string& text) {
  return text.empty() ? std::string("expected a value, got nothing") : std::string();
};

constexpr Check is_utf8 = [](const std::string& text) {
  return text == nlohmann::json::parse(json_text(text)) ? std::string()
                                                        : std::string("expected UTF-8 text, got other bytes");
};

// An option with a list of names, which may come more than once.
void add_list(CLI::App& command, const std::string& name, std::vector<std::string>& into, const std::string& help) {
  command.add_option(name, into, help)
      ->check(is_utf8)
      ->type_name("A,B")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void add_threads(CLI::App& command, int& threads) {
  command.add_option("--threads", threads, "0: TERN_NUM_THREADS, or all; the results are the same at any number")
      ->check(is_threads)
      ->capture_default_str();
}

void add_train(CLI::App& app, TrainOptions& options) {
  CLI::App& command = *app.add_subcommand("train", "raw table -> trained bundle");
  command.add_option("--data", options.data, "CSV file, .gz read as it is")->required()->check(is_something);
  command.add_option("--target", options.target, "column to predict")->required()->check(is_something);
  command.add_option("--positive", options.positive, "positive class (0/1, no/yes, n/y, false/true, f/t need none)")
      ->check(is_utf8);
  command.add_option("--id", options.id, "column that names a row; never a feature");
  add_list(command, "--drop", options.drop, "columns to leave out");
  add_list(command, "--keep", options.keep, "columns to use although they look like free text or ids");
  add_list(command, "--types", options.types,
           "column=type: number i64 boolean string categorical timestamp date:dmy number:comma+group "
           "number:point+group+$ number:point+percent …");
  add_list(command, "--missing", options.missing,
           "further words for a missing value, beside empty, ? and those of pandas (NA, n/a, NaN, null, None, #N/A …)");
  command.add_option("--model", options.model, "mlp, logistic or gbdt (boosted trees)")
      ->check(CLI::IsMember({"mlp", "logistic", "gbdt"}))
      ->capture_default_str();
  command.add_option("--split", options.split, "random, time:COLUMN or group:COLUMN")->capture_default_str();
  command
      .add_option("--equal-rows", options.equal_rows,
                  "of a random split: together (copies) in one part, or apart like any others (they look alike)")
      ->check(CLI::IsMember({"together", "apart"}))
      ->capture_default_str();
  command.add_option("--split-fractions", options.split_fractions, "train,validation,test")->capture_default_str();
  command
      .add_option(
          "--threshold", options.threshold,
          "f1 (the highest F1), a number, recall>=R (the best precision with that recall) or cost:FN,FP; on validation")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "of the split, the weights and the order")
      ->check(is_seed)
      ->capture_default_str();
  add_threads(command, options.threads);
  command
      .add_option("--max-epochs", options.max_epochs,
                  "mlp: epochs, 0: by the number of rows; gbdt: rounds, 0: up to 2000")
      ->check(is_count)
      ->capture_default_str();
  command.add_option("--max-time", options.max_time, "seconds of training; 0: no limit; mlp and gbdt")
      ->check(is_seconds)
      ->capture_default_str();
  command.add_flag("--resume", options.resume,
                   "go on where a killed or interrupted run of the same command stopped; mlp alone");
  command.add_option("--device", options.device, "cpu, cuda or cuda:N, where the network trains")
      ->capture_default_str();
  command.add_flag("--drop-duplicates", options.drop_duplicates,
                   "drop equal rows also where no id tells that they are copies");
  command.add_flag("--balanced", options.balanced, "weigh the classes equally in the loss");
  command.add_option("--out", options.out, "bundle to write")->check(is_something)->capture_default_str();
  command.add_option("--report", options.report, "JSON report to write");
  command.add_option("--write-splits", options.write_splits, "CSV of row,split to write");
  command.footer(
      "Lists are separated by commas, and the option may be repeated. A name that holds a comma stands in double\n"
      "quotes: --drop '\"last, first\"',age\n"
      "Ctrl-C while network or trees train saves the best model so far; earlier nothing is written. Exit status 130.");
  command.callback([&] { train(options); });
}

void add_evaluate(CLI::App& app, EvaluateOptions& options) {
  CLI::App& command = *app.add_subcommand("evaluate", "score the bundle's own test rows, or labelled rows");
  command.add_option("--bundle", options.bundle, "bundle to judge; a line is added to its ledger")
      ->required()
      ->check(is_something);
  command.add_option("--data", options.data, "the file that trained it, or with --all any labelled file")
      ->required()
      ->check(is_something);
  command.add_flag("--all", options.all, "every labelled row of the file, whatever the model has seen of it");
  command.add_option("--report", options.report, "JSON report to write");
  add_threads(command, options.threads);
  command.callback([&] { evaluate(options); });
}

void add_predict(CLI::App& app, PredictOptions& options) {
  CLI::App& command = *app.add_subcommand("predict", "probability and decision for every row");
  command.add_option("--bundle", options.bundle, "bundle to use")->required()->check(is_something);
  command
      .add_option("--data", options.data,
                  "CSV file with the columns that the model reads, - for standard input; the target may be absent")
      ->required()
      ->check(is_something);
  command
      .add_option("--out", options.out,
                  "CSV to write, - for standard output: the id where there is one, probability, decision")
      ->required()
      ->check(is_something);
  add_threads(command, options.threads);
  command.callback([&] { predict(options); });
}

// An error, after all that was said before it.
void say(const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s\n", text.c_str());
}

// A command or an option of it that there is not: what the parser would call a lack of another one. Empty: none.
std::string unknown_word(CLI::App& app, int argc, char** argv) {
  if (argc < 2) return {};
  const std::string word = argv[1];
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) {
    if (command->get_name() != word) continue;
    for (int i = 2; i < argc; ++i) {
      std::string option = argv[i];
      option.resize(std::min(option.size(), option.find('=')));
      if (option.size() > 2 && option.starts_with("--") && command->get_option_no_throw(option) == nullptr) {
        return "churn " + word + ": expected its options, got " + option + "; churn " + word + " --help lists them";
      }
    }
    return {};
  }
  return word.starts_with('-') ? "" : "churn: expected a command, train, evaluate or predict, got \"" + word + "\"";
}

constexpr const char* no_memory =
    "; less is needed for fewer rows, and with --drop of columns, text of many levels first, as each becomes a feature";

}  // namespace

int main(int argc, char** argv) {
  end_on_interrupts();
  CLI::App app{"Trains, evaluates and applies a model of a two-valued target."};
  app.require_subcommand(1);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);  // a later one overrides
  app.set_version_flag("--version", "churn, with Tern " CHURN_VERSION);
  app.footer(
      "Exit status: 0; 2 when the input or the command line is refused; 130 after Ctrl-C; 1 for anything else.\n"
      "Every option of a command: churn COMMAND --help");

  TrainOptions to_train;
  to_train.command.assign(argv, argv + argc);
  EvaluateOptions to_evaluate;
  PredictOptions to_predict;
  add_train(app, to_train);
  add_evaluate(app, to_evaluate);
  add_predict(app, to_predict);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const std::string unknown = unknown_word(app, argc, argv); error.get_exit_code() != 0 && !unknown.empty()) {
      say(unknown);
      return 2;
    }
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const tern::MemoryError& error) {
    say("churn: " + in_words(error) + no_memory);
    return 2;
  } catch (const std::bad_alloc&) {
    say(std::string("churn: expected more memory than there is") + no_memory);
    return 2;
  } catch (const tern::Error& error) {
    say("churn: " + in_words(error));
    return 2;
  } catch (const Interrupted&) {
    say("churn: interrupted; nothing was written");
    return 130;
  } catch (const std::exception& error) {
    say("churn: unexpected: " + std::string(error.what()));
    return 1;
  }
  if (interrupted()) return 130;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    say("churn: cannot write to standard output what was to be said; the files are written");
    return 2;
  }
  return 0;
}
