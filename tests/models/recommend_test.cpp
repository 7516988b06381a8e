#include "tern/models/recommend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "cpu/factors.h"
#include "message_of.h"
#include "temporary.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/base/parallel.h"
#include "tern/base/random.h"
#include "tern/tensor/safetensors.h"

namespace tern::models {
namespace {

// Two tastes: even users like even items. Each user has rows with 12 of 40 items, two of them of the other taste.
Interactions tastes(int users = 60) {
  const Philox random(8);
  std::uint64_t draw = 0;
  Interactions out;
  for (int u = 0; u < users; ++u) out.user_names.push_back("u" + std::to_string(u));
  for (int i = 0; i < 40; ++i) out.item_names.push_back("i" + std::to_string(i));
  for (int u = 0; u < users; ++u) {
    std::vector<bool> taken(40);
    for (int k = 0; k < 12; ++k) {
      int item = 0;
      do {
        item = 2 * static_cast<int>(random.below(draw++, 20)) + (k < 10 ? u % 2 : 1 - u % 2);
      } while (taken[static_cast<std::size_t>(item)]);
      taken[static_cast<std::size_t>(item)] = true;
      out.users.push_back(u);
      out.items.push_back(item);
      out.values.push_back(item % 2 == u % 2 ? 4.5f : 1.5f);
    }
  }
  return out;
}

// How many of ten recommendations are of the user's taste, in the mean.
double own_taste(const Recommender& model) {
  double hits = 0;
  for (std::int32_t user = 0; user < 60; ++user) {
    for (const Recommendation& each : model.recommend(user, 8)) hits += each.item % 2 == user % 2;
  }
  return hits / (60 * 8);
}

TEST(Recommender, LearnsTastes) {
  const Interactions rows = tastes();
  Popularity popular;
  popular.fit(rows);
  EXPECT_LT(own_taste(popular), 0.6);
  Als implicit({.factors = 4, .regularization = 1, .implicit = true});
  implicit.fit(rows);
  EXPECT_GT(own_taste(implicit), 0.95);
  Bpr ranked({.factors = 4, .epochs = 100});
  ranked.fit(rows);
  EXPECT_GT(own_taste(ranked), 0.75);
  Als ratings({.factors = 4});
  ratings.fit(rows);
  EXPECT_GT(own_taste(ratings), 0.9);
  for (const Recommendation& each : implicit.similar(3, 10)) EXPECT_EQ(each.item % 2, 1);
  const auto predicted = ratings.predict(rows);
  for (std::size_t i = 0; i < predicted.size(); ++i) EXPECT_NEAR(predicted[i], rows.values[i], 0.7);
  EXPECT_THROW(implicit.predict(rows), StateError);
}

// Without alpha a value above 0 is liking, however large; a hair of it changes a hair.
TEST(Als, WithoutAlphaIsWhereAlphaVanishes) {
  Als none({.factors = 4, .regularization = 1, .implicit = true, .alpha = 0});
  Als hair({.factors = 4, .regularization = 1, .implicit = true, .alpha = 1e-9});
  none.fit(tastes());
  hair.fit(tastes());
  for (std::int32_t user = 0; user < 60; ++user) {
    const auto a = none.recommend(user, 40, true), b = hair.recommend(user, 40, true);
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i].score, b[i].score, 1e-4);
  }
}

TEST(Recommender, LeavesOutWhatTheUserHas) {
  const Interactions rows = tastes();
  Als model({.factors = 4, .regularization = 1, .implicit = true});
  model.fit(rows);
  const auto list = model.recommend(5, 40), all = model.recommend(5, 40, true);
  EXPECT_EQ(list.size(), 28u);
  EXPECT_EQ(all.size(), 40u);
  for (std::size_t row = 0; row < rows.users.size(); ++row) {
    if (rows.users[row] != 5) continue;
    for (const Recommendation& each : list) EXPECT_NE(each.item, rows.items[row]);
  }
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end(), [](auto& a, auto& b) { return a.score > b.score; }));
  EXPECT_EQ(model.recommend(-1, 3).size(), 3u);  // a stranger gets what is popular
  EXPECT_EQ(model.item("i7"), 7);
  EXPECT_EQ(model.user("nobody"), -1);
  EXPECT_THROW(model.recommend(60, 3), IndexError);
  EXPECT_THROW(model.recommend(0, 0), ValueError);
  EXPECT_THROW(model.similar(40, 1), IndexError);
}

