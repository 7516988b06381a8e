#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tern/data/estimator.h"
#include "tern/models/model.h"
#include "tern/models/unsupervised.h"

namespace tern::models::internal {

/// An estimator's options and what it learned, name by name: written, or read back into the same variables. JSON stands
/// in fields.cpp alone.
class Fields {
 public:
  Fields();  ///< writes
  explicit Fields(const data::EstimatorState& state);
  ~Fields();
  Fields(const Fields&) = delete;
  Fields& operator=(const Fields&) = delete;

  /// Infinity is a word in JSON. Throw FormatError where it is missing or of another kind.
  void operator()(const char* name, double& value);
  void operator()(const char* name, bool& value);
  void operator()(const char* name, int& value);
  void operator()(const char* name, std::int64_t& value);
  void operator()(const char* name, std::uint64_t& value);
  /// An array, kept as a tensor [n] of f64.
  void operator()(const char* name, std::vector<double>& values);
  /// Whole numbers, as a tensor [n] of i64.
  void operator()(const char* name, std::vector<std::int64_t>& values);
  /// As it is, of finite numbers; an undefined one is left out.
  void operator()(const char* name, Tensor& value);
  /// One of several words, by its number.
  template <class Enum>
  void operator()(const char* name, Enum& value, std::span<const std::string_view> words) {
    const int found = choice(name, static_cast<int>(value), words);
    if (reading()) value = static_cast<Enum>(found);  // writing is const: nothing is assigned
  }

  /// Throws FormatError where JSON that was read has members that nothing asked for.
  void end() const;
  bool reading() const;
  std::string json() const;
  std::vector<data::NamedTensor> tensors() const;

 private:
  int choice(const char* name, int value, std::span<const std::string_view> words);
  template <class T>
  void plain(const char* name, T& value);
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes one of a class from its state.
struct Restore {
  static void read(Model& model, const data::EstimatorState& state);
  static void read(Unsupervised& model, const data::EstimatorState& state);
  template <class T>
  static std::unique_ptr<data::Estimator> make(const data::EstimatorState& state) {
    auto made = std::make_unique<T>();
    read(*made, state);
    return made;
  }
};

}  // namespace tern::models::internal
