#include "journey.h"
#include "options.h"
#include "tern/tern.h"

void predict(const PredictOptions& options) {
  using namespace tern;
  Journey journey;
  set_num_threads(options.threads);
  need_different_files({options.bundle, options.data}, {options.out});
  const Bundle bundle = Bundle::load(options.bundle);
  journey.done("load", options.bundle);
  const data::Table table = bundle.read(options.data, false);
  journey.done("read", std::to_string(table.rows()) + " rows");
  const Predictions predictions = in_file(options.data, [&] { return bundle.predict(table); });
  data::Table out;
  if (const std::string& id = bundle.provenance().id; !id.empty() && table.has(id)) out.add(id, table.column(id));
  out.add("probability", data::Column::from_f64(predictions.values));
  out.add("decision", data::Column::from_strings(predictions.decisions));
  note_interrupts();  // a file that is begun is finished
  data::write_csv(out, options.out);
  journey.done("predict", std::to_string(predictions.rows) + " rows -> " + options.out);
}
