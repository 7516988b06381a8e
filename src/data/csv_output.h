#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tern/data/column_builder.h"

// A column of a file while its fields are read.
namespace tern::data::internal {

// Text of one block of rows of a string column.
struct BlockText {
  std::string characters{};
  std::vector<std::int64_t> ends{};
};

// Buffers that blocks of rows fill in parallel; a block starts at a multiple of eight rows, so that no two share a
// byte.
struct CsvOutput {
  ColumnBuffers buffers{};
  std::vector<BlockText> blocks{};

  void start(ColumnType type, std::int64_t rows, std::int64_t block_count) {
    *this = CsvOutput();
    buffers.type = type;
    buffers.size = rows;
    const auto n = static_cast<std::size_t>(rows);
    buffers.validity.resize((n + 7) / 8);
    switch (type) {
      case ColumnType::f64:
        buffers.f64.resize(n);
        break;
      case ColumnType::i64:
      case ColumnType::timestamp:
        buffers.i64.resize(n);
        break;
      case ColumnType::boolean:
        buffers.bits.resize((n + 7) / 8);
        break;
      default:
        blocks.resize(static_cast<std::size_t>(block_count));
        break;
    }
  }
  Column finish() {
    if (buffers.type == ColumnType::string) {
      std::size_t total = 0;
      for (const BlockText& block : blocks) total += block.characters.size();
      buffers.characters.reserve(total);
      buffers.offsets.reserve(static_cast<std::size_t>(buffers.size) + 1);
      buffers.offsets.push_back(0);
      for (BlockText& block : blocks) {
        const auto base = static_cast<std::int64_t>(buffers.characters.size());
        buffers.characters += block.characters;
        for (const std::int64_t end : block.ends) buffers.offsets.push_back(base + end);
        block = BlockText();
      }
    }
    return Column::from_buffers(std::move(buffers));
  }
};

}  // namespace tern::data::internal
