#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <execinfo.h>
#include <link.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <utility>

#include "autograd/extras.h"
#include "autograd/node.h"
#include "slots/copy.h"
#include "tensor_loop.h"
#include "tern/autograd/autograd.h"
#include "tern/base/error.h"

namespace tern {

namespace internal {
namespace {

struct Scope {
  std::string_view label;
  const Scope* outer;
};
TERN_THREAD_STATE constinit thread_local const Scope* scope = nullptr;

std::string demangled(const char* name) {
  int status = 0;
  char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
  std::string result = status == 0 && text ? text : name;
  std::free(text);
  return result;
}

// Names of the functions of one program file, also of those that it does not export, from its symbol table if it was
// not stripped.
class Symbols {
 public:
  explicit Symbols(const char* path) {
    std::ifstream file(path, std::ios::binary);
    ElfW(Ehdr) header{};
    if (!read(file, 0, &header, sizeof header) ||
        std::string_view(reinterpret_cast<char*>(header.e_ident), 4) != "\177ELF" ||
        header.e_shentsize != sizeof(ElfW(Shdr)) || header.e_type == ET_NONE) {
      return;
    }
    shared_ = header.e_type == ET_DYN;
    std::vector<ElfW(Shdr)> sections(header.e_shnum);
    if (!read(file, header.e_shoff, sections.data(), sections.size() * sizeof(ElfW(Shdr)))) return;
    for (const auto& section : sections) {
      if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
      const auto& strings = sections[section.sh_link];
      if (section.sh_size > kMost || strings.sh_size > kMost) return;
      symbols_.resize(section.sh_size / sizeof(ElfW(Sym)));
      names_.resize(strings.sh_size + 1);
      if (!read(file, section.sh_offset, symbols_.data(), symbols_.size() * sizeof(ElfW(Sym))) ||
          !read(file, strings.sh_offset, names_.data(), strings.sh_size)) {
        symbols_.clear();
      }
      return;
    }
  }

  /// Of the function at an address, given too relative to where the file is loaded; empty when there is none.
  std::string at(std::uintptr_t address, std::uintptr_t relative) const {
    const std::uintptr_t wanted = shared_ ? relative : address;
    for (const auto& symbol : symbols_) {
      const bool function = (symbol.st_info & 15) == STT_FUNC;
      if (function && wanted - symbol.st_value < symbol.st_size && symbol.st_name < names_.size()) {
        return demangled(names_.data() + symbol.st_name);
      }
    }
    return {};
  }

 private:
  static constexpr std::size_t kMost = std::size_t{1} << 30;
  static bool read(std::ifstream& file, std::size_t offset, void* to, std::size_t bytes) {
    file.seekg(static_cast<std::streamoff>(offset));
    return static_cast<bool>(file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)));
  }
  std::vector<ElfW(Sym)> symbols_;
  std::vector<char> names_;
  bool shared_ = true;
};

}  // namespace

std::unique_ptr<CallSite> call_site() {
  auto site = std::make_unique<CallSite>();
  for (const Scope* s = scope; s; s = s->outer) {
    site->scopes.insert(0, std::string(s->label) + (site->scopes.empty() ? "" : " > "));
  }
  site->count = backtrace(site->frames, CallSite::kMost);
  return site;
}

std::string describe(const CallSite& site) {
  std::ostringstream text;
  if (!site.scopes.empty()) text << "\n  in " << site.scopes;
  std::vector<std::pair<std::string, Symbols>> files;
  std::string lines_of;  // what addr2line needs, of the program itself
  std::string program;
  for (int i = 0; i < site.count; ++i) {
    const auto address = reinterpret_cast<std::uintptr_t>(site.frames[i]) - 1;  // within the call, not behind it
    Dl_info info{};
    if (!dladdr(reinterpret_cast<void*>(address), &info) || !info.dli_fname) continue;
    const std::uintptr_t relative = address - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    std::string name = info.dli_sname ? demangled(info.dli_sname) : "";
    const std::string path = info.dli_fname;
    if (name.empty()) {
      auto file = files.begin();
      while (file != files.end() && file->first != path) ++file;
      if (file == files.end()) file = files.emplace(files.end(), path, Symbols(path.c_str()));
      name = file->second.at(address, relative);
    }
    if (name.rfind("tern::internal::", 0) == 0) continue;
    if (name == "__libc_start_main" || name == "_start" || name == "__libc_start_call_main") continue;
    std::ostringstream offset;
    offset << std::hex << "0x" << relative;
    text << "\n  at " << (name.empty() ? "?" : name) << " (" << path << "+" << offset.str() << ")";
  }
  return text.str();
}

namespace {
bool has_nan(const Tensor& t) {
  return t.defined() && is_floating(t.dtype()) && kernels::any_nan(t.device(), t.dtype(), make_loop(t));
}
[[noreturn]] void throw_nan(const std::string& op, const std::string& what, const std::string& got,
                            const std::string& where = {}) {
  throw NumericError("[" + op + "] expected " + what + " without NaN in anomaly mode, got one in " + got + where);
}
}  // namespace

void check_written(const char* op, const Tensor& x) {
  if (has_nan(x)) {
    throw_nan(op, "results", "what it wrote, of shape " + to_string(x.shape()),
              "; the op was called" + describe(*call_site()));
  }
}

void check_sum(const OpInfo& op, const Node* node, const Tensor& sum, const std::vector<const char*>& others) {
  if (!has_nan(sum)) return;
  std::string met;
  for (const char* other : others) met += std::string(other) + ", ";
  const bool known = node && node->extras && node->extras->called;
  throw_nan(op.name, "gradients",
            "the sum of those that met, of shape " + to_string(sum.shape()) + ": of " + met + "and this op",
            known ? "; the op was called" + describe(*node->extras->called) : "");
}

void check_hooked(const char* of, const Tensor& gradient) {
  if (has_nan(gradient)) {
    throw_nan("hook", "gradients",
              "what the hooks of " + std::string(of) + " left, of shape " + to_string(gradient.shape()));
  }
}

void check_anomaly(const OpInfo& op, const Tensor& x, const Node* node, const In* inputs, std::size_t count) {
  if (!has_nan(x)) return;
  bool before = false;
  for (std::size_t i = 0; i < count; ++i) before = before || has_nan(inputs[i].tensor);
  std::string where;
  if (!node) {
    where = describe(*call_site());
  } else if (node->extras && node->extras->called) {
    where = describe(*node->extras->called);
  }
  throw NumericError("[" + std::string(op.name) + "] expected " + (node ? "gradients" : "results") +
                     " without NaN in anomaly mode, got one in the " +
                     (node ? "gradient that its backward made" : "result") + " of shape " + to_string(x.shape()) +
                     (before ? " (an input already held one)" : "") +
                     (where.empty() ? "; the op was called outside anomaly mode" : "; the op was called" + where));
}

}  // namespace internal

bool is_anomaly_enabled() { return internal::thread_state.anomaly; }
AnomalyMode::AnomalyMode() : before_(std::exchange(internal::thread_state.anomaly, true)) {}
AnomalyMode::~AnomalyMode() { internal::thread_state.anomaly = before_; }

namespace {
static_assert(sizeof(internal::Scope) <= 3 * sizeof(void*));
}

CallScope::CallScope(std::string_view label) : on_(internal::thread_state.anomaly) {
  if (on_) internal::scope = new (memory_) internal::Scope{label, internal::scope};
}
CallScope::~CallScope() {
  if (on_) internal::scope = internal::scope->outer;
}

}  // namespace tern
