#pragma once

/// Classic estimators. Not part of tern/tern.h.
#include "tern/models/linear.h"
#include "tern/models/register.h"
