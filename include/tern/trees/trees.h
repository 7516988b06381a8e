#pragma once

/// Boosted trees and forests. Not part of tern/tern.h.
#include "tern/trees/ensemble.h"
#include "tern/trees/explain.h"
#include "tern/trees/forest.h"
#include "tern/trees/formats.h"
#include "tern/trees/gradient_boosting.h"
#include "tern/trees/isolation_forest.h"
#include "tern/trees/predictor.h"
#include "tern/trees/register.h"
