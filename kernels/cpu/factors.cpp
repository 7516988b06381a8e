#include "cpu/factors.h"

namespace tern::kernels::cpu {

const FactorsTable& factors_table() { return chosen(factors_tables); }

}  // namespace tern::kernels::cpu
