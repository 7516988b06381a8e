#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/table.h"
#include "tern/tensor/tensor.h"

/// Recommendation from who had to do with what.
namespace tern::models {

/// Users, items and how much they had to do with each other, a row each time.
struct Interactions {
  std::vector<std::int32_t> users, items;           ///< positions among the names; -1: not among them
  std::vector<float> values;                        ///< ratings, counts; 1 where no column was named
  std::vector<std::string> user_names, item_names;  ///< as text, in the order in which rows name them

  std::int64_t rows() const { return static_cast<std::int64_t>(users.size()); }
};

/// The columns of a table that hold them.
struct InteractionColumns {
  std::string user{}, item{};
  std::string value{};  ///< numbers; empty: each row counts 1
};
/// Throws DataError, naming the row, for a user, item or value that is missing or not finite.
TERN_API Interactions interactions(const data::Table& table, const InteractionColumns& columns);
/// The same with the names of others, as for rows to be judged; unknown ones are -1.
TERN_API Interactions interactions(const data::Table& table, const InteractionColumns& columns,
                                   const Interactions& names);

/// Rows by user: the last `share` of each user's rows by time are in `test` (of at least two rows; one row is trained
/// on), ties in the order of the table. Throws DataError for a column of times that holds neither timestamps nor
/// numbers, and a time that is missing, ValueError for a share outside (0, 1).
struct UserSplit {
  data::Table train, test;
};
TERN_API UserSplit split_by_user(const data::Table& table, const std::string& user, const std::string& time,
                                 double share = 0.2);

/// An item and how much it is recommended.
struct Recommendation {
  std::int32_t item = -1;
  float score = 0;
};

/// What recommends. Items and users are positions in the names of `fit`. Const calls are safe from many threads.
class TERN_API Recommender {
 public:
  virtual ~Recommender();
  virtual std::string_view type() const = 0;
  /// Learns. Throws ValueError for no rows, or values that the class does not take.
  void fit(const Interactions& rows);

  /// The `count` items with the largest scores, without those of the user's rows of `fit` unless `known`. A user of -1,
  /// or without rows, gets what is popular. Throws StateError before `fit`, IndexError, ValueError for a count below 1.
  std::vector<Recommendation> recommend(std::int32_t user, int count, bool known = false) const;
  /// Score of each item for a user [items].
  std::vector<float> scores(std::int32_t user) const;

  /// Whether the rows of `fit` have the item of the user. Throws as `recommend`.
  bool has(std::int32_t user, std::int32_t item) const;

  const std::vector<std::string>& user_names() const { return user_names_; }
  const std::vector<std::string>& item_names() const { return item_names_; }
  /// Position of a name, -1 where it is unknown.
  std::int32_t user(std::string_view name) const;
  std::int32_t item(std::string_view name) const;

  /// Writes a safetensors file atomically. Throws StateError before `fit`, FileError.
  void save(const std::string& path) const;

 protected:
  /// Rows of one side, those of each of its members together.
  struct Side {
    std::vector<std::int64_t> begin;  // [members + 1]
    std::vector<std::int32_t> other;  // the other side's member
    std::vector<float> value;
  };
  virtual void learn(const Side& by_user, const Side& by_item) = 0;
  virtual void score(std::int32_t user, std::span<float> out) const = 0;
  virtual std::string settings() const = 0;
  virtual std::vector<std::pair<std::string, Tensor>> arrays() const = 0;

  std::int64_t users() const { return static_cast<std::int64_t>(user_names_.size()); }
  std::int64_t items() const { return static_cast<std::int64_t>(item_names_.size()); }
  void need_fitted() const;
  /// Reads names, rows and popularity of a file; returns its settings. Throws FileError, FormatError.
  std::string read(const std::string& path, std::string_view type, std::vector<std::pair<std::string, Tensor>>& arrays);

  std::vector<float> popularity_;  // rows of each item

 private:
  void index_names();
  std::vector<std::string> user_names_, item_names_;
  std::unordered_map<std::string, std::int32_t> user_index_, item_index_;
  std::vector<std::int64_t> begin_;
  std::vector<std::int32_t> rows_;  // items of each user
};

/// The same for everybody: the items with the most rows.
class TERN_API Popularity : public Recommender {
 public:
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Popularity load(const std::string& path);
  std::string_view type() const override { return "popularity"; }

