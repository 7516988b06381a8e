#include "cpu/vector/elementwise.h"
#include "cpu/vector/strips.h"

namespace tern::kernels::cpu::TERN_TARGET {
namespace {

template <class T>
void where_strip(const Strip& strip) {
  compute<T, T, bool, T, T>([](auto condition, auto a, auto b) { return math::select(condition, a, b); }, strip);
}

template <class T>
void clamp_strip(const Strip& strip) {
  compute<T, T, T, T, T>([](auto x, auto low, auto high) { return Clamp::forward(x, low, high); }, strip);
}

template <class T>
void bend_strip(const Strip& strip) {
  const Lane<T> factor(strip.parameter);
  compute<T, T, T, T, T>([factor](auto a, auto x, auto b) { return Bend::forward(a, x, b, factor); }, strip);
}

template <class T>
void add_scaled_strip(const Strip& strip) {
  const Lane<T> alpha(strip.parameter);
  compute<T, T, T, T>([alpha](auto a, auto b) { return a + alpha * b; }, strip, std::true_type{});
}

template <class T>
void add_product_strip(const Strip& strip) {
  compute<T, T, T, T, T>([](auto a, auto b, auto c) { return a + b * c; }, strip, std::true_type{});
}

}  // namespace

#define TERN_ARITHMETIC(name, functor, types) {&binary_strip<functor, float>, &binary_strip<functor, double>},
#define TERN_COMPARE(name, functor, types) {&compare_strip<functor, float>, &compare_strip<functor, double>},
constinit const BinaryTable binary{.arithmetic = {TERN_BINARY_LIST(TERN_ARITHMETIC)},
                                   .compare = {TERN_COMPARE_LIST(TERN_COMPARE)},
                                   .where = {&where_strip<float>, &where_strip<double>},
                                   .clamp = {&clamp_strip<float>, &clamp_strip<double>},
                                   .bend = {&bend_strip<float>, &bend_strip<double>},
                                   .add_scaled = {&add_scaled_strip<float>, &add_scaled_strip<double>},
                                   .add_product = {&add_product_strip<float>, &add_product_strip<double>}};

}  // namespace tern::kernels::cpu::TERN_TARGET
