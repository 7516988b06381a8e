#include "functors/special.h"

#include "cpu/elementwise.h"
#include "cpu/families.h"
#include "slots/elementwise.h"

namespace tern::kernels::cpu {
namespace {

[[gnu::noinline]] double value(const special::Function& f, double x) { return f(x); }

template <class T>
void kernel(const Loop& loop, std::int64_t order) {
  const special::Function f(order);
  map1<T, T>(loop, [&f](T x) { return static_cast<T>(value(f, static_cast<double>(x))); });
}

}  // namespace

void register_special() {
  special_function.set(DeviceKind::cpu, f32, &kernel<float>);
  special_function.set(DeviceKind::cpu, f64, &kernel<double>);
}

}  // namespace tern::kernels::cpu