TEST(Recommender, OfNoRowsGetsWhatIsPopular) {
  Interactions rows = tastes();
  rows.user_names.push_back("new");  // as of a split that left all rows to the other part
  Als als({.factors = 4, .implicit = true});
  Bpr bpr({.factors = 4, .epochs = 2});
  for (Recommender* model : std::initializer_list<Recommender*>{&als, &bpr}) {
    model->fit(rows);
    EXPECT_EQ(model->scores(60), model->scores(-1)) << model->type();
    EXPECT_EQ(model->recommend(60, 1)[0].item, model->recommend(-1, 1)[0].item) << model->type();
    EXPECT_THROW(static_cast<void>(model->has(0, 40)), IndexError);
    EXPECT_THROW(static_cast<void>(model->has(0, -1)), IndexError);
  }
}

// A value of 0 says no more than no row does: that the user does not like the item.
TEST(Als, AValueOf0IsNotLiking) {
  const Interactions rows = tastes();
  Interactions more = rows;
  for (std::int32_t user = 0; user < 60; ++user) {
    for (std::int32_t item = 0; item < 40; ++item) {
      more.users.push_back(user);
      more.items.push_back(item);
      more.values.push_back(0);
    }
  }
  Als plain({.factors = 4, .regularization = 1, .iterations = 30, .implicit = true}), with = plain;
  plain.fit(rows);
  with.fit(more);
  for (std::int32_t user = 0; user < 60; ++user) {
    const std::vector<float> a = plain.scores(user), b = with.scores(user);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-3) << user << " " << i;
  }
}

// Each half step minimises, so the objective falls: here by its formula, in double, of the factors that files hold.
TEST(Als, RatingsObjectiveFalls) {
  const Interactions rows = tastes();
  constexpr int kFactors = 3;
  constexpr double kPenalty = 0.1;
  const std::string path = temporary_path("als.tern");
  double mean = 0;
  for (const float value : rows.values) mean += static_cast<double>(value) / static_cast<double>(rows.rows());
  double first = 0, before = INFINITY;
  for (const int iterations : {1, 2, 3, 5, 8, 16}) {
    Als model({.factors = kFactors, .regularization = kPenalty, .iterations = iterations});
    model.fit(rows);
    model.save(path);
    std::vector<float> users, items;  // the last of each is the bias
    for (const auto& [name, tensor] : from_safetensors(read_file(path)).tensors) {
      if (name == "users") users = tensor.to_vector<float>();
      if (name == "items") items = tensor.to_vector<float>();
    }
    ASSERT_EQ(users.size(), 60u * (kFactors + 1));
    const std::vector<double> predicted = model.predict(rows);
    double sum = 0;
    for (std::size_t i = 0; i < predicted.size(); ++i) {
      const float* p = &users[static_cast<std::size_t>(rows.users[i]) * (kFactors + 1)];
      const float* q = &items[static_cast<std::size_t>(rows.items[i]) * (kFactors + 1)];
      double told = mean + static_cast<double>(p[kFactors]) + static_cast<double>(q[kFactors]), squares = 0;
      for (std::size_t f = 0; f <= kFactors; ++f) {
        const double a = static_cast<double>(p[f]), b = static_cast<double>(q[f]);
        if (f < kFactors) told += a * b;
        squares += a * a + b * b;
      }
      EXPECT_NEAR(told, predicted[i], 1e-5);
      // Each row of a user or item carries its penalty once.
      sum += std::pow(static_cast<double>(rows.values[i]) - told, 2) + kPenalty * squares;
    }
    EXPECT_LT(sum, before * (1 + 1e-6)) << "factors are floats";
    before = sum;
    if (iterations == 1) first = sum;
  }
  EXPECT_LT(before, 0.9 * first);
  std::filesystem::remove(path);
}

