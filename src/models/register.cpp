#include "tern/models/register.h"

#include <mutex>

#include "models/fields.h"
#include "tern/data/estimator.h"
#include "tern/models/calibrate.h"
#include "tern/models/combine.h"
#include "tern/models/elastic_net.h"
#include "tern/models/glm.h"
#include "tern/models/linear.h"
#include "tern/models/naive_bayes.h"
#include "tern/models/neighbors.h"
#include "tern/models/sgd.h"
#include "tern/models/steps.h"
#include "tern/models/svm.h"

namespace tern::models {
namespace {

template <class T>
void add() {
  data::register_estimator(std::string(T().type()), internal::Restore::make<T>);
}

}  // namespace

// By name, so that no linker drops one.
void register_estimators() {
  static std::once_flag once;
  std::call_once(once, [] {
    data::register_estimator("calibrated", Calibrated::from_state);
    data::register_estimator("stacking", Stacking::from_state);
    data::register_estimator("voting", Voting::from_state);
    add<BernoulliNaiveBayes>();
    add<ElasticNet>();
    add<GaussianNaiveBayes>();
    add<KNeighborsClassifier>();
    add<KNeighborsRegressor>();
    add<Lasso>();
    add<LinearRegression>();
    add<LinearSvm>();
    add<LogisticRegression>();
    add<MultinomialNaiveBayes>();
    add<PoissonRegression>();
    add<Ridge>();
    add<SgdClassifier>();
    add<SgdRegressor>();
    internal::register_steps();
  });
}

}  // namespace tern::models
