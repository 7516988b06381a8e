#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/number_text.h"
#include "tern/base/error.h"
#include "tern/base/file.h"
#include "tern/trees/formats.h"
#include "trees/flat.h"
#include "trees/foreign.h"

// LightGBM's text models (its src/io/tree.cpp and src/boosting/gbdt_model_text.cpp): `key=value` lines, a block a tree.
// Inner nodes and leaves are numbered as here. decision_type: bit 0 categorical, bit 1 missing values go left, bits 2-3
// the missing type. A number is missing as its type says (0: never, a NaN counts as 0; 1: zero and NaN; 2: NaN); a code
// that is missing or in no set goes right. Before any of this, numbers of magnitude up to 1e-35f become 0.
namespace tern::trees {
namespace {

using tern::internal::Json;

constexpr unsigned kCategorical = 1, kMissingLeft = 2;
enum class Missing : unsigned { none = 0, zero = 1, nan = 2 };

const std::string kLightgbm = "lightgbm";

[[noreturn]] TERN_COLD void bad_lightgbm(const std::string& expected) {
  throw FormatError("[lightgbm] expected " + expected);
}

// ---- Reading.

std::string_view next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    if (text.empty()) return found;
    const std::size_t end = std::min(text.find(' '), text.size());
    found.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

template <class T>
T number(std::string_view text, const std::string& key) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    bad_lightgbm("numbers in range in \"" + key + "\", got \"" + std::string(text.substr(0, 40)) + "\"");
  }
  return value;
}

/// The lines `key=value` up to a line that begins otherwise.
class Section {
 public:
  explicit Section(std::string_view& text) {
    while (!text.empty()) {
      std::string_view rest = text;
      const std::string_view line = next_line(rest);
      const std::size_t equals = line.find('=');
      if (line.empty() || line == "tree" || line == "average_output") {
        if (line == "average_output") values_["average_output"] = "1";
      } else if (equals == std::string_view::npos || line.substr(0, 5) == "Tree=") {
        return;
      } else if (!values_.emplace(line.substr(0, equals), line.substr(equals + 1)).second) {
        bad_lightgbm("distinct keys, got \"" + std::string(line.substr(0, equals)) + "\" twice");
      }
      text = rest;
    }
  }
  bool has(std::string_view key) const { return values_.contains(key); }
  std::string_view text(const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) bad_lightgbm("a line \"" + key + "=\", got none");
    return found->second;
  }
  template <class T>
  T one(const std::string& key) const {
    return number<T>(text(key), key);
  }
  template <class T>
  std::vector<T> list(const std::string& key, std::size_t size) const {
    const auto parts = words(text(key));
    if (parts.size() != size) {
      bad_lightgbm(std::to_string(size) + " values in \"" + key + "\", got " + std::to_string(parts.size()));
    }
    std::vector<T> values;
    values.reserve(size);
    for (const std::string_view part : parts) values.push_back(number<T>(part, key));
    return values;
  }

 private:
  std::map<std::string_view, std::string_view, std::less<>> values_{};
};

void read_objective(std::string_view line, Ensemble& ensemble) {
  struct Known {
    std::string_view name;
    const char* objective;
    Link link;
  };
  constexpr std::array<Known, 16> known{{{"regression", "squared", Link::identity},
                                         {"regression_l2", "squared", Link::identity},
                                         {"regression_l1", "absolute", Link::identity},
                                         {"huber", "huber", Link::identity},
                                         {"fair", "fair", Link::identity},
                                         {"quantile", "quantile", Link::identity},
                                         {"mape", "mape", Link::identity},
                                         {"poisson", "poisson", Link::exp},
                                         {"gamma", "gamma", Link::exp},
                                         {"tweedie", "tweedie", Link::exp},
                                         {"binary", "binary", Link::sigmoid},
                                         {"cross_entropy", "binary", Link::sigmoid},
                                         {"multiclass", "multiclass", Link::softmax},
                                         {"multiclassova", "one_vs_all", Link::sigmoid},
                                         {"lambdarank", "lambdarank", Link::identity},
                                         {"rank_xendcg", "rank_xendcg", Link::identity}}};
  const auto parts = words(line);
  ensemble.objective = "custom";
  if (parts.empty() || parts[0] == "custom" || parts[0] == "none") return;
  const auto* found =
      std::find_if(known.begin(), known.end(), [&](const Known& each) { return each.name == parts[0]; });
  if (found == known.end()) bad_lightgbm("a known objective, got \"" + std::string(parts[0].substr(0, 40)) + "\"");
  ensemble.objective = found->objective;
  ensemble.link = found->link;
  for (const std::string_view part : parts) {
    if (part == "sqrt") bad_lightgbm("a target as it is, got one under a square root");
    if (part.substr(0, 8) == "sigmoid:") ensemble.link_scale = number<double>(part.substr(8), "objective");
  }
}

