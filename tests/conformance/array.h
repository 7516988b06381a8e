#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

// What the references compute with: plain row-major arrays of doubles and loops over indices, nothing of Tern.
namespace conformance {

using Index = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

struct Array {
  Index sizes{};
  Numbers values{};

  std::int64_t count() const { return static_cast<std::int64_t>(values.size()); }
  double operator[](std::int64_t i) const { return values[static_cast<std::size_t>(i)]; }
  /// The element at an index of as many or more dimensions: leading ones are skipped, sizes of 1 repeat.
  double at(const Index& index) const {
    const std::int64_t* from = index.data() + (index.size() - sizes.size());
    std::int64_t offset = 0;
    for (const std::int64_t size : sizes) {
      const std::int64_t i = *from++;
      offset = offset * size + (size == 1 ? 0 : i);
    }
    return values.data()[offset];
  }
};

using Arrays = std::vector<Array>;

inline std::int64_t product(const Index& sizes) {
  std::int64_t count = 1;
  for (std::int64_t size : sizes) count *= size;
  return count;
}

/// The array whose element at each index is f(index).
template <class F>
Array build(const Index& sizes, F f) {
  const std::int64_t count = product(sizes);
  Array out{sizes, Numbers(static_cast<std::size_t>(count))};
  double* to = out.values.data();
  Index index(sizes.size(), 0);
  for (std::int64_t i = 0; i < count; ++i) {
    *to++ = f(std::as_const(index));
    std::int64_t* at = index.data();
    for (std::size_t d = sizes.size(); d-- > 0;) {
      if (++at[d] < sizes[d]) break;
      at[d] = 0;
    }
  }
  return out;
}

template <class F>
Array map(const Array& a, F f) {
  Array out{a.sizes, Numbers(a.values.size())};
  double* to = out.values.data();
  for (const double x : a.values) *to++ = f(x);
  return out;
}

inline Index broadcast(const Index& a, const Index& b) {
  Index out(std::max(a.size(), b.size()), 1);
  for (std::size_t d = 0; d < out.size(); ++d) {
    const auto size = [&](const Index& s) {
      return d + s.size() < out.size() ? std::int64_t{1} : s[d + s.size() - out.size()];
    };
    if (size(a) != size(b) && size(a) != 1 && size(b) != 1) throw std::logic_error("reference: no broadcast");
    out[d] = size(a) == 1 ? size(b) : size(a);
  }
  return out;
}

/// f(a, b) with broadcasting.
template <class F>
Array zip(const Array& a, const Array& b, F f) {
  return build(broadcast(a.sizes, b.sizes), [&](const Index& i) { return f(a.at(i), b.at(i)); });
}

/// f of the elements along `dims` (all when empty), in logical order.
template <class F>
Array reduce(const Array& a, const std::vector<int>& dims, bool keep, F f) {
  std::vector<bool> over(a.sizes.size(), dims.empty());
  for (int d : dims) over[static_cast<std::size_t>(d < 0 ? d + static_cast<int>(a.sizes.size()) : d)] = true;
  Array out;
  Index steps(a.sizes.size(), 0);
  std::int64_t outputs = 1;
  for (std::size_t d = a.sizes.size(); d-- > 0;) {
    if (over[d]) continue;
    steps[d] = outputs;
    outputs *= a.sizes[d];
  }
  for (std::size_t d = 0; d < over.size(); ++d) {
    if (!over[d] || keep) out.sizes.push_back(over[d] ? 1 : a.sizes[d]);
  }
  std::vector<Numbers> terms(static_cast<std::size_t>(outputs));
  for (Numbers& each : terms) each.reserve(a.values.size() / terms.size());
  std::size_t next = 0;
  build(a.sizes, [&](const Index& i) {
    std::int64_t output = 0;
    for (std::size_t d = 0; d < i.size(); ++d) output += i[d] * steps[d];
    terms[static_cast<std::size_t>(output)].push_back(a.values[next++]);
    return 0.0;
  });
  for (const Numbers& each : terms) out.values.push_back(f(each));
  return out;
}

inline double total(const Numbers& terms) {
  long double sum = 0;  // many terms may cancel
  for (double x : terms) sum += x;
  return static_cast<double>(sum);
}

inline Array single(double value) { return {{}, {value}}; }

}  // namespace conformance