TEST(Als, SameBitsAtAnyThreadCount) {
  const Interactions rows = tastes();
  for (const bool implicit : {false, true}) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 5}) {
      const int outside = num_threads();
      set_num_threads(threads);
      Als model({.factors = 5, .implicit = implicit});
      model.fit(rows);
      results.push_back(model.scores(7));
      set_num_threads(outside);
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
  }
}

// Every target that this processor runs.
template <class F>
void each_target(const F& check) {
  using namespace kernels::cpu;
  for (int target = 0; target < kTargets; ++target) {
    if (!runs(static_cast<Target>(target))) continue;
    SCOPED_TRACE(kernels::cpu::name(static_cast<Target>(target)));
    check(*factors_tables[target]);
  }
}

void agrees_with_loops(const kernels::cpu::FactorsTable& code) {
  const Philox random(6);
  for (const std::int64_t width : {1, 3, 16, 17, 64, 67, 130}) {
    const auto w = static_cast<std::size_t>(width);
    std::vector<float> rows(9 * w), gram(w * w), x(w), out(w), weights = {0.5f, 2, -1, 0.25f, 3, -0.5f, 1};
    std::uint64_t draw = 0;
    for (auto* values : {&rows, &gram, &x}) {
      for (float& value : *values) value = random.uniform_float(draw++) - 0.5f;
    }
    for (std::size_t i = 0; i < w; ++i) {
      for (std::size_t j = 0; j < i; ++j) gram[i * w + j] = gram[j * w + i];
    }
    const std::vector<std::int32_t> which = {7, 0, 3, 8, 7, 2, 5};
    code.apply(gram.data(), rows.data(), which.data(), weights.data(), 7, x.data(), out.data(), width);
    std::vector<float> sum(w, 1.0f);
    code.add(rows.data(), which.data(), weights.data(), 7, sum.data(), width);
    for (std::size_t i = 0; i < w; ++i) {
      double expected = 0;
      for (std::size_t j = 0; j < w; ++j) expected += static_cast<double>(gram[i * w + j]) * static_cast<double>(x[j]);
      double added = 1;
      for (std::size_t k = 0; k < 7; ++k) {
        const float* y = rows.data() + static_cast<std::size_t>(which[k]) * w;
        added += static_cast<double>(weights[k]) * static_cast<double>(y[i]);
        double dot = 0;
        for (std::size_t j = 0; j < w; ++j) dot += static_cast<double>(y[j]) * static_cast<double>(x[j]);
        expected += static_cast<double>(weights[k]) * dot * static_cast<double>(y[i]);
      }
      EXPECT_NEAR(out[i], expected, 1e-4) << width;
      EXPECT_NEAR(sum[i], added, 1e-5) << width;
    }
    std::vector<float> solution(x), residual(rows.begin(), rows.begin() + width), along(residual);
    for (float& value : along) value = std::abs(value) + 0.125f;
    for (float& value : out) value = std::abs(value);
    const auto wide_dot = [&](const std::vector<float>& a, const std::vector<float>& b) {
      double dot = 0;
      for (std::size_t i = 0; i < w; ++i) dot += static_cast<double>(a[i]) * static_cast<double>(b[i]);
      return dot;
    };
    const double rate = 3 / wide_dot(along, out);
    std::vector<float> new_solution, new_residual, new_along;
    for (std::size_t i = 0; i < w; ++i) {
      new_solution.push_back(
          static_cast<float>(static_cast<double>(solution[i]) + rate * static_cast<double>(along[i])));
      new_residual.push_back(static_cast<float>(static_cast<double>(residual[i]) - rate * static_cast<double>(out[i])));
    }
    const double square = wide_dot(new_residual, new_residual);
    for (std::size_t i = 0; i < w; ++i) {
      new_along.push_back(
          static_cast<float>(static_cast<double>(new_residual[i]) + square / 3 * static_cast<double>(along[i])));
    }
    const auto near = [&](const std::vector<float>& got, const std::vector<float>& wanted) {
      const double most = std::sqrt(wide_dot(wanted, wanted));
      for (std::size_t i = 0; i < w; ++i) EXPECT_NEAR(got[i], wanted[i], 1e-4 * most + 1e-6) << width;
    };
    EXPECT_NEAR(code.conjugate_step(3, out.data(), solution.data(), residual.data(), along.data(), width), square,
                1e-4 * square);
    near(solution, new_solution);
    near(residual, new_residual);
    near(along, new_along);
    std::vector<double> wide(rows.begin(), rows.end());
    std::vector<float> narrow(w * w);
    code.gram(rows.data(), 9, narrow.data(), width);
    for (std::size_t i = 0; i < w; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        double expected = 0;
        for (std::size_t r = 0; r < 9; ++r) expected += wide[r * w + i] * wide[r * w + j];
        EXPECT_NEAR(narrow[i * w + j], expected, 1e-5);
      }
    }
  }
}

