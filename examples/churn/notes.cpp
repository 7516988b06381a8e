#include "notes.h"

#include <algorithm>

using namespace tern;

namespace {

std::string rows_text(std::int64_t count) { return counted(count, "row"); }

// The levels themselves as far as the profile can tell them from those learned.
std::string with_levels(const Unfamiliar* unfamiliar) {
  std::vector<std::string> levels;
  if (unfamiliar == nullptr) return "";
  for (const auto& [level, count] : unfamiliar->levels)
    levels.push_back("\"" + on_one_line(level) + "\" " + std::to_string(count));
  return levels.empty() ? "" : ": " + join(levels, 5);
}

}  // namespace

std::vector<std::string> notes_on(const Bundle& bundle, const data::Table& rows) {
  std::vector<Unfamiliar> unfamiliar;
  if (!bundle.profile().empty()) unfamiliar = unfamiliar_values(bundle.profile(), rows, bundle.provenance().schema);
  const auto unseen = bundle.unseen(rows);
  // The range is that of the rows but ten at either end: of fewer rows than these, that of the middle.
  const bool ranges = std::ssize(bundle.provenance().train_rows) >= 100;
  std::vector<std::string> notes;
  for (const data::InputColumn& input : bundle.pipeline().inputs()) {
    const std::string name = "\"" + input.name + "\": ";
    if (rows.rows() > 0 && rows.column(input.name).null_count() == rows.rows()) {
      notes.push_back(name + "blank in all " + rows_text(rows.rows()));
    }
    const auto found = std::find_if(unfamiliar.begin(), unfamiliar.end(),
                                    [&](const Unfamiliar& values) { return values.column == input.name; });
    const Unfamiliar* const values = found == unfamiliar.end() ? nullptr : &*found;
    if (values != nullptr && values->far > 0 && ranges) {
      notes.push_back(name + rows_text(values->far) + " far outside the training range of " + values->low + " to " +
                      values->high + ": " + values->smallest +
                      (values->largest == values->smallest ? "" : " to " + values->largest));
    }
    for (const auto& [column, count] : unseen) {
      if (column != input.name) continue;
      notes.push_back(
          name + rows_text(count) + " with values that the model has not learned, new or rare in training" +
          with_levels(values) +
          (values != nullptr && values->beside_truth ? "; words beside yes and no are taken as missing" : ""));
    }
  }
  return notes;
}

void tell(const std::vector<std::string>& notes, Journey& journey) {
  constexpr std::size_t most = 20;
  for (std::size_t i = 0; i < notes.size() && i < most; ++i) journey.note(notes[i]);
  if (notes.size() > most) journey.note("… and " + std::to_string(notes.size() - most) + " more");
}