void read_features(const Section& head, Ensemble& ensemble) {
  const auto names = words(head.text("feature_names"));
  const auto last = head.one<std::int32_t>("max_feature_idx");
  if (last < 0 || static_cast<std::size_t>(last) + 1 != names.size()) {
    bad_lightgbm("max_feature_idx one less than there are names, got " + std::to_string(last));
  }
  const auto infos = words(head.text("feature_infos"));
  if (infos.size() != names.size()) bad_lightgbm("as many feature_infos as names, got " + std::to_string(infos.size()));
  for (std::size_t i = 0; i < names.size(); ++i) {
    ensemble.features.push_back(
        {.name = std::string(names[i]), .categorical = infos[i] != "none" && infos[i].substr(0, 1) != "["});
  }
}

Tree read_tree(const Section& section, std::vector<Feature>& features, std::vector<std::uint8_t>& missing_types) {
  if (section.has("is_linear") && section.text("is_linear") != "0") bad_lightgbm("constant leaves, got a linear tree");
  Tree tree;
  const auto leaves = section.one<std::int32_t>("num_leaves");
  if (leaves < 1) bad_lightgbm("num_leaves of 1 and more, got " + std::to_string(leaves));
  const auto count = static_cast<std::size_t>(leaves);
  tree.leaf_value = section.list<double>("leaf_value", count);
  if (leaves == 1) {
    tree.leaf_cover.assign(1, 0);
    return tree;
  }
  const std::size_t nodes = count - 1;
  tree.feature = section.list<std::int32_t>("split_feature", nodes);
  tree.threshold = section.list<double>("threshold", nodes);
  tree.left = section.list<std::int32_t>("left_child", nodes);
  tree.right = section.list<std::int32_t>("right_child", nodes);
  const auto list_or_zeros = [&](const std::string& key, std::size_t size) {
    return section.has(key) ? section.list<double>(key, size) : std::vector<double>(size, 0.0);
  };
  tree.gain = list_or_zeros("split_gain", nodes);
  tree.cover = list_or_zeros("internal_count", nodes);
  tree.leaf_cover = list_or_zeros("leaf_count", count);
  const auto types = section.list<std::uint32_t>("decision_type", nodes);
  const auto sets = section.one<std::uint32_t>("num_cat");
  std::vector<std::uint32_t> bounds, codes;
  if (sets > 0) {
    bounds = section.list<std::uint32_t>("cat_boundaries", std::size_t{sets} + 1);
    codes = section.list<std::uint32_t>("cat_threshold", bounds.back());
    if (!std::is_sorted(bounds.begin(), bounds.end())) bad_lightgbm("cat_boundaries that ascend");
  }
  std::vector<bool> taken(sets);
  tree.set.assign(nodes, -1);
  tree.left_default.assign(nodes, 0);
  for (std::size_t node = 0; node < nodes; ++node) {
    const auto feature = static_cast<std::size_t>(tree.feature[node]);
    if (tree.feature[node] < 0 || feature >= features.size()) bad_lightgbm("split_feature among the features");
    if ((types[node] & kCategorical) != 0) {
      const double set = tree.threshold[node];
      if (!(set >= 0 && set < sets) || set != std::floor(set)) bad_lightgbm("a threshold that is the number of a set");
      const std::uint32_t begin = bounds[static_cast<std::size_t>(set)],
                          end = bounds[static_cast<std::size_t>(set) + 1];
      // LightGBM writes a set for each node; sets that are copied to many would let a small file take much memory.
      if (taken[static_cast<std::size_t>(set)]) bad_lightgbm("each set of categories at one node, got one at two");
      taken[static_cast<std::size_t>(set)] = true;
      std::vector<std::uint64_t> bits((end - begin + 1) / 2, 0);
      for (std::uint32_t i = begin; i < end; ++i)
        bits[(i - begin) / 2] |= std::uint64_t{codes[i]} << (i - begin) % 2 * 32;
      tree.threshold[node] = 0;
      tree.set[node] = static_cast<std::int32_t>(tree.sets.size());
      tree.sets.push_back(std::move(bits));
      features[feature].categorical = true;
      continue;
    }
    if (internal::is_zero(tree.threshold[node])) {  // no number there is told from 0
      constexpr double bound = 1e-35f;
      tree.threshold[node] =
          tree.threshold[node] < 0 ? std::nextafter(-bound, -std::numeric_limits<double>::infinity()) : bound;
    }
    const unsigned type = types[node] >> 2;
    if (type > static_cast<unsigned>(Missing::nan))
      bad_lightgbm("a missing type from 0 to 2, got " + std::to_string(type));
    const bool left =
        type == static_cast<unsigned>(Missing::none) ? 0 <= tree.threshold[node] : (types[node] & kMissingLeft) != 0;
    tree.left_default[node] = left ? 1 : 0;
    missing_types[feature] |= static_cast<std::uint8_t>(1U << type);
  }
  return tree;
}

