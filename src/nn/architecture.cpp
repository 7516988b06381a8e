#include "tern/nn/architecture.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <typeinfo>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/number_text.h"
#include "nn/fields.h"
#include "nn/take_over.h"
#include "tern/autograd/autograd.h"
#include "tern/base/random.h"
#include "tern/nn/containers.h"

namespace tern::nn {

namespace {

using tern::internal::json_text;
using tern::internal::OrderedJson;
// Members keep their order: the options of a module are recorded as it gives them.
using Json = OrderedJson;

constexpr const char* kWhere = "architecture";
constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxMembers = 256;
constexpr const char* kReserved[] = {"format", "dtype", "tied", "name", "type", "parts"};

bool is_reserved(std::string_view key) {
  for (const char* reserved : kReserved) {
    if (key == reserved) return true;
  }
  return false;
}

// One of Tern's own types.
struct OwnType {
  const char* name;
  bool (*is)(const Module& module);  // exactly this type, not one derived from it
  std::unique_ptr<Module> (*make)(const Attributes& attributes);
  std::int64_t (*num_parameters)(const Attributes& attributes);  // null: none
  enum class Parts { none, numbered, named } parts = Parts::none;
};

template <class M>
bool is_exactly(const Module& module) {
  return typeid(module) == typeid(M);
}

template <class M>
std::unique_ptr<Module> make_plain(const Attributes& attributes) {
  if (!attributes.values().empty()) {
    throw FormatError("[attributes] expected no option \"" + attributes.values().front().first + "\", got one");
  }
  return std::make_unique<M>();
}

template <class M, class Options>
std::unique_ptr<Module> make_with(const Attributes& attributes) {
  return std::make_unique<M>(internal::from_attributes<Options>(attributes));
}

std::int64_t linear_parameters(const Attributes& attributes) {
  const auto options = internal::from_attributes<LinearOptions>(attributes);
  std::int64_t count = 0;
  if (options.in < 1 || options.out < 1 || __builtin_mul_overflow(options.in, options.out, &count) ||
      __builtin_add_overflow(count, options.bias ? options.out : 0, &count)) {
    throw FormatError("[linear] expected positive sizes that can be indexed, got in " + std::to_string(options.in) +
                      ", out " + std::to_string(options.out));
  }
  return count;
}

std::int64_t embedding_parameters(const Attributes& attributes) {
  const auto options = internal::from_attributes<EmbeddingOptions>(attributes);
  std::int64_t count = 0;
  if (options.count < 1 || options.width < 1 || __builtin_mul_overflow(options.count, options.width, &count)) {
    throw FormatError("[embedding] expected positive sizes that can be indexed, got count " +
                      std::to_string(options.count) + ", width " + std::to_string(options.width));
  }
  return count;
}

std::int64_t prelu_parameters(const Attributes& attributes) {
  const auto options = internal::from_attributes<PreluOptions>(attributes);
  if (options.count < 1) throw FormatError("[prelu] expected a positive count, got " + std::to_string(options.count));
  return options.count;
}

// The limit on parameters is checked before anything is made.
template <class Options>
std::int64_t norm_parameters(const Attributes& attributes) {
  const auto options = internal::from_attributes<Options>(attributes);
  const auto count = internal::elements(options.shape);
  if (!count) {
    throw FormatError("[norm] expected sizes of at least 1, at most 2^40 elements, got " + to_string(options.shape));
  }
  if (!options.affine) return 0;
  if constexpr (requires { options.bias; }) return options.bias ? 2 * *count : *count;
  return *count;
}

std::unique_ptr<Module> make_gelu(const Attributes& attributes) {
  return attributes.values().empty() ? std::make_unique<Gelu>() : make_with<Gelu, GeluOptions>(attributes);
}

constexpr OwnType kOwnTypes[] = {
    {"Linear", is_exactly<Linear>, make_with<Linear, LinearOptions>, linear_parameters},
    {"Relu", is_exactly<Relu>, make_plain<Relu>, nullptr},
    {"Tanh", is_exactly<Tanh>, make_plain<Tanh>, nullptr},
    {"Sigmoid", is_exactly<Sigmoid>, make_plain<Sigmoid>, nullptr},
    {"Gelu", is_exactly<Gelu>, make_gelu, nullptr},
    {"Silu", is_exactly<Silu>, make_plain<Silu>, nullptr},
    {"Softplus", is_exactly<Softplus>, make_plain<Softplus>, nullptr},
    {"LeakyRelu", is_exactly<LeakyRelu>, make_with<LeakyRelu, LeakyReluOptions>, nullptr},
    {"Relu6", is_exactly<Relu6>, make_plain<Relu6>, nullptr},
    {"Selu", is_exactly<Selu>, make_plain<Selu>, nullptr},
    {"Hardsigmoid", is_exactly<Hardsigmoid>, make_plain<Hardsigmoid>, nullptr},
    {"Hardswish", is_exactly<Hardswish>, make_plain<Hardswish>, nullptr},
    {"Mish", is_exactly<Mish>, make_plain<Mish>, nullptr},
    {"Softsign", is_exactly<Softsign>, make_plain<Softsign>, nullptr},
    {"LogSigmoid", is_exactly<LogSigmoid>, make_plain<LogSigmoid>, nullptr},
    {"Elu", is_exactly<Elu>, make_with<Elu, EluOptions>, nullptr},
    {"Celu", is_exactly<Celu>, make_with<Celu, CeluOptions>, nullptr},
    {"Hardtanh", is_exactly<Hardtanh>, make_with<Hardtanh, HardtanhOptions>, nullptr},
    {"Threshold", is_exactly<Threshold>, make_with<Threshold, ThresholdOptions>, nullptr},
    {"Softmax", is_exactly<Softmax>, make_with<Softmax, SoftmaxOptions>, nullptr},
    {"Glu", is_exactly<Glu>, make_with<Glu, GluOptions>, nullptr},
    {"LogSoftmax", is_exactly<LogSoftmax>, make_with<LogSoftmax, SoftmaxOptions>, nullptr},
    {"Prelu", is_exactly<Prelu>, make_with<Prelu, PreluOptions>, prelu_parameters},
    {"Embedding", is_exactly<Embedding>, make_with<Embedding, EmbeddingOptions>, embedding_parameters},
    {"LayerNorm", is_exactly<LayerNorm>, make_with<LayerNorm, LayerNormOptions>, norm_parameters<LayerNormOptions>},
    {"RmsNorm", is_exactly<RmsNorm>, make_with<RmsNorm, RmsNormOptions>, norm_parameters<RmsNormOptions>},
    {"Dropout", is_exactly<Dropout>, make_with<Dropout, DropoutOptions>, nullptr},
    {"Identity", is_exactly<Identity>, make_plain<Identity>, nullptr},
    {"Flatten", is_exactly<Flatten>, make_with<Flatten, FlattenOptions>, nullptr},
    {"Sequential", is_exactly<Sequential>, make_plain<Sequential>, nullptr, OwnType::Parts::numbered},
    {"Sum", is_exactly<Sum>, make_plain<Sum>, nullptr, OwnType::Parts::numbered},
    {"ModuleList", is_exactly<ModuleList>, make_plain<ModuleList>, nullptr, OwnType::Parts::numbered},
    {"ModuleDict", is_exactly<ModuleDict>, make_plain<ModuleDict>, nullptr, OwnType::Parts::named},
};

const OwnType* own_type(std::string_view name) {
  for (const OwnType& type : kOwnTypes) {
    if (name == type.name) return &type;
  }
  return nullptr;
}

// The JSON of one module, without the members that stand at the root alone.
Json describe(const Module& module) {
  const std::string type(module.type_name());
  if (const OwnType* own = own_type(type); own && !own->is(module)) {
    throw ValueError("[architecture] expected a module of your own to have a name of its own (TERN_MODULE), got \"" +
                     type + "\", which is Tern's");
  }
  Json node = Json::object();
  node["type"] = type;
  const Attributes attributes = module.attributes();
  for (const auto& [key, value] : attributes.values()) {
    if (is_reserved(key)) throw ValueError("[architecture] expected another name than \"" + key + "\" for an option");
    if (const double* real = std::get_if<double>(&value); real && !std::isfinite(*real)) {
      throw ValueError("[architecture] expected a finite option \"" + key + "\", got " +
                       tern::internal::number_text(*real));
    }
    std::visit([&, &name = key](const auto& v) { node[name] = v; }, value);
  }
  Json parts = Json::array();
  for (const Part& part : const_cast<Module&>(module).parts()) {
    if (!part.module) continue;
    Json child = Json::object();
    child["name"] = part.name;
    child.update(describe(*part.module));
    parts.push_back(std::move(child));
  }
  if (!parts.empty()) node["parts"] = std::move(parts);
  return node;
}

// Names of each parameter that has more than one.
std::vector<std::vector<std::string>> tied_names(const Module& module) {
  std::vector<std::vector<std::string>> groups;
  std::unordered_map<const void*, std::size_t> group_of;
  for (auto& [name, p] : all_named_parameters(module)) {
    const auto [at, added] = group_of.try_emplace(p.impl(), groups.size());
    if (added) groups.emplace_back();
    groups[at->second].push_back(std::move(name));
  }
  std::erase_if(groups, [](const auto& names) { return names.size() < 2; });
  return groups;
}

// Where the parameters stand, by name.
void find_slots(Module& module, const std::string& prefix, std::unordered_map<std::string, Tensor*>& slots) {
  for (const Part& part : module.parts()) {
    if (part.module) {
      find_slots(*part.module, prefix + part.name + ".", slots);
    } else if (part.parameter->defined()) {
      slots[prefix + part.name] = part.parameter;
    }
  }
}

class Builder {
 public:
  Builder(const ModuleRegistry& extra, const ArchitectureLimits& limits) : extra_(extra), limits_(limits) {}

