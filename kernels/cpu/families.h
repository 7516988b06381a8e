#pragma once

// One registration a family; register.cpp calls them all.
namespace tern::kernels::cpu {

void register_unary();
void register_binary();
void register_copy();
void register_reduce();
void register_gemm();
void register_softmax();
void register_loss();
void register_index();
void register_sort();
void register_norm();
void register_random();
void register_optimizer();
void register_special();

}  // namespace tern::kernels::cpu