// Levels of pandas' categorical columns, where it is certain which features they are.
void read_levels(std::string_view text, std::vector<Feature>& features) {
  constexpr std::string_view key = "\npandas_categorical:";
  const std::size_t at = text.rfind(key);
  if (at == std::string_view::npos) return;
  text.remove_prefix(at + key.size());
  const auto json = tern::internal::parse_json(next_line(text), kLightgbm);
  std::vector<Feature*> categorical;
  for (Feature& feature : features) {
    if (feature.categorical) categorical.push_back(&feature);
  }
  if (!json.is_array() || json.size() != categorical.size()) return;
  for (std::size_t i = 0; i < categorical.size(); ++i) {
    std::vector<std::string> levels;
    std::size_t texts = 0, numbers = 0;
    for (const auto& level : json[i]) {
      texts += level.is_string();
      numbers += level.is_number() || level.is_boolean();
      levels.push_back(level.is_string() ? level.get<std::string>() : tern::internal::json_text(level));
    }
    categorical[i]->level_type = texts == levels.size()     ? LevelType::text
                                 : numbers == levels.size() ? LevelType::number
                                                            : LevelType::code;
    categorical[i]->levels = std::move(levels);
  }
}

// The name, among parameters, of what an objective is told; empty: nothing.
std::string told_name(const Ensemble& ensemble) {
  if (ensemble.objective == "tweedie") return "tweedie_variance_power";
  return ensemble.objective == "huber" || ensemble.objective == "quantile" ? "alpha" : "";
}

void read_parameters(std::string_view text, Ensemble& ensemble) {
  const std::string name = told_name(ensemble);
  const std::string key = "\n[" + name + ": ";
  const std::size_t at = name.empty() ? std::string_view::npos : text.find(key);
  if (at == std::string_view::npos) return;
  text.remove_prefix(at + key.size());
  text = next_line(text);
  if (text.empty() || text.back() != ']') bad_lightgbm("a parameter \"" + name + "\" in brackets, got another");
  ensemble.objective_parameter = number<double>(text.substr(0, text.size() - 1), name);
}

// ---- Writing.

template <class T, class Text>
void put(std::string& out, const char* key, const std::vector<T>& values, Text text) {
  out += key;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out += i == 0 ? '=' : ' ';
    out += text(values[i]);
  }
  if (values.empty()) out += '=';
  out += '\n';
}

[[noreturn]] TERN_COLD void lightgbm_cannot_hold(const Feature& feature, const std::string& reason) {
  throw ValueError("[export_lightgbm] feature \"" + feature.name + "\": " + reason);
}

