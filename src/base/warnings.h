#pragma once

#include <string>
#include <string_view>

#include "tern/base/error.h"

namespace tern::internal {

/// While one lives, where many models are fitted, a warning of its thread that differs from an earlier one in figures
/// alone is logged once; one of the subject `muted` not at all.
class TERN_API FewWarnings {
 public:
  explicit FewWarnings(std::string_view muted = {});
  ~FewWarnings();
  FewWarnings(const FewWarnings&) = delete;
  FewWarnings& operator=(const FewWarnings&) = delete;

 private:
  friend TERN_API void warn(std::string_view subject, std::string_view message);
  FewWarnings* outer_;
  std::string_view muted_;
  std::string said_{};  // a line a subject
};

/// Logs a warning; those of one subject are the same but for their figures.
TERN_COLD TERN_API void warn(std::string_view subject, std::string_view message);

}  // namespace tern::internal