TEST(Factors, KernelsAgreeWithLoops) { each_target(agrees_with_loops); }

// Σ y yᵀ + 0.1 of padded rows, whose last column becomes b: what comes out solves it.
void solves_equations(const kernels::cpu::FactorsTable& code) {
  const Philox random(7);
  for (const std::int64_t unknowns : {1, 3, 7, 8, 33, 64, 100}) {
    const auto n = static_cast<std::size_t>(unknowns), width = (n + 8) / 8 * 8;
    std::vector<double> rows(9 * width), a(width * width), x(n);
    for (std::size_t r = 0; r < 9; ++r) {
      for (std::size_t i = 0; i <= n; ++i) rows[r * width + i] = random.uniform(r * width + i) - 0.5;
    }
    code.gram_f64(rows.data(), 9, a.data(), static_cast<std::int64_t>(width));
    for (std::size_t i = 0; i <= n; ++i) {
      for (std::size_t j = i; j <= n; ++j) {
        double expected = 0;
        for (std::size_t r = 0; r < 9; ++r) expected += rows[r * width + i] * rows[r * width + j];
        EXPECT_NEAR(a[i * width + j], expected, 1e-12) << n;
      }
    }
    for (std::size_t i = 0; i < n; ++i) a[i * width + i] += 0.1;
    std::vector<double> before = a;
    ASSERT_TRUE(code.solve_f64(a.data(), unknowns, static_cast<std::int64_t>(width), x.data()));
    for (std::size_t i = 0; i < n; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += before[std::min(i, j) * width + std::max(i, j)] * x[j];
      EXPECT_NEAR(sum, before[i * width + n], 1e-12) << n;
    }
    before[0] = -1;
    EXPECT_FALSE(code.solve_f64(before.data(), unknowns, static_cast<std::int64_t>(width), x.data()));
  }
}

TEST(Factors, EquationsAreSolved) { each_target(solves_equations); }

// A member's part is that of all its equations, whether it has fewer ratings than factors or more.
TEST(Als, EachPartSolvesItsEquations) {
  Interactions many;  // more ratings of an item than the small solver takes
  for (std::int32_t user = 0; user < 320; ++user) many.user_names.push_back("u" + std::to_string(user));
  many.item_names = {"a", "b", "c", "d", "e"};
  const Philox random(8);
  for (std::int32_t i = 0; i < 1600; ++i) {
    many.users.push_back(i / 5);
    many.items.push_back(i % 5);
    many.values.push_back(random.uniform_float(static_cast<std::uint64_t>(i)));
  }
  for (const int factors : {3, 30, 300}) {
    const Interactions rows = factors == 300 ? many : tastes();
    Als model({.factors = factors, .regularization = 0.1, .iterations = 5});
    model.fit(rows);
    // At the optimum of an item's bias the residuals sum to the penalty: λ n b = Σ (rating - prediction).
    const auto predicted = model.predict(rows);
    Interactions one = rows;
    one.users.assign(1, -1);
    one.items.assign(1, 0);
    one.values.assign(1, 0);
    for (std::int32_t item = 0; item < 5; ++item) {
      one.items[0] = item;
      const double mean_and_bias = model.predict(one)[0];
      one.items[0] = -1;
      const double bias = mean_and_bias - model.predict(one)[0];
      double left = 0, count = 0;
      for (std::size_t i = 0; i < predicted.size(); ++i) {
        if (rows.items[i] != item) continue;
        left += static_cast<double>(rows.values[i]) - predicted[i];
        ++count;
      }
      EXPECT_NEAR(left, 0.1 * count * bias, 1e-4 * count) << factors << " " << item;
    }
  }
}

