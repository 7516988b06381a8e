#include "tern/data/loader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern::data {
namespace {

constexpr std::uint64_t kOrderStream = std::uint64_t{0x10AD} << 32;  // plus the epoch; apart from other uses of a seed

void check_epoch(std::int64_t epoch) {
  if (epoch < 0) throw ValueError("[Loader] expected an epoch of at least 0, got " + std::to_string(epoch));
}

}  // namespace

Loader::Loader(Dataset dataset, LoaderOptions options) : dataset_(std::move(dataset)), options_(options) {
  if (options.batch_size < 1) {
    throw ValueError("[Loader] expected batch_size of at least 1, got " + std::to_string(options.batch_size));
  }
}

std::int64_t Loader::batches() const {
  const std::int64_t whole = dataset_.rows() / options_.batch_size;
  return whole + (!options_.drop_last && dataset_.rows() % options_.batch_size != 0);
}

void Loader::set_epoch(std::int64_t epoch) {
  check_epoch(epoch);
  epoch_ = epoch;
}

std::vector<std::int64_t> Loader::order(std::int64_t epoch) const {
  check_epoch(epoch);
  if (options_.shuffle) {
    return permutation(dataset_.rows(), Philox(options_.seed, kOrderStream + static_cast<std::uint64_t>(epoch)));
  }
  std::vector<std::int64_t> rows(static_cast<std::size_t>(dataset_.rows()));
  std::iota(rows.begin(), rows.end(), std::int64_t{0});
  return rows;
}

Loader::Iterator Loader::begin() { return Iterator(this, order(epoch_++)); }

Loader::Iterator::Iterator(const Loader* loader, std::vector<std::int64_t> order)
    : loader_(loader), order_(std::make_shared<const std::vector<std::int64_t>>(std::move(order))) {
  load();
}

Loader::Iterator& Loader::Iterator::operator++() {
  ++at_;
  load();
  return *this;
}

void Loader::Iterator::load() {
  if (at_ >= loader_->batches()) {
    batch_ = Batch();
    return;
  }
  const std::span<const std::int64_t> all(*order_);
  const auto begin = static_cast<std::size_t>(at_ * loader_->options_.batch_size);
  batch_ = loader_->dataset_.batch(
      all.subspan(begin, std::min(static_cast<std::size_t>(loader_->options_.batch_size), all.size() - begin)));
  if (loader_->options_.device != cpu()) batch_ = batch_.to(loader_->options_.device);
}

}  // namespace tern::data