/// A categorical split with its children as LightGBM takes them: missing and unseen codes go right.
struct LightgbmSplit {
  std::vector<std::uint32_t> words{};
  bool swapped = false;
};

LightgbmSplit lightgbm_split(const Feature& feature, const Tree& tree, std::size_t node) {
  const auto& set = tree.sets[static_cast<std::size_t>(tree.set[node])];
  std::vector<std::uint64_t> bits = set;
  const bool swapped = tree.left_default[node] != 0;
  if (swapped) {
    if (feature.levels.empty())
      lightgbm_cannot_hold(feature, "expected to know its levels where a missing one goes left");
    bits.assign((feature.levels.size() + 63) / 64, 0);
    for (std::size_t code = 0; code < feature.levels.size(); ++code) {
      if (!in_set(set, code)) bits[code / 64] |= std::uint64_t{1} << (code % 64);
    }
  } else if (!feature.levels.empty()) {  // codes beyond the levels are unseen
    for (std::size_t code = feature.levels.size(); code < bits.size() * 64; ++code) {
      bits[code / 64] &= ~(std::uint64_t{1} << (code % 64));
    }
  }
  if (bits.size() > std::size_t{1} << 25) lightgbm_cannot_hold(feature, "expected codes below 2^31");
  LightgbmSplit split{.swapped = swapped};
  for (const std::uint64_t word : bits) {
    split.words.push_back(static_cast<std::uint32_t>(word));
    split.words.push_back(static_cast<std::uint32_t>(word >> 32));
  }
  if (split.words.empty()) split.words.push_back(0);
  return split;
}

/// A level of a type that is looked up, as JSON.
Json level_name(const Feature& feature, const std::string& level) {
  internal::check_utf8(feature, level, "export_lightgbm");
  if (feature.level_type == LevelType::text) return level;
  try {
    Json number = tern::internal::parse_json(level, kLightgbm);
    if (number.is_number() || number.is_boolean()) return number;
  } catch (const FormatError&) {
  }
  lightgbm_cannot_hold(feature, "expected levels that are numbers, got \"" + level + "\"");
}

/// The levels of categorical features as pandas' columns have them, by which LightGBM's Python package finds them in
/// tables: a text is not found among numbers, nor a number among texts. "null" where those of a feature are not known.
std::string level_names(const std::vector<Feature>& features) {
  auto all = Json::array();
  for (const Feature& feature : features) {
    if (!feature.categorical) continue;
    if (feature.levels.empty() || feature.level_type == LevelType::code) return "null";
    auto names = Json::array();
    for (const std::string& level : feature.levels) names.push_back(level_name(feature, level));
    all.push_back(std::move(names));
  }
  return tern::internal::json_text(all);
}

/// Rows of leaves and of inner nodes as LightGBM weighs them in contributions: in the ratios of the covers, which are
/// sums of hessians, each at least 1, and those of a node the sum of its sides'. Covers that are whole stay as they
/// are.
std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> counts_of(const Tree& tree) {
  constexpr double most = 1e9, fine = 1e6;
  double all = 0;
  bool whole = true;
  for (const double cover : tree.leaf_cover) {
    all += cover;
    whole &= cover >= 1 && cover == std::floor(cover);
  }
  const double scale =
      all > 0 && (!whole || all > most) ? std::min(most, fine * static_cast<double>(tree.leaves())) / all : 1;
  std::vector<std::int64_t> leaves, nodes(tree.feature.size());
  for (const double cover : tree.leaf_cover) leaves.push_back(std::max<std::int64_t>(1, std::llround(cover * scale)));
  const auto of = [&](std::int32_t child) {
    return child < 0 ? leaves[static_cast<std::size_t>(~child)] : nodes[static_cast<std::size_t>(child)];
  };
  for (std::size_t node = nodes.size(); node-- > 0;) nodes[node] = of(tree.left[node]) + of(tree.right[node]);
  return {leaves, nodes};
}

