// Recommends films, or whatever a table has ratings of: examples/recommender/README.md.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>
#include <unordered_map>

#include "tern/metrics/regression.h"
#include "tern/models/recommend.h"
#include "tern/tern.h"

namespace {

using namespace tern;

struct Options {
  std::string data, user, out;
  std::string user_column = "userId", item_column = "movieId", rating_column = "rating", time_column = "timestamp",
              title_column = "title";
  int count = 10, factors = 64, threads = 0;
  std::uint64_t seed = 0;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void judge(const char* name, models::Recommender& model, const models::Interactions& train,
           const models::Interactions& later, int count) {
  const double start = now();
  model.fit(train);
  const double seconds = now() - start;
  const models::RankingReport report = models::evaluate_ranking(model, later, count);
  std::printf("%-20s %8.4f %8.4f %10.4f %8.2f\n", name, report.ndcg, report.map, report.recall, seconds);
}

double root_mean_squared_error(const std::vector<double>& predicted, const models::Interactions& rows) {
  return metrics::root_mean_squared_error(predicted, std::vector<double>(rows.values.begin(), rows.values.end()));
}

void run(const Options& options) {
  if (options.threads > 0) set_num_threads(options.threads);
  const data::Table table = data::read_csv(options.data);
  const models::InteractionColumns columns{
      .user = options.user_column, .item = options.item_column, .value = options.rating_column};
  const auto [before, after] = models::split_by_user(table, options.user_column, options.time_column);
  const models::Interactions train = models::interactions(before, columns);
  const models::Interactions later = models::interactions(after, columns, train);
  std::printf("%lld ratings of %zu items by %zu users to train on, each user's last %lld in all to judge by\n\n",
              static_cast<long long>(train.rows()), train.item_names.size(), train.user_names.size(),
              static_cast<long long>(later.rows()));

  std::printf("%-20s  NDCG@%-2d   MAP@%-2d  recall@%-2d  seconds\n", "", options.count, options.count, options.count);
  models::Interactions seen = train;  // that a film was rated says that it was watched, whatever the rating
  std::fill(seen.values.begin(), seen.values.end(), 1.0f);
  models::Popularity popular;
  judge("popularity", popular, seen, later, options.count);
  models::Als als(
      {.factors = options.factors, .regularization = 10, .implicit = true, .alpha = 0, .seed = options.seed});
  judge("als", als, seen, later, options.count);
  models::Bpr bpr({.factors = options.factors, .seed = options.seed});
  judge("bpr", bpr, seen, later, options.count);

  models::Als ratings({.factors = 32, .regularization = 0.15, .seed = options.seed});
  ratings.fit(train);
  double mean = 0;
  for (const float value : train.values) mean += static_cast<double>(value) / static_cast<double>(train.rows());
  const std::vector<double> same(later.users.size(), mean);
  std::printf("\nratings: root mean squared error %.4f by als, %.4f by their mean\n",
              root_mean_squared_error(ratings.predict(later), later), root_mean_squared_error(same, later));

  std::unordered_map<std::string, std::string> titles;
  if (table.has(options.title_column)) {
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      titles.emplace(table[options.item_column].text(row), table[options.title_column].text(row));
    }
  }
  const auto title = [&](std::int32_t item) {
    const std::string& name = train.item_names[static_cast<std::size_t>(item)];
    const auto found = titles.find(name);
    return found == titles.end() ? name : found->second;
  };
  const std::int32_t user = options.user.empty() ? 0 : als.user(options.user);
  if (user < 0) throw ValueError("[recommender --user] expected a user of the file, got \"" + options.user + "\"");
  std::vector<std::pair<float, std::int32_t>> rated;
  for (std::size_t row = 0; row < train.users.size(); ++row) {
    if (train.users[row] == user) rated.emplace_back(-train.values[row], train.items[row]);
  }
  std::sort(rated.begin(), rated.end());
  std::printf("\nuser %s rated best:\n", train.user_names[static_cast<std::size_t>(user)].c_str());
  for (std::size_t i = 0; i < std::min<std::size_t>(5, rated.size()); ++i) {
    std::printf("  %.1f  %s\n", static_cast<double>(-rated[i].first), title(rated[i].second).c_str());
  }
  std::printf("and may like:\n");
  for (const models::Recommendation& each : als.recommend(user, options.count)) {
    std::printf("  %.3f  %s\n", static_cast<double>(each.score), title(each.item).c_str());
  }
  if (!options.out.empty()) {
    als.save(options.out);
    std::printf("\nmodel: %s\n", options.out.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"recommender: what people may like next, from who rated what"};
  app.add_option("--data", options.data, "CSV with a row a rating")->required();
  app.add_option("--user-column", options.user_column)->capture_default_str();
  app.add_option("--item-column", options.item_column)->capture_default_str();
  app.add_option("--rating-column", options.rating_column)->capture_default_str();
  app.add_option("--time-column", options.time_column)->capture_default_str();
  app.add_option("--title-column", options.title_column, "shown instead of the item, where there is one")
      ->capture_default_str();
  app.add_option("--user", options.user, "for whom to recommend (default: the first)");
  app.add_option("--count", options.count, "how many")->check(CLI::Range(1, 1000000))->capture_default_str();
  app.add_option("--factors", options.factors, "numbers of each user and item")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  app.add_option("--threads", options.threads, "default: all cores");
  app.add_option("--out", options.out, "where the implicit model is written");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    run(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
  return 0;
}