 protected:
  void learn(const Side& by_user, const Side& by_item) override;
  void score(std::int32_t user, std::span<float> out) const override;
  std::string settings() const override { return "{}"; }
  std::vector<std::pair<std::string, Tensor>> arrays() const override { return {}; }
};

/// Options of Als.
struct AlsOptions {
  int factors = 64;              ///< numbers of each user and item
  double regularization = 0.05;  ///< λ; of ratings times the rows of the user or item (Zhou et al. 2008)
  int iterations = 15;           ///< over users and items
  bool implicit = false;         ///< values, from 0 on and not all 0, say how sure it is that the user likes the item
  double alpha = 1;              ///< of implicit: a value v weighs 1 + alpha v; one of 0 is not liking, as no row is
  std::uint64_t seed = 0;        ///< of the factors at the start
};

/// Alternating least squares. Of ratings, mean + bias of user + bias of item + p·q (Koren, Bell & Volinsky 2009), each
/// user's and item's part solved exactly; implicit, as Hu, Koren & Volinsky (2008), by three steps of conjugate
/// gradients (Takács, Pilászy & Tikk 2011). The same bits at any thread count.
class TERN_API Als : public Recommender {
 public:
  /// Throws ValueError for an option out of its range.
  explicit Als(AlsOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Als load(const std::string& path);
  std::string_view type() const override { return "als"; }

  const AlsOptions& options() const { return options_; }
  /// The rating of each row; an unknown user or item has no bias and no factors. Throws StateError before `fit` and for
  /// an implicit model.
  std::vector<double> predict(const Interactions& rows) const;
  /// Items whose factors point the same way: cosines. None for an item without rows. Throws as `recommend`.
  std::vector<Recommendation> similar(std::int32_t item, int count) const;

 protected:
  void learn(const Side& by_user, const Side& by_item) override;
  void score(std::int32_t user, std::span<float> out) const override;
  std::string settings() const override;
  std::vector<std::pair<std::string, Tensor>> arrays() const override;

 private:
  void learn_ratings(const Side& by_user, const Side& by_item);
  void learn_implicit(const Side& by_user, const Side& by_item);

  AlsOptions options_;
  double mean_ = 0;
  std::vector<float> user_factors_, item_factors_;  // [members * width]; width is factors, of ratings and the bias
};

/// Options of Bpr.
struct BprOptions {
  int factors = 64;
  double learning_rate = 0.05;
  double regularization = 0.01;
  int epochs = 60;         ///< of as many draws as there are rows
  std::uint64_t seed = 0;  ///< of the factors at the start and of the draws
};

/// Bayesian personalised ranking (Rendle et al. 2009): items that a user has to do with rank above others that are
/// drawn at random. One thread, so that the same seed gives the same bits; values are not looked at.
class TERN_API Bpr : public Recommender {
 public:
  /// Throws ValueError for an option out of its range.
  explicit Bpr(BprOptions options = {});
  /// Reads what `save` wrote. Throws FileError, FormatError.
  static Bpr load(const std::string& path);
  std::string_view type() const override { return "bpr"; }
  const BprOptions& options() const { return options_; }

 protected:
  void learn(const Side& by_user, const Side& by_item) override;
  void score(std::int32_t user, std::span<float> out) const override;
  std::string settings() const override;
  std::vector<std::pair<std::string, Tensor>> arrays() const override;

 private:
  BprOptions options_;
  std::vector<float> user_factors_, item_factors_;  // [users * factors], [items * (factors + 1)]: the last is a bias
};

/// Means over users of figures of their first k recommendations.
struct RankingReport {
  int k = 10;
  std::int64_t users = 0;  ///< with an item to be found
  double ndcg = 0;  ///< Σ 1 / log2(rank + 1) of what was found, over the best there is (Järvelin & Kekäläinen 2002)
  double map = 0;   ///< mean of the precisions at the ranks of what was found, over min(k, items to be found)
  double recall = 0;     ///< share that was found
  double precision = 0;  ///< share of the k
};
/// Judges the first k recommendations of each known user by the items of later rows. Those that were in the user's rows
/// of `fit`, which are never recommended, count for nothing; each row of an unknown item is one that is not found.
/// Throws StateError before `fit`, ValueError for k below 1, no user to judge by, or names that are not the model's.
TERN_API RankingReport evaluate_ranking(const Recommender& model, const Interactions& later, int k = 10);

}  // namespace tern::models
