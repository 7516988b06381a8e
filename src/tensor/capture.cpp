#include "tern/tensor/capture.h"

#include "tensor/device_runtime.h"
#include "tern/base/error.h"
#include "tern/base/random.h"

namespace tern {

namespace {
// Draws of several words start at a multiple of those (see tensor/creation.h); so they do in every replay.
void align(Generator& generator) { generator.offset = (generator.offset + 3) / 4 * 4; }
}  // namespace

CapturedStep::CapturedStep(Device device, const std::function<void()>& step, const CaptureOptions& options) {
  if (device.kind == DeviceKind::cpu) throw DeviceError("[capture] expected a GPU, got cpu");
  internal::DeviceRuntime& runtime = internal::runtime(device);
  for (int i = 0; i < options.warm_up; ++i) step();
  align(default_generator());
  const Generator before = default_generator();
  first_ = before.offset;
  runtime.begin_recording(device.index);
  try {
    step();
    recorded_ = runtime.end_recording(device.index);
  } catch (...) {
    runtime.abandon_recording(device.index);
    throw;
  }
  words_ = default_generator().offset - first_;
  default_generator() = before;  // nothing was drawn yet
}

CapturedStep::~CapturedStep() = default;
CapturedStep::CapturedStep(CapturedStep&&) noexcept = default;
CapturedStep& CapturedStep::operator=(CapturedStep&&) noexcept = default;

void CapturedStep::replay() {
  if (!recorded_) throw StateError("[replay] expected a captured step, got one that was moved from");
  Generator& generator = default_generator();
  align(generator);
  recorded_->replay(generator.reserve(words_) - first_);
}

}  // namespace tern
