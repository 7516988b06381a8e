#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tern/base/export.h"
#include "tern/trees/ensemble.h"

/// Trained models as files: Tern's own JSON, and those of XGBoost and LightGBM.
namespace tern::trees {

/// Tern's own form: JSON that loses nothing.
TERN_API std::string to_json(const Ensemble& ensemble);
/// Reads it back, checked as Ensemble::check does. Throws FormatError for text that is cut, altered out of bounds or of
/// an unknown version.
TERN_API Ensemble from_json(std::string_view text);
/// Writes the JSON atomically. Throws FileError, ValueError.
TERN_API void save(const Ensemble& ensemble, const std::string& path);
/// Reads it. Throws FileError, FormatError.
TERN_API Ensemble load(const std::string& path);

/// The two forms of an XGBoost model.
enum class XgboostForm : std::uint8_t { json, ubjson };

/// A model as XGBoost (since 1.7) loads it, with its objective and what that was told: Huber as pseudo-Huber, and the
/// squared error for what it has no name for (which leaves predictions as they are). XGBoost reads rows as float and
/// keeps leaves and base as float: for rows of floats every row reaches the same leaf. An infinite threshold (1e300 and
/// more, as LightGBM writes it) becomes the largest float. Throws ValueError, naming the feature, for what the format
/// cannot hold: zeros that count as missing, codes of 2^24 and above, a categorical split that sends all or no levels
/// one way, other thresholds that are not below the largest float, a name that is no UTF-8; and for a sigmoid of
/// another scale than 1, or several values a leaf.
///
/// From 2^24 on floats do not tell whole numbers apart. A threshold there that is no float, nor the double above one
/// (where LightGBM puts a middle that is a float), is a ValueError too, unless the model has `float32_inputs`, which
/// may be set where all rows are floats. At a threshold that is a float, rows above it that become it go left without
/// an error: of the rows that Tern trained on only such as are one or two doubles above it; LightGBM looks at none.
TERN_API std::string to_xgboost(const Ensemble& ensemble, XgboostForm form = XgboostForm::json);
/// A model that XGBoost (since 1.7) saved, in either form: gbtree and dart, one output or several, levels by name where
/// it has them. All trees count, whatever its best iteration. Throws FormatError for what is damaged or is no model of
/// trees with one value a leaf, and for sets of categories that would take more than 64 MB and 512 bytes for each byte
/// of the file.
TERN_API Ensemble from_xgboost(std::string_view bytes);
/// The same with a file; it is UBJSON when the name ends in ".ubj". Throws FileError too.
TERN_API void export_xgboost(const Ensemble& ensemble, const std::string& path);
TERN_API Ensemble import_xgboost(const std::string& path);

/// A model as LightGBM (since 3) loads it; the base goes into the leaves of the first round. LightGBM takes numbers of
/// magnitude up to 1e-35f as 0; an infinite threshold becomes the largest double. Levels' names, texts or numbers as
/// Feature::level_type says, are there where those of all features are known. Throws ValueError, naming the feature,
/// for codes of 2^31 and above, for a missing code that shall go left where the number of levels is not known, and for
/// names that the text cannot hold; and for several values a leaf.
TERN_API std::string to_lightgbm(const Ensemble& ensemble);
/// A text model that LightGBM (since 3) saved: gbdt, dart and rf, every missing type, categorical splits. Covers are
/// its counts of rows. Throws FormatError for what is damaged, a set of categories at two nodes among it, and for
/// linear trees and targets under a square root.
TERN_API Ensemble from_lightgbm(std::string_view text);
/// The same with a file. Throws FileError too.
TERN_API void export_lightgbm(const Ensemble& ensemble, const std::string& path);
TERN_API Ensemble import_lightgbm(const std::string& path);

/// The ensemble of a fitted GradientBoosting, RandomForest or ExtraTrees. Throws StateError before `fit` too.
template <class Model>
requires requires(const Model& model) { model.ensemble(); }
void export_xgboost(const Model& model, const std::string& path) { export_xgboost(model.ensemble(), path); }
template <class Model>
requires requires(const Model& model) { model.ensemble(); }
void export_lightgbm(const Model& model, const std::string& path) { export_lightgbm(model.ensemble(), path); }

}  // namespace tern::trees