  // Checks types, options and sizes of the whole tree before any part of it is made.
  void check(const Json& node, int depth) {
    if (depth > limits_.max_depth) fail("modules at most " + std::to_string(limits_.max_depth) + " deep", "more");
    if (++modules_ > limits_.max_modules) fail("at most " + std::to_string(limits_.max_modules) + " modules", "more");
    if (!node.is_object()) fail("a module as an object", node.type_name());
    const std::string type = string_at(node, "type");
    const Attributes options = attributes(node, depth == 0);
    const OwnType* own = own_type(type);
    if (!own && !extra_.find(type)) {
      fail("a type that Tern or the given registry can make",
           "\"" + type + "\"; hand over how to make it: ModuleRegistry().add(\"" + type +
               "\", [](const nn::Attributes&) { return std::make_unique<" + type + ">(); })");
    }
    if (own && own->num_parameters) {
      const std::int64_t count = own->num_parameters(options);
      if (count > limits_.max_parameters - parameters_) {
        fail("at most " + std::to_string(limits_.max_parameters) + " parameters", "more");
      }
      parameters_ += count;
    }
    const auto parts = node.find("parts");
    if (parts == node.end()) return;
    if (!parts->is_array() || (own && own->parts == OwnType::Parts::none))
      fail("parts as an array, in a container", "\"parts\" of " + type);
    for (const Json& part : *parts) {
      check_inner(part, own == nullptr, depth + 1);
    }
  }

