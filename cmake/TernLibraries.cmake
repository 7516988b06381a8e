# The rooms, floor by floor (docs/architecture.md). A room whose folder is empty is not built.
tern_module(core
  SOURCES src/base src/tensor src/autograd src/ops kernels/cpu
  HEADERS base tensor autograd ops
  PRIVATE_LIBRARIES Threads::Threads ${TERN_THREADS_LIBRARY} OpenSSL::Crypto
                    $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> $<BUILD_INTERFACE:Eigen3::Eigen>)
target_compile_definitions(tern_core PRIVATE EIGEN_MPL2_ONLY EIGEN_DONT_PARALLELIZE)
if(TERN_HAS_CUDA)
  tern_cuda_kernels()
else()
  target_sources(tern_core PRIVATE "${PROJECT_SOURCE_DIR}/kernels/without_cuda.cpp")
endif()
tern_vector_target(baseline 16)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  tern_vector_target(avx2 32 -mavx2 -mfma -mf16c)
  tern_vector_target(avx512 64 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c -mprefer-vector-width=512)
  tern_vector_target(avx512_bf16 64 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512bf16 -mfma -mf16c
                     -mprefer-vector-width=512)
endif()
tern_module(data
  SOURCES src/data HEADERS data DEPENDS core
  PRIVATE_LIBRARIES ZLIB::ZLIB $<BUILD_INTERFACE:nlohmann_json::nlohmann_json> $<BUILD_INTERFACE:FastFloat::fast_float>)
tern_module(metrics
  SOURCES src/metrics HEADERS metrics DEPENDS core
  PRIVATE_LIBRARIES $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
tern_module(nn
  SOURCES src/nn HEADERS nn DEPENDS core
  PRIVATE_LIBRARIES $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
tern_module(trees
  SOURCES src/trees HEADERS trees DEPENDS data metrics
  PRIVATE_LIBRARIES $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
tern_module(models
  SOURCES src/models HEADERS models DEPENDS data metrics
  PRIVATE_LIBRARIES $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
tern_module(optim SOURCES src/optim HEADERS optim DEPENDS nn)
tern_module(train
  SOURCES src/train HEADERS train DEPENDS data metrics models optim
  PRIVATE_LIBRARIES $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
tern_module(bundle
  SOURCES src/bundle HEADERS bundle DEPENDS train trees models
  PRIVATE_LIBRARIES LibZip::zip $<BUILD_INTERFACE:nlohmann_json::nlohmann_json>)
if(TARGET tern_bundle)
  target_compile_definitions(tern_bundle PRIVATE TERN_VERSION="${PROJECT_VERSION}"
                                                 TERN_BUILD_TYPE="$<IF:$<BOOL:$<CONFIG>>,$<CONFIG>,none>")
endif()

# What -O3 makes larger and no faster: tables and text, what only decides which kernel runs; and most of all files that
# write and read JSON, whose code is that of the library's inline functions.
foreach(module data metrics models nn optim train trees bundle)
  if(TARGET tern_${module})
    target_compile_options(tern_${module} PRIVATE "$<$<CONFIG:Release>:-O2>")
  endif()
endforeach()
if(NOT TERN_SANITIZE)  # where files without options of their own are compiled together
  set_source_files_properties(
    src/autograd/anomaly.cpp src/autograd/gradcheck.cpp src/base/json.cpp src/bundle/archive.cpp src/bundle/bundle.cpp
    src/bundle/card.cpp src/bundle/facts.cpp src/bundle/manifest.cpp src/bundle/predict.cpp src/bundle/profile.cpp
    src/data/column_names.cpp src/data/csv_notes.cpp src/data/csv_write.cpp src/data/estimator.cpp src/data/estimator_file.cpp src/data/formats.cpp src/data/idx.cpp src/data/near_names.cpp
    src/data/pipeline.cpp src/data/repeating_keys.cpp src/data/roles.cpp src/data/scalar.cpp
    src/data/schema.cpp src/data/selectors.cpp src/data/sentinels.cpp src/data/spellings.cpp src/data/splits.cpp
    src/data/step_base.cpp src/data/step_columns.cpp src/data/table_text.cpp
    src/data/step_categorical.cpp src/data/step_dates.cpp src/data/step_formats.cpp src/data/step_impute.cpp
    src/data/step_numeric.cpp src/data/step_target.cpp src/metrics/report_text.cpp src/models/als.cpp
    src/models/calibrate.cpp src/models/combine.cpp src/models/composite.cpp src/models/conformal.cpp src/models/cross_validate.cpp
    src/models/fields.cpp src/models/linear.cpp src/models/naive_bayes.cpp src/models/recommend.cpp
    src/models/register.cpp src/models/series.cpp src/models/source.cpp src/models/steps.cpp src/models/unsupervised.cpp
    src/nn/architecture.cpp src/nn/attributes.cpp src/nn/containers.cpp src/nn/init.cpp src/tensor/dlpack.cpp src/tensor/print.cpp src/tensor/safetensors.cpp src/train/baselines.cpp
    src/train/checkpoint.cpp src/train/leakage.cpp src/train/report.cpp src/train/task.cpp src/train/trainer.cpp
    src/trees/draw.cpp src/trees/ensemble.cpp src/trees/forest.cpp src/trees/gradient_boosting.cpp
    src/trees/gradient_boosting_file.cpp src/trees/importance.cpp src/trees/isolation_forest.cpp src/trees/json_form.cpp src/trees/lightgbm.cpp
    src/trees/register.cpp src/trees/table_features.cpp src/trees/ubjson.cpp src/trees/xgboost.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
  set_source_files_properties(
    src/ops/creation.cpp src/ops/index.cpp src/ops/random.cpp src/ops/shape.cpp src/ops/sort.cpp src/ops/subscript.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O2>")
  # Loops of many types and strides, of each of which -O3 makes three, and loops over rows that are no kernel's.
  set(loops "-O3")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(loops "-O2;-ftree-vectorize;-fvect-cost-model=dynamic")
  endif()
  set_source_files_properties(
    kernels/cpu/binary.cpp kernels/cpu/copy.cpp kernels/cpu/decompositions.cpp kernels/cpu/reduce.cpp
    src/models/blocks.cpp src/models/bpr.cpp src/models/directions.cpp src/models/glm.cpp src/models/k_means.cpp
    src/models/minimise.cpp src/models/neighbor_index.cpp src/models/pca.cpp src/trees/bins.cpp src/trees/flat.cpp
    src/trees/forest_grower.cpp src/trees/grower.cpp src/trees/predictor.cpp src/trees/shap.cpp src/trees/splits.cpp
    src/trees/trainer.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:${loops}>")
endif()

if(TERN_BUILD_FUZZERS)  # the parsers that stand in core
  set(parsers src/base/json.cpp src/tensor/safetensors.cpp)
  set_property(SOURCE ${parsers} APPEND PROPERTY COMPILE_OPTIONS -fsanitize=fuzzer-no-link)
  set_source_files_properties(${parsers} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endif()

add_library(tern INTERFACE)
add_library(tern::tern ALIAS tern)
target_link_libraries(tern INTERFACE ${TERN_MODULES})
if(EXISTS "${PROJECT_SOURCE_DIR}/include/tern/tern.h")
  target_sources(tern INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
                                FILES "${PROJECT_SOURCE_DIR}/include/tern/tern.h")
endif()
