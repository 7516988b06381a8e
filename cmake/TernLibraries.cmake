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
  target_compile_definitions(tern_train PRIVATE TERN_VERSION="${PROJECT_VERSION}")
  target_compile_definitions(tern_bundle PRIVATE TERN_VERSION="${PROJECT_VERSION}"
                                                 TERN_BUILD_TYPE="$<IF:$<BOOL:$<CONFIG>>,$<CONFIG>,none>")
endif()

# Above core most files write and read tables, text and JSON, whose code is that of the library's inline functions: small
# is as fast. The files that compute have a level of their own, and are compiled alone then.
foreach(module metrics nn optim)
  target_compile_options(tern_${module} PRIVATE "$<$<CONFIG:Release>:-O2>")
endforeach()
foreach(module data models train trees bundle)
  target_compile_options(tern_${module} PRIVATE "$<$<CONFIG:Release>:-Os>")
endforeach()
if(NOT TERN_SANITIZE)  # where all files of a module are compiled together
  set_source_files_properties(
    kernels/cpu/special.cpp src/autograd/anomaly.cpp src/autograd/gradcheck.cpp src/base/error.cpp src/base/file.cpp
    src/base/json.cpp src/base/number_text.cpp src/tensor/capture.cpp src/tensor/device.cpp src/tensor/dlpack.cpp
    src/tensor/foreign.cpp src/tensor/print.cpp src/tensor/safetensors.cpp src/tensor/sealed.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
  set_source_files_properties(
    src/autograd/function.cpp src/data/column.cpp src/data/column_cast.cpp src/data/csv_infer.cpp src/data/csv_read.cpp
    src/data/csv_records.cpp src/data/dataset.cpp src/data/duplicates.cpp src/data/equal_rows.cpp src/data/loader.cpp
    src/data/matrix.cpp src/data/rows.cpp src/data/seen_rows.cpp src/data/table.cpp src/models/elastic_net.cpp
    src/models/mixture.cpp src/models/neighbors.cpp src/models/nmf.cpp src/models/sgd.cpp src/models/svm.cpp
    src/ops/activation.cpp src/ops/compare.cpp src/ops/creation.cpp src/ops/index.cpp src/ops/loss.cpp
    src/ops/random.cpp src/ops/rows.cpp src/ops/shape.cpp src/ops/sort.cpp src/ops/subscript.cpp src/train/logistic.cpp
    src/trees/buffer.cpp src/trees/forest_trainer.cpp src/trees/histogram.cpp src/trees/inputs.cpp
    src/trees/objective.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O2>")
  # Loops of many types and strides, of each of which -O3 makes three, and loops over rows that are no kernel's.
  set(loops "-O3")
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(loops "-O2;-ftree-vectorize;-fvect-cost-model=dynamic")
  endif()
  set_source_files_properties(
    kernels/cpu/binary.cpp kernels/cpu/copy.cpp kernels/cpu/decompositions.cpp kernels/cpu/reduce.cpp
    src/models/als.cpp src/models/blocks.cpp src/models/bpr.cpp src/models/directions.cpp src/models/glm.cpp
    src/models/k_means.cpp src/models/minimise.cpp src/models/neighbor_index.cpp src/models/pca.cpp src/trees/bins.cpp
    src/trees/flat.cpp src/trees/forest_grower.cpp src/trees/grower.cpp src/trees/predictor.cpp src/trees/shap.cpp
    src/trees/splits.cpp src/trees/trainer.cpp
    PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:${loops}>")
endif()

if(TERN_BUILD_FUZZERS)  # the parsers that stand in core
  set(parsers src/base/json.cpp src/tensor/safetensors.cpp)
  set_property(SOURCE ${parsers} APPEND PROPERTY COMPILE_OPTIONS -fsanitize=fuzzer-no-link)
  set_source_files_properties(${parsers} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endif()
# What computes and reads nothing that a fuzzer makes.
tern_together(
  WITHOUT_COVERAGE
    src/models/blocks.cpp src/models/directions.cpp src/models/minimise.cpp
    src/models/neighbor_index.cpp src/trees/bins.cpp src/trees/buffer.cpp src/trees/draw.cpp
    src/trees/forest_grower.cpp src/trees/forest_trainer.cpp src/trees/grower.cpp src/trees/histogram.cpp
    src/trees/shap.cpp src/trees/splits.cpp src/trees/trainer.cpp)

add_library(tern INTERFACE)
add_library(tern::tern ALIAS tern)
target_link_libraries(tern INTERFACE ${TERN_MODULES})
if(EXISTS "${PROJECT_SOURCE_DIR}/include/tern/tern.h")
  target_sources(tern INTERFACE FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include"
                                FILES "${PROJECT_SOURCE_DIR}/include/tern/tern.h")
endif()