  std::unique_ptr<Module> make(const Json& node, bool root) {
    const std::string type = string_at(node, "type");
    const Attributes options = attributes(node, root);
    if (const OwnType* own = own_type(type)) {
      std::unique_ptr<Module> module = own->make(options);
      if (!node.contains("parts")) return module;
      if (own->parts == OwnType::Parts::named) {
        for (const Json& part : node["parts"]) {
          static_cast<ModuleDict&>(*module).insert(string_at(part, "name"), make(part, false));
        }
        return module;
      }
      auto& container = static_cast<Container&>(*module);
      for (const Json& part : node["parts"]) {
        const std::string name = string_at(part, "name");
        if (name != std::to_string(container.size())) fail("part \"" + std::to_string(container.size()) + "\"", name);
        container.append(make(part, false));
      }
      return module;
    }
    std::unique_ptr<Module> module = (*extra_.find(type))(options);
    if (!module) fail("a module from the factory of \"" + type + "\"", "none");
    Json recorded = node, made = describe(*module);
    for (const char* key : {"name", "format", "dtype", "tied"}) recorded.erase(key);
    if (Sorted(recorded) != Sorted(made)) {
      fail("the factory of \"" + type + "\" to make " + shortened(recorded), shortened(made));
    }
    return module;
  }

  [[noreturn]] static void fail(const std::string& expected, const std::string& got) {
    throw FormatError("[" + std::string(kWhere) + "] expected " + expected + ", got " + got);
  }
  static std::string string_at(const Json& node, const char* key) {
    const auto found = node.find(key);
    if (found == node.end() || !found->is_string()) fail("a string \"" + std::string(key) + "\"", "none");
    return found->get<std::string>();
  }

