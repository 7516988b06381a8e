#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "tern/base/export.h"
#include "tern/data/dataset.h"

namespace tern::data {

/// Options of Loader.
struct LoaderOptions {
  std::int64_t batch_size = 64;
  bool shuffle = false;    ///< another order each epoch, the same for the same seed and epoch
  Device device{};         ///< where batches are put
  std::uint64_t seed = 0;  ///< of the order
  bool drop_last = false;  ///< leave out a last batch with fewer rows
};

/// Goes through a dataset batch by batch; each `for` over it is an epoch:
/// `for (const Batch& batch : loader) { … }`. Every batch has tensors of its own.
class TERN_API Loader {
 public:
  /// Throws ValueError when batch_size is below 1.
  explicit Loader(Dataset dataset, LoaderOptions options = {});

  const Dataset& dataset() const { return dataset_; }
  const LoaderOptions& options() const { return options_; }
  /// Batches in an epoch.
  std::int64_t batches() const;
  /// The epoch that the next `for` is; it counts from 0.
  std::int64_t epoch() const { return epoch_; }
  /// Makes the next `for` this epoch. Throws ValueError when it is negative.
  void set_epoch(std::int64_t epoch);
  /// The order of the rows in an epoch. Throws ValueError when it is negative.
  std::vector<std::int64_t> order(std::int64_t epoch) const;

  /// Steps through one epoch; the loader must outlive it.
  class TERN_API Iterator {
   public:
    using value_type = Batch;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;

    const Batch& operator*() const { return batch_; }
    const Batch* operator->() const { return &batch_; }
    Iterator& operator++();
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return at_ >= loader_->batches(); }

   private:
    friend class Loader;
    Iterator(const Loader* loader, std::vector<std::int64_t> order);
    void load();

    const Loader* loader_;
    std::shared_ptr<const std::vector<std::int64_t>> order_;
    std::int64_t at_ = 0;
    Batch batch_;
  };

  /// Begins an epoch.
  Iterator begin();
  std::default_sentinel_t end() const { return {}; }

 private:
  Dataset dataset_;
  LoaderOptions options_;
  std::int64_t epoch_ = 0;
};

}  // namespace tern::data
