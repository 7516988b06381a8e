#include "tern/tensor/capture.h"

#include <string>
#include <utility>

#include "tensor/device_runtime.h"
#include "tensor/impl.h"
#include "tensor/thread_state.h"
#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern {

namespace {
// Draws of several words start at a multiple of those (see tensor/creation.h); so they do in every replay.
void align(Generator& generator) { generator.offset = (generator.offset + 3) / 4 * 4; }

// Notes what is written in place.
struct Noting {
  explicit Noting(std::vector<Tensor>& written) : before(std::exchange(internal::thread_state.written, &written)) {}
  ~Noting() { internal::thread_state.written = before; }
  Noting(const Noting&) = delete;
  Noting& operator=(const Noting&) = delete;
  std::vector<Tensor>* before;
};

std::string start_of(std::uint64_t seed, std::uint64_t stream) {
  return "seed " + std::to_string(seed) + " and stream " + std::to_string(stream);
}
}  // namespace

CapturedStep::CapturedStep(Device device, const std::function<void()>& step, const CaptureOptions& options) {
  if (device.kind == DeviceKind::cpu) throw DeviceError("[capture] expected a GPU, got cpu");
  internal::DeviceRuntime& runtime = internal::runtime(device);
  for (int i = 0; i < options.warm_up; ++i) step();
  align(default_generator());
  const Generator before = default_generator();
  seed_ = before.seed;
  stream_ = before.stream;
  first_ = before.offset;
  std::vector<Tensor> written;
  runtime.begin_recording(device.index);
  try {
    const Noting noting(written);
    step();
    recorded_ = runtime.end_recording(device.index);
  } catch (...) {
    runtime.abandon_recording(device.index);
    throw;
  }
  recorded_->written = std::move(written);
  words_ = default_generator().offset - first_;
  default_generator() = before;  // nothing was drawn yet
}

CapturedStep::~CapturedStep() = default;
CapturedStep::CapturedStep(CapturedStep&&) noexcept = default;
CapturedStep& CapturedStep::operator=(CapturedStep&&) noexcept = default;

void CapturedStep::replay() {
  if (!recorded_) throw StateError("[replay] expected a captured step, got one that was moved from");
  Generator& generator = default_generator();
  if (words_ > 0 && (generator.seed != seed_ || generator.stream != stream_)) {
    throw StateError("[replay] expected the generator to have " + start_of(seed_, stream_) +
                     ", from which the captured step draws, got " + start_of(generator.seed, generator.stream));
  }
  align(generator);
  for (const Tensor& x : recorded_->written) x.impl()->storage->count_write();
  recorded_->replay(generator.reserve(words_) - first_);
}

}  // namespace tern
