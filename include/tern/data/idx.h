#pragma once

#include <cstdint>
#include <string>

#include "tern/base/export.h"
#include "tern/tensor/tensor.h"

namespace tern::data {

/// Reads an IDX file, the format of MNIST and its kin (LeCun, Cortes and Burges, "The MNIST database"), gzipped or not:
/// a tensor of the file's shape, u8 for unsigned bytes, i64 for the other integers, f32 or f64. Throws FileError when
/// the file cannot be read, DataError that names it when it is no IDX file, is shorter or longer than its header says,
/// is damaged, or unpacks to more than `max_bytes`.
TERN_API Tensor read_idx(const std::string& path, std::int64_t max_bytes = std::int64_t{1} << 32);

}  // namespace tern::data
