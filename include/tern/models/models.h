#pragma once

/// Classic estimators. Not part of tern/tern.h.
#include "tern/models/calibrate.h"
#include "tern/models/combine.h"
#include "tern/models/conformal.h"
#include "tern/models/cross_validate.h"
#include "tern/models/elastic_net.h"
#include "tern/models/glm.h"
#include "tern/models/linear.h"
#include "tern/models/model.h"
#include "tern/models/naive_bayes.h"
#include "tern/models/recommend.h"
#include "tern/models/register.h"
#include "tern/models/series.h"
#include "tern/models/sgd.h"
#include "tern/models/svm.h"
