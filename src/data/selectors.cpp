#include "tern/data/selectors.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "data/selector_json.h"
#include "tern/base/error.h"
#include "tern/data/table.h"

namespace tern::data {

using tern::internal::Json;
using tern::internal::json_get;
using tern::internal::json_member;

// A leaf ("numeric", …, "columns") or a union or difference of two others.
struct Selector::Node {
  std::string kind{};
  std::vector<std::string> names{};
  std::shared_ptr<const Node> left{}, right{};
};

namespace {

using Node = Selector::Node;
using NodePtr = std::shared_ptr<const Node>;

constexpr std::string_view kLeaves[] = {"numeric", "categorical", "boolean", "timestamp", "text", "all"};

NodePtr leaf(std::string_view kind) { return std::make_shared<const Node>(Node{.kind = std::string(kind)}); }

NodePtr pair_of(std::string_view kind, NodePtr left, NodePtr right) {
  return std::make_shared<const Node>(
      Node{.kind = std::string(kind), .names = {}, .left = std::move(left), .right = std::move(right)});
}

bool matches(std::string_view kind, const Column& column) {
  if (kind == "all") return true;
  if (kind == "numeric") return column.is_numeric();
  if (kind == "text") return column.type() == ColumnType::string;
  return kind == to_string(column.type());
}

std::vector<bool> choose(const Node& node, const Table& table, std::string_view target) {
  std::vector<bool> chosen(static_cast<std::size_t>(table.width()));
  if (node.left) {
    chosen = choose(*node.left, table, target);
    const std::vector<bool> other = choose(*node.right, table, target);
    const bool either = node.kind == "union";
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      chosen[i] = either ? chosen[i] || other[i] : chosen[i] && !other[i];
    }
  } else if (node.kind == "columns") {
    for (const std::string& name : node.names) {
      if (name == target) {
        throw ValueError("[columns] expected columns other than the target, got \"" + name + "\"");
      }
      table.column(name);  // throws with names like it
      chosen[static_cast<std::size_t>(table.find(name))] = true;
    }
  } else {
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      chosen[i] = table.names()[i] != target && matches(node.kind, table.column(static_cast<std::int64_t>(i)));
    }
  }
  return chosen;
}

void write(const Node& node, std::string& text) {
  if (node.left) {
    write(*node.left, text);
    text += node.kind == "union" ? " | " : " - ";
    const bool nested = node.right->left != nullptr;
    if (nested) text += '(';
    write(*node.right, text);
    if (nested) text += ')';
    return;
  }
  text += node.kind;
  if (node.kind != "columns") {
    text += "()";
    return;
  }
  text += "({";
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    if (i) text += ", ";
    text += '"';
    text += node.names[i];
    text += '"';
  }
  text += "})";
}

Json save(const Node& node) {
  if (node.left) return {{"kind", node.kind}, {"left", save(*node.left)}, {"right", save(*node.right)}};
  if (node.kind == "columns") return {{"kind", node.kind}, {"names", node.names}};
  return {{"kind", node.kind}};
}

// The depth is bounded by parse_json.
NodePtr load(const Json& json) {
  const auto kind = json_get<std::string>(json, "kind", "selector");
  if (kind == "union" || kind == "difference") {
    return pair_of(kind, load(json_member(json, "left", "selector")), load(json_member(json, "right", "selector")));
  }
  if (kind == "columns") {
    return std::make_shared<const Node>(
        Node{.kind = kind, .names = json_get<std::vector<std::string>>(json, "names", "selector")});
  }
  if (std::find(std::begin(kLeaves), std::end(kLeaves), kind) == std::end(kLeaves)) {
    throw FormatError("[selector] expected a known kind, got \"" + kind + "\"");
  }
  return leaf(kind);
}

}  // namespace

namespace internal {

Json save_selector(const Selector& selector) { return tern::internal::parse_json(selector.to_json(), "selector"); }

Selector load_selector(const Json& json) { return Selector(load(json)); }

}  // namespace internal

Selector::Selector(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
Selector::Selector(std::string name)
    : node_(std::make_shared<const Node>(Node{.kind = "columns", .names = {std::move(name)}})) {}

Selector::Selector(std::initializer_list<std::string> names)
    : node_(std::make_shared<const Node>(Node{.kind = "columns", .names = names})) {}

std::vector<std::string> Selector::select(const Table& table, std::string_view target) const {
  const std::vector<bool> chosen = choose(*node_, table, target);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) names.push_back(table.names()[i]);
  }
  return names;
}

std::string Selector::to_string() const {
  std::string text;
  write(*node_, text);
  return text;
}

std::string Selector::to_json() const { return internal::dump_json(save(*node_), "Selector::to_json"); }

Selector Selector::from_json(std::string_view text) {
  return Selector(load(tern::internal::parse_json(text, "selector")));
}

Selector operator|(const Selector& a, const Selector& b) { return Selector(pair_of("union", a.node_, b.node_)); }
Selector operator-(const Selector& a, const Selector& b) { return Selector(pair_of("difference", a.node_, b.node_)); }

Selector numeric() { return Selector(leaf("numeric")); }
Selector categorical() { return Selector(leaf("categorical")); }
Selector boolean() { return Selector(leaf("boolean")); }
Selector timestamp() { return Selector(leaf("timestamp")); }
Selector text() { return Selector(leaf("text")); }
Selector all() { return Selector(leaf("all")); }
Selector columns(std::vector<std::string> names) {
  return Selector(std::make_shared<const Node>(Node{.kind = "columns", .names = std::move(names)}));
}
Selector except(const Selector& selector) { return all() - selector; }

}  // namespace tern::data
