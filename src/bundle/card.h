#pragma once

#include <string>

#include "bundle/state.h"

namespace tern::internal {

/// What the model card is made of.
struct CardFacts {
  const train::Task& task;
  const data::Pipeline& pipeline;
  const Provenance& provenance;
  const std::vector<LedgerEntry>& ledger;
  const std::string& validation;
  const std::string& test;
  bool module = true;
  std::string model{};  ///< what it is, a line: its parameters, or an estimator's type
};

/// README.md: a model card with Hugging Face's front matter, of facts that the bundle holds.
std::string model_card(const CardFacts& facts);

}  // namespace tern::internal
