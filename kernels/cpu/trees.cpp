#include "cpu/trees.h"

namespace tern::kernels::cpu {

const TreesTable& trees_table() { return chosen(trees_tables); }

}  // namespace tern::kernels::cpu
