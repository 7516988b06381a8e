#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include "tern/base/error.h"
#include "tern/trees/explain.h"

namespace tern::trees {
namespace {

constexpr std::size_t kLevelsShown = 4;
constexpr int kWide = 190, kHigh = 90, kBoxHigh = 40, kBoxWide = 176;

std::string number(double value) {
  std::array<char, 32> text;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::general, 5);
  return error == std::errc() ? std::string(text.data(), end) : std::string();
}

const Tree& tree_of(const Ensemble& ensemble, std::int64_t tree, const char* where) {
  ensemble.check(where);
  if (tree < 0 || tree >= static_cast<std::int64_t>(ensemble.trees.size())) {
    throw IndexError("[" + std::string(where) + "] expected a tree from 0 to " +
                     std::to_string(static_cast<std::int64_t>(ensemble.trees.size()) - 1) + ", got " +
                     std::to_string(tree));
  }
  return ensemble.trees[static_cast<std::size_t>(tree)];
}

// The value of a leaf, or its values.
std::string values_of(const Ensemble& ensemble, const Tree& tree, std::size_t leaf) {
  if (!ensemble.vector_leaves) return number(tree.leaf_value[leaf]);
  const auto width = static_cast<std::size_t>(ensemble.outputs);
  std::string text;
  for (std::size_t k = 0; k < width; ++k) text += (k == 0 ? "" : ", ") + number(tree.leaf_value[leaf * width + k]);
  return text;
}

// The value of a leaf, or the largest of its values and what it stands for.
std::string main_value_of(const Ensemble& ensemble, const Tree& tree, std::size_t leaf) {
  if (!ensemble.vector_leaves) return number(tree.leaf_value[leaf]);
  const auto width = static_cast<std::ptrdiff_t>(ensemble.outputs);
  const auto first = tree.leaf_value.begin() + static_cast<std::ptrdiff_t>(leaf) * width;
  const auto most = std::max_element(first, first + width);
  const auto k = static_cast<std::size_t>(most - first);
  return (k < ensemble.classes.size() ? ensemble.classes[k] : "output " + std::to_string(k)) + ": " + number(*most);
}

// What a row needs to go left.
std::string condition(const Ensemble& ensemble, const Tree& tree, std::size_t node) {
  const Feature& feature = ensemble.features[static_cast<std::size_t>(tree.feature[node])];
  std::string text = feature.name;
  if (tree.set[node] < 0) {
    text += " <= " + number(tree.threshold[node]);
  } else {
    const auto& set = tree.sets[static_cast<std::size_t>(tree.set[node])];
    const std::size_t codes = feature.levels.empty() ? set.size() * 64 : feature.levels.size();
    std::size_t count = 0;
    text += " in {";
    for (std::size_t code = 0; code < codes; ++code) {
      if (!in_set(set, code)) continue;
      if (count < kLevelsShown) {
        text += (count == 0 ? "" : ", ") + (feature.levels.empty() ? std::to_string(code) : feature.levels[code]);
      }
      ++count;
    }
    if (count > kLevelsShown) text += ", " + std::to_string(count - kLevelsShown) + " more";
    text += "}";
  }
  return text + (tree.left_default[node] != 0 ? " or missing" : "");
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

struct Place {
  std::int32_t node;  ///< as a child
  std::int64_t depth;
};

}  // namespace

std::string to_text(const Ensemble& ensemble, std::int64_t index) {
  const Tree& tree = tree_of(ensemble, index, "to_text");
  std::string out;
  std::vector<Place> open{{tree.nodes() > 0 ? 0 : ~0, 0}};
  while (!open.empty()) {
    const Place at = open.back();
    open.pop_back();
    out.append(static_cast<std::size_t>(2 * at.depth), ' ');
    if (at.node < 0) {
      const auto leaf = static_cast<std::size_t>(~at.node);
      out += "leaf " + std::to_string(leaf) + ": " + values_of(ensemble, tree, leaf) + " (cover " +
             number(tree.leaf_cover[leaf]) + ")\n";
      continue;
    }
    const auto node = static_cast<std::size_t>(at.node);
    out += condition(ensemble, tree, node) + "? (gain " + number(tree.gain[node]) + ", cover " +
           number(tree.cover[node]) + ")\n";
    open.push_back({tree.right[node], at.depth + 1});
    open.push_back({tree.left[node], at.depth + 1});
  }
  return out;
}

std::string to_svg(const Ensemble& ensemble, std::int64_t index) {
  const Tree& tree = tree_of(ensemble, index, "to_svg");
  // Leaves stand beside each other, from left to right; a node in the middle of its children.
  std::vector<double> node_x(tree.feature.size()), leaf_x(tree.leaf_cover.size());
  std::vector<std::int64_t> node_y(tree.feature.size(), 0), leaf_y(tree.leaf_cover.size(), 0);
  std::vector<Place> open{{tree.nodes() > 0 ? 0 : ~0, 0}};
  int leaves = 0;
  while (!open.empty()) {
    const Place at = open.back();
    open.pop_back();
    if (at.node < 0) {
      leaf_x[static_cast<std::size_t>(~at.node)] = kWide * (leaves++ + 0.5);
      leaf_y[static_cast<std::size_t>(~at.node)] = at.depth;
      continue;
    }
    const auto node = static_cast<std::size_t>(at.node);
    node_y[node] = at.depth;
    open.push_back({tree.right[node], at.depth + 1});
    open.push_back({tree.left[node], at.depth + 1});
  }
  const auto x_of = [&](std::int32_t child) {
    return child >= 0 ? node_x[static_cast<std::size_t>(child)] : leaf_x[static_cast<std::size_t>(~child)];
  };
  for (std::size_t node = tree.feature.size(); node-- > 0;) {
    node_x[node] = (x_of(tree.left[node]) + x_of(tree.right[node])) / 2;
  }
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + std::to_string(kWide * leaves) + " " +
                    std::to_string(kHigh * (tree.depth() + 1)) +
                    "\" font-family=\"sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n";
  const auto y_of = [](std::int64_t depth) { return std::to_string(kHigh * depth + 10); };
  const auto box = [&](double x, std::int64_t depth, const std::string& fill, const std::string& first,
                       const std::string& second) {
    out += "<rect x=\"" + number(x - kBoxWide / 2.0) + "\" y=\"" + y_of(depth) + "\" width=\"" +
           std::to_string(kBoxWide) + "\" height=\"" + std::to_string(kBoxHigh) + "\" rx=\"5\" fill=\"" + fill +
           "\" stroke=\"#456\"/>\n<text x=\"" + number(x) + "\" y=\"" + std::to_string(kHigh * depth + 26) + "\">" +
           escaped(first) + "</text>\n<text x=\"" + number(x) + "\" y=\"" + std::to_string(kHigh * depth + 42) +
           "\" fill=\"#567\">" + escaped(second) + "</text>\n";
  };
  for (std::size_t node = 0; node < tree.feature.size(); ++node) {
    for (const std::int32_t child : {tree.left[node], tree.right[node]}) {
      out += "<line x1=\"" + number(node_x[node]) + "\" y1=\"" + std::to_string(kHigh * node_y[node] + 10 + kBoxHigh) +
             "\" x2=\"" + number(x_of(child)) + "\" y2=\"" + y_of(node_y[node] + 1) + "\" stroke=\"#456\"/>\n";
    }
    box(node_x[node], node_y[node], "#eef3f8", condition(ensemble, tree, node), "gain " + number(tree.gain[node]));
  }
  for (std::size_t leaf = 0; leaf < tree.leaf_cover.size(); ++leaf) {
    box(leaf_x[leaf], leaf_y[leaf], "#eaf6ea", main_value_of(ensemble, tree, leaf),
        "cover " + number(tree.leaf_cover[leaf]));
  }
  return out + "</svg>\n";
}

}  // namespace tern::trees
