#include <algorithm>
#include <cmath>

#include "base/number_text.h"
#include "cpu/factors.h"
#include "models/factors.h"
#include "tern/models/recommend.h"

namespace tern::models {
namespace {

using tern::internal::Json;
using tern::internal::json_get;

constexpr int kTries = 16;  // draws of an item that the user has nothing to do with

}  // namespace

Bpr::Bpr(BprOptions options) : options_(options) {
  const auto check = [](bool good, const char* expected, double got) {
    if (!good)
      throw ValueError("[Bpr] expected " + std::string(expected) + ", got " + tern::internal::number_text(got));
  };
  check(options.factors >= 1 && options.factors <= 4096, "factors from 1 to 4096", options.factors);
  check(options.learning_rate > 0 && std::isfinite(options.learning_rate), "a learning_rate above 0",
        options.learning_rate);
  check(options.regularization >= 0 && std::isfinite(options.regularization), "a regularization of at least 0",
        options.regularization);
  check(options.epochs >= 1, "epochs of at least 1", options.epochs);
}

void Bpr::learn(const Side& by_user, const Side& by_item) {
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + 1;
  const std::size_t rows = by_user.other.size(), count = by_item.begin.size() - 1;
  std::vector<float> users = internal::first_factors((by_user.begin.size() - 1) * factors, options_.seed, 1);
  std::vector<float> items = internal::first_factors(count * width, options_.seed, 2);
  for (std::size_t i = factors; i < items.size(); i += width) items[i] = 0;
  std::vector<std::int32_t> user_of(rows), known = by_user.other;
  for (std::size_t u = 0; u + 1 < by_user.begin.size(); ++u) {
    std::fill(user_of.begin() + by_user.begin[u], user_of.begin() + by_user.begin[u + 1], static_cast<std::int32_t>(u));
    std::sort(known.begin() + by_user.begin[u], known.begin() + by_user.begin[u + 1]);
  }
  const auto rate = static_cast<float>(options_.learning_rate), penalty = static_cast<float>(options_.regularization);
  const Philox random(options_.seed, 3);
  std::uint64_t draw = 0;
  const kernels::cpu::FactorsTable& code = kernels::cpu::factors_table();
  const auto n = static_cast<std::int64_t>(factors);
  for (int epoch = 0; epoch < options_.epochs; ++epoch) {
    for (std::size_t step = 0; step < rows; ++step) {
      const auto row = static_cast<std::size_t>(random.below(draw++, rows));
      const auto u = static_cast<std::size_t>(user_of[row]);
      const auto liked = static_cast<std::size_t>(by_user.other[row]);
      std::size_t other = liked;
      for (int attempt = 0; attempt < kTries; ++attempt) {
        other = static_cast<std::size_t>(random.below(draw++, count));
        if (!std::binary_search(known.begin() + by_user.begin[u], known.begin() + by_user.begin[u + 1],
                                static_cast<std::int32_t>(other))) {
          break;
        }
        other = liked;
      }
      if (other == liked) continue;  // a user of nearly all items
      float *x = users.data() + u * factors, *i = items.data() + liked * width, *j = items.data() + other * width;
      const float margin = i[factors] - j[factors] + code.dot(x, i, n) - code.dot(x, j, n);
      const float slope = 1 / (1 + std::exp(margin));
      for (std::size_t f = 0; f < factors; ++f) {
        const float xf = x[f], difference = i[f] - j[f];
        x[f] += rate * (slope * difference - penalty * xf);
        i[f] += rate * (slope * xf - penalty * i[f]);
        j[f] += rate * (-slope * xf - penalty * j[f]);
      }
      i[factors] += rate * (slope - penalty * i[factors]);
      j[factors] += rate * (-slope - penalty * j[factors]);
    }
  }
  internal::check_factors("Bpr", users, items);
  user_factors_ = std::move(users);
  item_factors_ = std::move(items);
}

void Bpr::score(std::int32_t user, std::span<float> out) const {
  const auto factors = static_cast<std::size_t>(options_.factors), width = factors + 1;
  const kernels::cpu::FactorsTable& code = kernels::cpu::factors_table();
  const float* x = user_factors_.data() + static_cast<std::size_t>(user) * factors;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const float* y = item_factors_.data() + i * width;
    out[i] = code.dot(x, y, options_.factors) + y[factors];
  }
}

std::string Bpr::settings() const {
  return tern::internal::json_text(Json{{"factors", options_.factors},
                                        {"learning_rate", options_.learning_rate},
                                        {"regularization", options_.regularization},
                                        {"epochs", options_.epochs},
                                        {"seed", options_.seed}});
}

std::vector<std::pair<std::string, Tensor>> Bpr::arrays() const {
  return {{"users", internal::matrix(user_factors_, options_.factors)},
          {"items", internal::matrix(item_factors_, options_.factors + 1)}};
}

Bpr Bpr::load(const std::string& path) {
  return tern::internal::from_file(path, [&] {
    Bpr made;
    std::vector<std::pair<std::string, Tensor>> arrays;
    const Json json = tern::internal::parse_json(made.read(path, "bpr", arrays), "Bpr");
    made.options_ = Bpr({.factors = json_get<int>(json, "factors", "Bpr"),
                         .learning_rate = json_get<double>(json, "learning_rate", "Bpr"),
                         .regularization = json_get<double>(json, "regularization", "Bpr"),
                         .epochs = json_get<int>(json, "epochs", "Bpr"),
                         .seed = json_get<std::uint64_t>(json, "seed", "Bpr")})
                        .options_;
    made.user_factors_ = internal::matrix_of("Bpr", arrays, "users", made.users(), made.options_.factors);
    made.item_factors_ = internal::matrix_of("Bpr", arrays, "items", made.items(), made.options_.factors + 1);
    return made;
  });
}

}  // namespace tern::models