// It has no factors that could point anywhere.
TEST(Als, NothingIsSimilarToAnItemWithoutRows) {
  Interactions rows = tastes();
  rows.item_names.push_back("never");
  for (const bool implicit : {false, true}) {
    Als model({.factors = 4, .implicit = implicit});
    model.fit(rows);
    EXPECT_TRUE(model.similar(40, 5).empty());
    for (const Recommendation& each : model.similar(3, 100)) {
      EXPECT_NE(each.item, 40);
      EXPECT_TRUE(std::abs(each.score) <= 1.0001f);
    }
  }
}

TEST(EvaluateRanking, AgreesWithTheFormulas) {
  Interactions rows;
  rows.user_names = {"a", "b"};
  rows.item_names = {"p", "q", "r", "s", "t"};
  const auto add = [&](Interactions& to, std::int32_t user, std::int32_t item) {
    to.users.push_back(user);
    to.items.push_back(item);
    to.values.push_back(1);
  };
  for (int k = 0; k < 2; ++k) add(rows, 0, 0);
  add(rows, 1, 1);
  add(rows, 1, 1);
  add(rows, 1, 1);
  add(rows, 1, 2);
  Popularity model;  // q 3, p 2, r 1, s 0, t 0; a has p, b has q and r
  model.fit(rows);
  Interactions later;
  later.user_names = rows.user_names;
  later.item_names = rows.item_names;
  add(later, 0, 2);  // a: q r s …: found at rank 2
  add(later, 1, 3);  // b: p s t: found at ranks 2 and 3
  add(later, 1, 4);
  add(later, -1, 0);
  const RankingReport report = evaluate_ranking(model, later, 3);
  const double two = 1 / std::log2(3), three = 1 / std::log2(4);
  EXPECT_EQ(report.users, 2);
  EXPECT_NEAR(report.ndcg, (two + (two + three) / (1 + two)) / 2, 1e-12);
  EXPECT_NEAR(report.map, (0.5 + (0.5 + 2.0 / 3) / 2) / 2, 1e-12);
  EXPECT_NEAR(report.recall, 1, 1e-12);
  EXPECT_NEAR(report.precision, (1.0 / 3 + 2.0 / 3) / 2, 1e-12);
  Interactions more = later;
  add(more, 0, 0);   // a has it: never recommended, and not asked for
  add(more, 0, -1);  // unknown, twice
  add(more, 0, -1);
  EXPECT_NEAR(evaluate_ranking(model, more, 3).recall, (1.0 / 3 + 1) / 2, 1e-12);
  more.items.pop_back();
  EXPECT_THROW(evaluate_ranking(model, more, 3), ShapeError);
  EXPECT_THROW(evaluate_ranking(model, later, 0), ValueError);
  more = later;
  std::swap(more.item_names[0], more.item_names[1]);
  EXPECT_THROW(evaluate_ranking(model, more, 3), ValueError) << "items numbered by themselves";
  EXPECT_THROW(evaluate_ranking(model, Interactions(), 3), ValueError);
  EXPECT_THROW(evaluate_ranking(Popularity(), later, 3), StateError);
}

TEST(Interactions, FromATable) {
  data::Table table{{"who", data::Column::from_strings({"x", "y", "x", "y", "x"})},
                    {"what", data::Column::from_i64({10, 20, 30, 10, 40})},
                    {"stars", data::Column::from_f64({1, 2, 3, 4, 5})},
                    {"when", data::Column::from_i64({5, 1, 9, 2, 7})}};
  const Interactions rows = interactions(table, {.user = "who", .item = "what", .value = "stars"});
  EXPECT_EQ(rows.users, (std::vector<std::int32_t>{0, 1, 0, 1, 0}));
  EXPECT_EQ(rows.item_names, (std::vector<std::string>{"10", "20", "30", "40"}));
  EXPECT_EQ(rows.values[4], 5);
  const UserSplit split = split_by_user(table, "who", "when", 0.4);
  EXPECT_EQ(split.test["when"].i64_values()[0], 9);  // x's last of three, y's last of two
  EXPECT_EQ(split.test.rows(), 2);
  EXPECT_EQ(split.train.rows(), 3);
  const Interactions train = interactions(split.train, {.user = "who", .item = "what"});
  const Interactions test = interactions(split.test, {.user = "who", .item = "what"}, train);
  EXPECT_EQ(test.items[0], -1);
  table.replace("stars", data::Column::from_f64({1, 2, NAN, 4, 5}));
  EXPECT_THROW(interactions(table, {.user = "who", .item = "what", .value = "stars"}), DataError);
  EXPECT_THROW(interactions(table, {.user = "who", .item = "none"}), DataError);
  EXPECT_THROW(interactions(table, {.user = "who"}), ValueError);
  EXPECT_THROW(split_by_user(table, "who", "when", 1), ValueError);
  table.replace("when", data::Column::from_strings({"10:00", "9:00", "8:00", "7:00", "6:00"}));
  EXPECT_EQ(message_of<DataError>([&] { split_by_user(table, "who", "when", 0.4); }),
            "[split_by_user] column \"when\": expected timestamps or numbers to order by, got string");
}

