# tern_module(NAME [SOURCES dir...] [HEADERS module...] [DEPENDS module...] [PRIVATE_LIBRARIES target...])
#
# One room of the library: target tern_NAME, alias tern::NAME. Sources are every .cpp of the named folders below src/ or
# kernels/, headers every .h of the named folders below include/tern/. Third-party libraries link PRIVATE.
set(TERN_MODULES "" CACHE INTERNAL "")

function(tern_compile_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -Wall -Wextra -ffp-contract=off)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    target_compile_options(${target} PRIVATE -Wno-restrict)  # false alarms on "x" + std::to_string(n), GCC bug 105651
  endif()
  if(TERN_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TERN_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${TERN_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_compile_definitions(${target} PRIVATE TERN_SANITIZE)
    target_link_options(${target} PUBLIC -fsanitize=${TERN_SANITIZE})
  endif()
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
endfunction()

# tern_vector_target(TARGET BYTES [FLAG...])
#
# Adds kernels/cpu/vector/*.cpp to tern_core, compiled for one instruction set (kernels/cpu/target.h); files named *_bf16
# only for avx512_bf16, which has no others.
function(tern_vector_target target bytes)
  if(target MATCHES "_bf16$")
    set(which INCLUDE)
  else()
    set(which EXCLUDE)
  endif()
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cpu/vector/*.cpp")
  list(FILTER sources ${which} REGEX "_bf16\\.cpp$")
  add_library(tern_core_${target} OBJECT ${sources})
  target_include_directories(tern_core_${target} PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src"
                                                         "${PROJECT_SOURCE_DIR}/kernels")
  target_compile_definitions(tern_core_${target} PRIVATE TERN_TARGET=${target} TERN_VECTOR_BYTES=${bytes})
  target_compile_options(tern_core_${target} PRIVATE ${ARGN})
  tern_compile_options(tern_core_${target})
  target_sources(tern_core PRIVATE $<TARGET_OBJECTS:tern_core_${target}>)
endfunction()

# tern_cuda_kernels()
#
# Adds kernels/cuda to tern_core. Device code is compressed: it is a tenth of its size then. No fused multiply-add: see
# kernels/cuda/elementwise.cuh.
function(tern_cuda_kernels)
  file(GLOB kernels CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/*.cu")
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/kernels/cuda/*.cpp")
  add_library(tern_core_cuda OBJECT ${kernels})
  target_include_directories(tern_core_cuda PRIVATE "${PROJECT_SOURCE_DIR}/include" "${PROJECT_SOURCE_DIR}/src"
                                                    "${PROJECT_SOURCE_DIR}/kernels")
  # CMake 3.25 knows no CUDA_STANDARD 20.
  target_compile_options(tern_core_cuda PRIVATE
    -std=c++20 --expt-relaxed-constexpr -fmad=false --compress-mode=size -diag-suppress=186
    -Xcompiler=-Wall,-Wextra,-ffp-contract=off,-fvisibility=hidden,-fvisibility-inlines-hidden)
  if(TERN_WERROR)
    target_compile_options(tern_core_cuda PRIVATE -Werror=all-warnings)
  endif()
  set_target_properties(tern_core_cuda PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_sources(tern_core PRIVATE ${sources} $<TARGET_OBJECTS:tern_core_cuda>)
  string(REPLACE ";" "\\;" architectures "${TERN_CUDA_ARCHITECTURES}")  # one definition of several
  set_source_files_properties("${PROJECT_SOURCE_DIR}/kernels/cuda/runtime.cpp" PROPERTIES
    COMPILE_DEFINITIONS "TERN_CUDA_ARCHITECTURES=\"${architectures}\"")
  target_include_directories(tern_core SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
  target_link_libraries(tern_core PRIVATE CUDA::cudart_static ${CMAKE_DL_LIBS})
  set_target_properties(tern_core PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

function(tern_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_LIBRARIES" ${ARGN})
  set(sources "")
  foreach(folder IN LISTS ARG_SOURCES)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  if(name STREQUAL "core")
    list(FILTER sources EXCLUDE REGEX "/parallel_(tbb|std)\\.cpp$")
    list(APPEND sources "${PROJECT_SOURCE_DIR}/src/base/parallel_${TERN_THREADS}.cpp")
  endif()
  set(headers "")
  foreach(folder IN LISTS ARG_HEADERS)
    file(GLOB found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/tern/${folder}/*.h")
    list(APPEND headers ${found})
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_library(tern_${name} ${sources})
  add_library(tern::${name} ALIAS tern_${name})
  target_sources(tern_${name} PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  target_include_directories(tern_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/kernels")
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(tern_${name} PUBLIC tern::${dependency})
  endforeach()
  foreach(library IN LISTS ARG_PRIVATE_LIBRARIES)
    target_link_libraries(tern_${name} PRIVATE ${library})
  endforeach()
  tern_compile_options(tern_${name})
  if(TERN_HAS_CUDA)  # see src/tensor/thread_local.h
    target_compile_definitions(tern_${name} PRIVATE TERN_TLS_MODEL="global-dynamic")
  endif()
  if(TERN_BUILD_FUZZERS AND NOT name STREQUAL "core")  # the parsers; coverage of kernels teaches a fuzzer nothing
    target_compile_options(tern_${name} PRIVATE -fsanitize=fuzzer-no-link)
  endif()
  # Under a sanitizer, headers that nearly every file reads are parsed once: the core's, and, with JSON, of all above it.
  if(TERN_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    if(name STREQUAL "core")
      target_precompile_headers(tern_core PRIVATE "${PROJECT_SOURCE_DIR}/src/autograd/node.h" <algorithm> <functional>)
    elseif(name STREQUAL "data")
      target_precompile_headers(tern_data PRIVATE "${PROJECT_SOURCE_DIR}/src/base/json.h" <algorithm> <cmath> <limits>
                                <map> <unordered_map> <unordered_set>
                                "${PROJECT_SOURCE_DIR}/include/tern/data/table.h"
                                "${PROJECT_SOURCE_DIR}/include/tern/tensor/creation.h")
    else()
      target_precompile_headers(tern_${name} REUSE_FROM tern_data)
    endif()
  endif()
  # No DEFINE_SYMBOL: visibility needs none, and static and shared objects then compile by the same command.
  set_target_properties(tern_${name} PROPERTIES EXPORT_NAME ${name} VERSION ${PROJECT_VERSION}
                                                SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}
                                                DEFINE_SYMBOL "" INSTALL_RPATH "$ORIGIN")
  set(TERN_MODULES ${TERN_MODULES} tern_${name} CACHE INTERNAL "")
endfunction()

# tern_together([WITHOUT_COVERAGE file...])
#
# Compiles the files of each room above core that have no options of their own as one: inline functions, those of JSON
# above all, are compiled once for all of them. CMake's own UNITY_BUILD does the same, but a compiler's cache would not
# know its files again where Tern is a part of another project's build: they lie in another folder, seen from the build's.
# Of the files named, a build of the fuzzers, under a sanitizer, leaves out what tells them where an input led.
function(tern_together)
  cmake_parse_arguments(ARG "" "" "WITHOUT_COVERAGE" ${ARGN})
  list(TRANSFORM ARG_WITHOUT_COVERAGE PREPEND "${PROJECT_SOURCE_DIR}/")
  foreach(target IN LISTS TERN_MODULES)
    if(target STREQUAL "tern_core")
      continue()
    endif()
    get_target_property(sources ${target} SOURCES)
    set(units "")
    foreach(source IN LISTS sources)
      get_source_file_property(options "${source}" COMPILE_OPTIONS)
      if(options)
        continue()
      endif()
      set(unit "${CMAKE_BINARY_DIR}/together/${target}.cpp")
      if(TERN_BUILD_FUZZERS AND source IN_LIST ARG_WITHOUT_COVERAGE)
        set(unit "${CMAKE_BINARY_DIR}/together/${target}_plain.cpp")
      endif()
      list(APPEND units "${unit}")
      file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}/src" "${source}")
      string(APPEND "text_${unit}" "#include \"${path}\"\n")
      set_source_files_properties("${source}" PROPERTIES HEADER_FILE_ONLY ON)
    endforeach()
    list(REMOVE_DUPLICATES units)
    foreach(unit IN LISTS units)
      file(CONFIGURE OUTPUT "${unit}" CONTENT "${text_${unit}}" @ONLY)
      if(unit MATCHES "_plain\\.cpp$")  # not -fsanitize=fuzzer-no-link itself: the precompiled header has it
        set_source_files_properties("${unit}" PROPERTIES COMPILE_OPTIONS
          "-fno-sanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table")
      endif()
      target_sources(${target} PRIVATE "${unit}")
    endforeach()
  endforeach()
endfunction()