 private:
  // Compared without regard to the order of members.
  using Sorted = tern::internal::Json;

  // What stands within a module that a factory makes is the factory's own: it is only counted, and compared afterwards.
  void check_inner(const Json& node, bool in_factory, int depth) {
    if (!in_factory) return check(node, depth);
    if (depth > limits_.max_depth) fail("modules at most " + std::to_string(limits_.max_depth) + " deep", "more");
    if (++modules_ > limits_.max_modules) fail("at most " + std::to_string(limits_.max_modules) + " modules", "more");
    if (!node.is_object()) fail("a module as an object", node.type_name());
    const auto parts = node.find("parts");
    if (parts == node.end()) return;
    if (!parts->is_array()) fail("parts as an array", parts->type_name());
    for (const Json& part : *parts) check_inner(part, true, depth + 1);
  }

  static std::int64_t integer(const std::string& key, const Json& value) {
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>()))) {
      fail("an integer of 64 bits as \"" + key + "\"", json_text(value));
    }
    return value.get<std::int64_t>();
  }
  static std::vector<std::int64_t> integers(const std::string& key, const Json& list) {
    if (list.size() > kMaxMembers)
      fail("at most " + std::to_string(kMaxMembers) + " integers as \"" + key + "\"", "more");
    std::vector<std::int64_t> values;
    for (const Json& value : list) values.push_back(integer(key, value));
    return values;
  }

  static Attributes attributes(const Json& node, bool root) {
    Attributes attributes;
    if (node.size() > kMaxMembers) fail("at most " + std::to_string(kMaxMembers) + " members of a module", "more");
    for (const auto& [key, value] : node.items()) {
      const bool at_root = key == "format" || key == "dtype" || key == "tied";
      if (at_root && !root) fail("\"" + key + "\" at the root alone", "it within a part");
      if (is_reserved(key)) continue;
      if (value.is_boolean()) {
        attributes.set(key, value.get<bool>());
      } else if (value.is_number_integer()) {
        attributes.set(key, integer(key, value));
      } else if (value.is_number_float()) {
        attributes.set(key, value.get<double>());
      } else if (value.is_string()) {
        attributes.set(key, value.get<std::string>());
      } else if (value.is_array()) {
        attributes.set(key, integers(key, value));
      } else {
        fail("a boolean, number, string or list of integers as \"" + key + "\"", value.type_name());
      }
    }
    return attributes;
  }

  static std::string shortened(const Json& node) {
    std::string text = json_text(node);
    if (text.size() > 300) text.replace(300, std::string::npos, "…");
    return text;
  }

  const ModuleRegistry& extra_;
  const ArchitectureLimits& limits_;
  std::int64_t modules_ = 0, parameters_ = 0;
};

void tie(Module& module, const Json& groups) {
  if (!groups.is_array()) Builder::fail("\"tied\" as an array of arrays of names", groups.type_name());
  std::unordered_map<std::string, Tensor*> slots;
  find_slots(module, "", slots);
  for (const Json& group : groups) {
    if (!group.is_array()) Builder::fail("tied names as an array", group.type_name());
    Tensor* first = nullptr;
    for (const Json& entry : group) {
      if (!entry.is_string()) Builder::fail("the name of a parameter", entry.type_name());
      const auto found = slots.find(entry.get<std::string>());
      if (found == slots.end()) Builder::fail("the name of a parameter", "\"" + entry.get<std::string>() + "\"");
      if (!first) {
        first = found->second;
      } else if (found->second->shape() != first->shape()) {
        Builder::fail("tied parameters of one shape",
                      to_string(first->shape()) + " and " + to_string(found->second->shape()));
      } else {
        *found->second = *first;
      }
    }
  }
}

// The recorded order of members matters to nobody but a reader: bounded parsing is that of every file.
Json parse(std::string_view text) {
  if (text.size() > kMaxBytes)
    Builder::fail("at most " + std::to_string(kMaxBytes) + " bytes", std::to_string(text.size()));
  return Json(tern::internal::parse_json(text, kWhere));
}

}  // namespace

