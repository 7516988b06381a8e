#include <cstdio>

#include "journey.h"
#include "options.h"
#include "tern/tern.h"

namespace {

using namespace tern;

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// What is no error, but may be one of whoever made the file: said in one line.
void note_what_is_new(const Bundle& bundle, const data::Table& table) {
  std::vector<std::string> unseen, blank;
  for (const auto& [name, count] : bundle.pipeline().unseen(table)) {
    unseen.push_back("\"" + name + "\" " + std::to_string(count));
  }
  for (const data::InputColumn& input : bundle.pipeline().inputs()) {
    if (table.rows() > 0 && table.column(input.name).null_count() == table.rows())
      blank.push_back("\"" + input.name + "\"");
  }
  if (unseen.empty() && blank.empty()) return;
  std::string text;
  if (!unseen.empty()) text = "values that the model has not learned: " + join(unseen);
  if (!blank.empty())
    text += (text.empty() ? "" : "; ") + counted(blank.size(), "column") + " blank throughout: " + join(blank);
  std::printf("  note: %s\n", text.c_str());
}

}  // namespace

void predict(const PredictOptions& options) {
  Journey journey;
  set_num_threads(options.threads);
  need_different_files({options.bundle, options.data}, {options.out});
  const Bundle bundle = Bundle::load(options.bundle);
  journey.done("load", options.bundle);
  const data::Table table = bundle.read(options.data, false);
  journey.done("read", std::to_string(table.rows()) + " rows");
  in_file(options.data, [&] { note_what_is_new(bundle, table); });
  const Predictions predictions = in_file(options.data, [&] { return bundle.predict(table); });
  data::Table out;
  if (const std::string& id = bundle.provenance().id; !id.empty() && table.has(id)) out.add(id, table.column(id));
  out.add("probability", data::Column::from_f64(predictions.values));
  out.add("decision", data::Column::from_strings(predictions.decisions));
  note_interrupts();  // a file that is begun is finished
  data::write_csv(out, options.out);
  journey.done("predict", std::to_string(predictions.rows) + " rows -> " + options.out);
}