std::string write_tree(const Ensemble& ensemble, std::size_t index) {
  const Tree& tree = ensemble.trees[index];
  std::vector<std::uint32_t> types, bounds{0}, codes;
  std::vector<double> values = tree.leaf_value;
  std::vector<double> thresholds = tree.threshold;
  std::vector<std::int32_t> left = tree.left, right = tree.right;
  std::size_t sets = 0;
  for (std::size_t node = 0; node < tree.feature.size(); ++node) {
    const Feature& feature = ensemble.features[static_cast<std::size_t>(tree.feature[node])];
    if (tree.set[node] >= 0) {
      const LightgbmSplit split = lightgbm_split(feature, tree, node);
      if (split.swapped) std::swap(left[node], right[node]);
      codes.insert(codes.end(), split.words.begin(), split.words.end());
      bounds.push_back(static_cast<std::uint32_t>(codes.size()));
      thresholds[node] = static_cast<double>(sets++);
      types.push_back(kCategorical);
      continue;
    }
    if (ensemble.float32_inputs) thresholds[node] = internal::before_rounding(thresholds[node]);
    constexpr double largest = std::numeric_limits<double>::max();
    thresholds[node] = std::clamp(thresholds[node], -largest, largest);
    const Missing type = feature.zero_is_missing ? Missing::zero : Missing::nan;
    types.push_back(static_cast<unsigned>(type) << 2 | (tree.left_default[node] != 0 ? kMissingLeft : 0));
  }
  if (index < static_cast<std::size_t>(ensemble.outputs)) {
    for (double& value : values) value += ensemble.base[index];
  }
  const auto whole = [](auto value) { return std::to_string(value); };
  const auto shortest = [](double value) { return tern::internal::number_text(value); };
  const auto [leaf_counts, node_counts] = counts_of(tree);
  std::string out = "Tree=" + std::to_string(index) + "\nnum_leaves=" + std::to_string(tree.leaves()) +
                    "\nnum_cat=" + std::to_string(sets) + "\n";
  put(out, "split_feature", tree.feature, whole);
  put(out, "split_gain", tree.gain, shortest);
  put(out, "threshold", thresholds, shortest);
  put(out, "decision_type", types, whole);
  put(out, "left_child", left, whole);
  put(out, "right_child", right, whole);
  put(out, "leaf_value", values, shortest);
  put(out, "leaf_weight", tree.leaf_cover, shortest);
  put(out, "leaf_count", leaf_counts, whole);
  put(out, "internal_value", std::vector<double>(tree.feature.size(), 0.0), shortest);
  put(out, "internal_weight", tree.cover, shortest);
  put(out, "internal_count", node_counts, whole);
  if (sets > 0) {
    put(out, "cat_boundaries", bounds, whole);
    put(out, "cat_threshold", codes, whole);
  }
  return out + "is_linear=0\nshrinkage=1\n\n\n";
}

std::string objective_line(const Ensemble& ensemble) {
  const std::string classes = " num_class:" + std::to_string(ensemble.outputs);
  const std::string scale = " sigmoid:" + tern::internal::number_text(ensemble.link_scale);
  switch (ensemble.link) {
    case Link::sigmoid:
      return ensemble.outputs == 1 ? "binary" + scale : "multiclassova" + classes + scale;
    case Link::softmax:
      return "multiclass" + classes;
    case Link::exp:
      return ensemble.objective == "gamma" || ensemble.objective == "tweedie" ? ensemble.objective : "poisson";
    case Link::identity:
      break;
  }
  const std::map<std::string, std::string> same{{"absolute", "regression_l1"},
                                                {"huber", "huber"},
                                                {"quantile", "quantile"},
                                                {"fair", "fair"},
                                                {"mape", "mape"},
                                                {"lambdarank", "lambdarank"},
                                                {"rank_xendcg", "rank_xendcg"}};
  const auto found = same.find(ensemble.objective);
  return found == same.end() ? "regression" : found->second;
}

}  // namespace