ModuleRegistry::ModuleRegistry() = default;
ModuleRegistry::ModuleRegistry(const ModuleRegistry& other) = default;
ModuleRegistry::ModuleRegistry(ModuleRegistry&& other) noexcept = default;
ModuleRegistry& ModuleRegistry::operator=(const ModuleRegistry& other) = default;
ModuleRegistry& ModuleRegistry::operator=(ModuleRegistry&& other) noexcept = default;
ModuleRegistry::~ModuleRegistry() = default;

ModuleRegistry& ModuleRegistry::add(std::string type, Factory make) {
  if (type.empty() || !make) throw ValueError("[module_registry] expected a name and a factory, got an empty one");
  if (own_type(type) || find(type)) {
    throw ValueError("[module_registry] expected a new name, got \"" + type + "\", which is taken");
  }
  factories_.emplace_back(std::move(type), std::move(make));
  return *this;
}

const ModuleRegistry::Factory* ModuleRegistry::find(std::string_view type) const {
  for (const auto& [name, make] : factories_) {
    if (name == type) return &make;
  }
  return nullptr;
}

namespace {
// `dtype` may be left out: f32.
std::string written(const Module& module, std::optional<DType> dtype) {
  Json root = Json::object();
  root["format"] = 1;
  if (dtype) root["dtype"] = name(*dtype);
  root.update(describe(module));
  if (const auto tied = tied_names(module); !tied.empty()) root["tied"] = tied;
  return json_text(root);
}
}  // namespace

std::string architecture(const Module& module) {
  const std::vector<Tensor> parameters = module.parameters();
  std::optional<DType> dtype;
  if (!parameters.empty()) {
    dtype = parameters[0].dtype();
    for (const Tensor& p : parameters) {
      if (p.dtype() != dtype) {
        throw ValueError("[architecture] expected parameters of one type, got " + std::string(name(*dtype)) + " and " +
                         std::string(name(p.dtype())));
      }
    }
  }
  return written(module, dtype);
}

std::unique_ptr<Module> make_module(std::string_view json, const ModuleRegistry& extra,
                                    const ArchitectureLimits& limits) {
  const Json root = parse(json);
  if (!root.is_object()) Builder::fail("an object", root.type_name());
  const auto format = root.find("format");
  if (format == root.end() || *format != 1) {
    Builder::fail("format 1", format == root.end() ? "none" : format->dump());
  }
  DType dtype = f32;
  if (root.contains("dtype")) {
    const std::string wanted = Builder::string_at(root, "dtype");
    const DType allowed[] = {f32, f64, f16, bf16};
    const DType* found = std::find_if(allowed, std::end(allowed), [&](DType d) { return wanted == name(d); });
    if (found == std::end(allowed)) Builder::fail("dtype f32, f64, f16 or bf16", "\"" + wanted + "\"");
    dtype = *found;
  }
  Builder builder(extra, limits);
  builder.check(root, 0);
  GeneratorScope scope(default_generator());
  std::unique_ptr<Module> module;
  try {
    module = builder.make(root, true);
  } catch (const ValueError& error) {
    throw FormatError(error.what());  // an option of the file outside its allowed values
  }
  module->to(dtype);
  if (const auto tied = root.find("tied"); tied != root.end()) tie(*module, *tied);
  return module;
}

std::unique_ptr<Module> clone(const Module& module, const ModuleRegistry& extra) {
  constexpr std::int64_t unlimited = std::int64_t{1} << 62;
  std::unique_ptr<Module> copy =
      make_module(written(module, {}), extra, {.max_parameters = unlimited, .max_modules = unlimited});
  const NamedTensors from = module.named_parameters();
  const NamedTensors to = copy->named_parameters();
  for (std::size_t i = 0; i < std::max(from.size(), to.size()); ++i) {
    if (i >= from.size() || i >= to.size() || from[i].first != to[i].first ||
        from[i].second.shape() != to[i].second.shape()) {
      throw FormatError("[clone] expected the same parameters from the factory, got others at number " +
                        std::to_string(i));
    }
    NoGrad no_grad;
    Tensor target = to[i].second;
    internal::take_over(target, from[i].second.detach().clone());  // with its type and its device
    target.requires_grad_(from[i].second.requires_grad());
  }
  const auto from_modules = module.modules();
  const auto to_modules = copy->modules();
  for (std::size_t i = 0; i < to_modules.size(); ++i) {
    // Depth first, so the parts of i are set again by their own entries.
    to_modules[i]->train(from_modules[i]->is_training());
  }
  return copy;
}

}  // namespace tern::nn