TEST(Recommender, ComesBackFromItsFile) {
  const Interactions rows = tastes();
  const std::string path = temporary_path("recommender.tern");
  const auto check = [&](auto model, auto load) {
    EXPECT_THROW(model.save(path), StateError);
    EXPECT_THROW(model.recommend(0, 1), StateError);
    model.fit(rows);
    model.save(path);
    const auto loaded = load(path);
    EXPECT_EQ(loaded.scores(11), model.scores(11));
    EXPECT_EQ(loaded.recommend(11, 5)[0].item, model.recommend(11, 5)[0].item);
    EXPECT_EQ(loaded.item("i9"), 9);
    const std::string bytes = read_file(path);
    write_file(path, bytes.substr(0, bytes.size() - 5));
    EXPECT_THROW(load(path), FormatError);
  };
  check(Popularity(), Popularity::load);
  check(Als({.factors = 3}), Als::load);
  check(Als({.factors = 3, .implicit = true}), Als::load);
  check(Bpr({.factors = 3, .epochs = 2}), Bpr::load);
  Als model({.factors = 3});
  model.fit(rows);
  model.save(path);
  EXPECT_THROW(Bpr::load(path), FormatError);
  std::filesystem::remove(path);
}

TEST(Recommender, SaysWhatItNeeds) {
  try {
    Als({.factors = -3});
    ADD_FAILURE() << "taken";
  } catch (const ValueError& error) {
    EXPECT_STREQ(error.what(), "[Als] expected factors from 1 to 4096, got -3");
  }
  EXPECT_THROW(Als({.regularization = -1}), ValueError);
  EXPECT_THROW(Als({.iterations = 0}), ValueError);
  EXPECT_THROW(Bpr({.learning_rate = 0}), ValueError);
  EXPECT_THROW(Bpr({.epochs = 0}), ValueError);
  EXPECT_THROW(Als().fit(Interactions()), ValueError);
  Interactions rows = tastes();
  rows.values[0] = -1;
  EXPECT_THROW(Als({.implicit = true}).fit(rows), ValueError);
  std::fill(rows.values.begin(), rows.values.end(), 0.0f);
  EXPECT_THROW(Als({.implicit = true}).fit(rows), ValueError);
  for (const float bad : {std::nanf(""), INFINITY}) {
    rows.values[0] = bad;
    for (const bool implicit : {false, true}) {
      try {
        Als({.implicit = implicit}).fit(rows);
        ADD_FAILURE() << "taken";
      } catch (const ValueError& error) {
        EXPECT_NE(std::string(error.what()).find("expected finite values"), std::string::npos) << error.what();
      }
    }
  }
  rows.values[0] = 1;
  rows.items[0] = 40;
  EXPECT_THROW(Als().fit(rows), ValueError);
  rows.items.pop_back();
  EXPECT_THROW(Als().fit(rows), ShapeError);
  Als good({.factors = 2});
  good.fit(tastes());
  EXPECT_THROW(good.predict(rows), ShapeError);
  EXPECT_THROW(Bpr({.factors = 2, .learning_rate = 1e30}).fit(tastes()), NumericError);
}

}  // namespace
}  // namespace tern::models
