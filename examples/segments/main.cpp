// Finds segments of customers by k-means, tells what each is like, and draws them along two principal components.
#include <tern/models/models.h>
#include <tern/tern.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace tern;

namespace {

// The commonest word of a column among some rows, with its share.
std::string commonest(const data::Column& column, const std::vector<std::int64_t>& rows) {
  std::map<std::string, std::size_t> counts;
  for (const std::int64_t row : rows) ++counts[column.text(row)];
  const auto most =
      std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return most->first + " " + std::to_string(100 * most->second / rows.size()) + " %";
}

double mean(const data::Column& column, const std::vector<std::int64_t>& rows) {
  double sum = 0;
  std::size_t count = 0;
  for (const std::int64_t row : rows) {
    if (column.is_null(row)) continue;
    sum += column.numeric(row);
    ++count;
  }
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

// A dot a row, in the colour of its segment; axes say how much of the variance they show.
void draw(const std::string& path, const std::vector<double>& at, const std::vector<std::int64_t>& segments,
          const std::vector<double>& shares, std::int64_t count) {
  constexpr double kWide = 900, kHigh = 640, kMargin = 50;
  const char* const colours[] = {"#3366cc", "#dc7633", "#229954", "#8e44ad",
                                 "#c0392b", "#7f8c8d", "#b7950b", "#148f77"};
  double low[2] = {at[0], at[1]}, high[2] = {at[0], at[1]};
  for (std::size_t i = 0; i < at.size(); ++i) {
    low[i % 2] = std::min(low[i % 2], at[i]);
    high[i % 2] = std::max(high[i % 2], at[i]);
  }
  const auto place = [&](double value, int axis) {
    const double share = high[axis] > low[axis] ? (value - low[axis]) / (high[axis] - low[axis]) : 0.5;
    return axis == 0 ? kMargin + share * (kWide - 2 * kMargin) : kHigh - kMargin - share * (kHigh - 2 * kMargin);
  };
  std::ostringstream svg;
  svg << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << kWide << "\" height=\"" << kHigh
      << "\" font-family=\"sans-serif\" font-size=\"14\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  char line[160];
  for (std::size_t row = 0; row < segments.size(); ++row) {
    std::snprintf(line, sizeof line, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2\" fill=\"%s\" fill-opacity=\"0.5\"/>\n",
                  place(at[2 * row], 0), place(at[2 * row + 1], 1), colours[segments[row] % 8]);
    svg << line;
  }
  for (int axis = 0; axis < 2; ++axis) {
    std::snprintf(line, sizeof line, "<text x=\"%.0f\" y=\"%.0f\"%s>component %d: %.0f %% of the variance</text>\n",
                  axis == 0 ? kWide / 2 - 110 : -kHigh / 2 - 110, axis == 0 ? kHigh - 15 : 25,
                  axis == 0 ? "" : " transform=\"rotate(-90)\"", axis + 1,
                  100 * shares[static_cast<std::size_t>(axis)]);
    svg << line;
  }
  for (std::int64_t segment = 0; segment < count; ++segment) {
    std::snprintf(line, sizeof line, "<text x=\"%.0f\" y=\"%d\" fill=\"%s\">segment %d</text>\n", kWide - 110,
                  30 + 20 * static_cast<int>(segment), colours[segment % 8], static_cast<int>(segment));
    svg << line;
  }
  svg << "</svg>\n";
  write_file(path, svg.str());
}

void run(const std::string& input, const std::string& output, std::int64_t clusters) {
  const data::Table raw = data::read_csv(input);
  data::Pipeline pipeline({data::normalize_formats(), data::impute(data::numeric(), data::Fill::median),
                           data::standardize(data::numeric()), data::one_hot(data::categorical())});
  pipeline.fit(raw, "churn");  // what is to be foretold tells nothing of who a customer is
  const data::Table features = pipeline.transform_table(raw).drop({"churn"});

  models::KMeans segments({.clusters = clusters, .starts = 5});
  segments.fit(features);
  const std::vector<std::int64_t> of = segments.predict(features);
  models::Pca axes({.components = 2});
  axes.fit(features);

  std::printf("%lld customers, inertia %.0f\n", static_cast<long long>(raw.rows()), segments.inertia());
  for (std::int64_t segment = 0; segment < clusters; ++segment) {
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < raw.rows(); ++row) {
      if (of[static_cast<std::size_t>(row)] == segment) rows.push_back(row);
    }
    if (rows.empty()) continue;
    std::size_t left = 0;
    for (const std::int64_t row : rows) left += raw["churn"].text(row) == "Yes";
    std::printf("segment %lld: %zu customers, %.0f months, %.2f a month; %s, %s; %.0f %% left\n",
                static_cast<long long>(segment), rows.size(), mean(raw["tenure"], rows),
                mean(raw["monthly_charges"], rows), commonest(raw["internet_service"], rows).c_str(),
                commonest(raw["contract"], rows).c_str(),
                100 * static_cast<double>(left) / static_cast<double>(rows.size()));
  }
  draw(output, axes.transform(features).to_vector<double>(), of, axes.explained_variance_ratio(), clusters);
  std::printf("drawn in %s\n", output.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const int clusters = argc == 4 ? std::atoi(argv[3]) : 4;
  if (argc < 3 || argc > 4 || clusters < 1) {
    std::fprintf(stderr, "usage: segments CUSTOMERS.csv OUTPUT.svg [SEGMENTS]\n");
    return 2;
  }
  try {
    run(argv[1], argv[2], clusters);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