Ensemble from_lightgbm(std::string_view text) {
  return internal::checked(kLightgbm, [&] {
    std::string_view rest = text;
    if (next_line(rest) != "tree") bad_lightgbm("a first line \"tree\", got another one");
    const Section head(rest);
    Ensemble ensemble;
    ensemble.outputs = head.one<std::int32_t>("num_tree_per_iteration");
    if (ensemble.outputs < 1 || ensemble.outputs > 1 << 20) bad_lightgbm("num_tree_per_iteration from 1 to 2^20");
    ensemble.base.assign(static_cast<std::size_t>(ensemble.outputs), 0.0);
    read_objective(head.has("objective") ? head.text("objective") : "", ensemble);
    read_features(head, ensemble);
    std::vector<std::uint8_t> missing_types(ensemble.features.size(), 0);
    while (rest.substr(0, 5) == "Tree=") {
      next_line(rest);
      ensemble.trees.push_back(read_tree(Section(rest), ensemble.features, missing_types));
    }
    if (next_line(rest) != "end of trees") bad_lightgbm("a line \"end of trees\" behind the last tree");
    for (std::size_t i = 0; i < missing_types.size(); ++i) {
      constexpr auto zero = 1U << static_cast<unsigned>(Missing::zero);
      if ((missing_types[i] & zero) == 0) continue;
      if (missing_types[i] != zero) {
        bad_lightgbm("one missing type for feature \"" + ensemble.features[i].name + "\", got zero and another one");
      }
      ensemble.features[i].zero_is_missing = true;
    }
    if (head.has("average_output") && ensemble.rounds() > 0) {
      const auto rounds = static_cast<double>(ensemble.rounds());
      for (Tree& tree : ensemble.trees) {
        for (double& value : tree.leaf_value) value /= rounds;
      }
    }
    read_parameters(rest, ensemble);
    read_levels(rest, ensemble.features);
    return ensemble;
  });
}

std::string to_lightgbm(const Ensemble& ensemble) {
  Ensemble model = internal::added_up(ensemble, "export_lightgbm");
  if (model.trees.empty()) {  // the base needs a leaf to stand in
    Tree constant;
    constant.add_leaf(0, 0);
    model.trees.assign(static_cast<std::size_t>(model.outputs), constant);
  }
  std::string names, infos, sizes, blocks;
  for (const Feature& feature : model.features) {
    if (feature.name.find_first_of(" \n\r\t\"[]{}:,") != std::string::npos) {
      lightgbm_cannot_hold(feature, "expected a name without blanks and none of \":,[]{}");
    }
    internal::check_utf8(feature, feature.name, "export_lightgbm");
    names += " " + feature.name;
    if (feature.categorical) {
      infos += " 0";
      for (std::size_t code = 1; code < feature.levels.size(); ++code) infos += ":" + std::to_string(code);
    } else {
      infos += " [-1e+308:1e+308]";
    }
  }
  for (std::size_t tree = 0; tree < model.trees.size(); ++tree) {
    const std::string block = write_tree(model, tree);
    sizes += " " + std::to_string(block.size());
    blocks += block;
  }
  const auto without_blank = [](const std::string& list) { return list.empty() ? list : list.substr(1); };
  std::string told = told_name(model);
  if (!told.empty()) {
    told = model.objective_parameter == 0
               ? ""
               : "[" + told + ": " + tern::internal::number_text(model.objective_parameter) + "]\n";
  }
  return "tree\nversion=v4\nnum_class=" + std::to_string(model.outputs) +
         "\nnum_tree_per_iteration=" + std::to_string(model.outputs) +
         "\nlabel_index=0\nmax_feature_idx=" + std::to_string(static_cast<std::int64_t>(model.features.size()) - 1) +
         "\nobjective=" + objective_line(model) + "\nfeature_names=" + without_blank(names) +
         "\nfeature_infos=" + without_blank(infos) + "\ntree_sizes=" + without_blank(sizes) + "\n\n" + blocks +
         "end of trees\n\nfeature_importances:\n\nparameters:\n" + told +
         "end of parameters\n\npandas_categorical:" + level_names(model.features) + "\n";
}

Ensemble import_lightgbm(const std::string& path) {
  const std::string text = read_file(path, internal::kLargestModel);
  return tern::internal::from_file(path, [&] { return from_lightgbm(text); });
}

void export_lightgbm(const Ensemble& ensemble, const std::string& path) { write_file(path, to_lightgbm(ensemble)); }

}  // namespace tern::trees
