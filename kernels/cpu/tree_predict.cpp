#include "cpu/tree_predict.h"

namespace tern::kernels::cpu {

const TreePredictTable& tree_predict_kernels() { return chosen(tree_predict_tables); }

}  // namespace tern::kernels::cpu
