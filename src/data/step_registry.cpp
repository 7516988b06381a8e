#include <map>
#include <mutex>
#include <utility>

#include "data/step_base.h"

namespace tern::data {
namespace {

using internal::Json;

struct Registry {
  std::mutex mutex{};
  std::map<std::string, StepLoader, std::less<>> loaders{};
};

// The built-in steps, named here so that no linker drops one.
Registry& registry() {
  static Registry& instance = *[] {
    auto* made = new Registry;
    const auto add = [made](const char* name, StepPtr (*load)(const Json&)) {
      made->loaders[name] = [name, load](std::string_view text) {
        return load(tern::internal::parse_json(text, name));
      };
    };
    add("clip", internal::load_clip);
    add("date_parts", internal::load_date_parts);
    add("drop", internal::load_drop);
    add("impute", internal::load_impute);
    add("keep", internal::load_keep);
    add("log", internal::load_log);
    add("min_max", internal::load_min_max);
    add("missing_indicator", internal::load_missing_indicator);
    add("normalize_formats", internal::load_normalize_formats);
    add("one_hot", internal::load_one_hot);
    add("ordinal", internal::load_ordinal);
    add("robust", internal::load_robust);
    add("standardize", internal::load_standardize);
    add("target_encoding", internal::load_target_encoding);
    return made;
  }();
  return instance;
}

}  // namespace

void register_step(std::string type, StepLoader loader) {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  if (!loader) throw ValueError("[register_step] expected a loader for \"" + type + "\", got an empty function");
  if (!known.loaders.emplace(type, std::move(loader)).second) {
    throw ValueError("[register_step] expected a new type, got \"" + type + "\" again");
  }
}

StepPtr load_step(std::string_view type, std::string_view json) {
  StepLoader loader;
  {
    Registry& known = registry();
    const std::lock_guard lock(known.mutex);
    const auto found = known.loaders.find(type);
    if (found == known.loaders.end()) {
      std::string names;
      for (const auto& [name, unused] : known.loaders) names += (names.empty() ? "" : ", ") + name;
      throw FormatError("[load_step] expected one of " + names + " (or a type given to register_step), got \"" +
                        std::string(type) + "\"");
    }
    loader = found->second;
  }
  try {
    return loader(json);
  } catch (const ValueError& error) {  // an option outside its values is damage here, not a mistake of the caller
    throw FormatError(std::string("[load_step] ") + error.what());
  }
}

}  // namespace tern::data
