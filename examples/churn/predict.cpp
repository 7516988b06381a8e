#include <algorithm>
#include <cstdio>

#include "journey.h"
#include "notes.h"
#include "options.h"
#include "report.h"
#include "tern/tern.h"

using namespace tern;

void predict(const PredictOptions& given) {
  PredictOptions options = given;
  if (options.data == "-") options.data = "/dev/stdin";
  const bool to_stdout = is_stdout(options.out);
  Journey journey(to_stdout ? stderr : stdout);
  set_num_threads(options.threads);
  need_different_files({options.bundle, options.data}, {to_stdout ? "" : options.out});
  const Bundle bundle = load_bundle(options.bundle);
  journey.done("load", options.bundle);
  const data::Table table = bundle.read(options.data, false);
  if (table.rows() == 0) {
    throw DataError("churn predict", "expected rows, got a header alone", {.file = options.data});
  }
  journey.done("read", counted(table.rows(), "row"));
  if (const std::string& id = bundle.provenance().id; !id.empty() && !table.has(id)) {
    journey.note("the file has no column \"" + id +
                 "\", the id: predictions stand in the order of the file, without it");
  }
  in_file(options.data, [&] { tell(notes_on(bundle, table), journey); });
  const Predictions predictions = in_file(options.data, [&] { return bundle.predict(table); });
  for (const std::string& warning : predictions.warnings) journey.warn(warning);
  data::Table out;
  if (const std::string& id = bundle.provenance().id; !id.empty() && table.has(id)) out.add(id, table.column(id));
  out.add("probability", data::Column::from_f64(predictions.values));
  out.add("decision", data::Column::from_strings(predictions.decisions));
  note_interrupts();  // a file that is begun is finished
  if (to_stdout) {
    write_stdout(data::write_csv_text(out));
  } else {
    data::write_csv(out, options.out);
  }
  const std::string& positive = bundle.task().positive();
  char threshold[32];
  std::snprintf(threshold, sizeof threshold, "%.4g", bundle.task().threshold());
  journey.done("predict",
               counted(predictions.rows, "row") + " -> " + (to_stdout ? "standard output" : options.out) + "; \"" +
                   positive + "\", from a probability of " + threshold + " on, is decided in " +
                   counted(std::count(predictions.decisions.begin(), predictions.decisions.end(), positive), "row"));
}
