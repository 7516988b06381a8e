# A relocatable install: find_package(tern CONFIG) gives tern::core, tern::data, … and tern::tern, static or shared.
include(CMakePackageConfigHelpers)
set(TERN_INSTALL_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/tern")

install(TARGETS ${TERN_MODULES} tern EXPORT ternTargets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}"
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT ternTargets NAMESPACE tern:: DESTINATION "${TERN_INSTALL_CMAKEDIR}")

# A shared library carries its own dependencies; a static one hands them to whoever links it.
get_target_property(tern_core_type tern_core TYPE)
if(tern_core_type STREQUAL "STATIC_LIBRARY")
  set(TERN_CONFIG_STATIC TRUE)
else()
  set(TERN_CONFIG_STATIC FALSE)
endif()
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/ternConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/cmake/ternConfig.cmake"
                              INSTALL_DESTINATION "${TERN_INSTALL_CMAKEDIR}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/cmake/ternConfigVersion.cmake"
                                 VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/cmake/ternConfig.cmake" "${PROJECT_BINARY_DIR}/cmake/ternConfigVersion.cmake"
              "${PROJECT_SOURCE_DIR}/cmake/FindLibZip.cmake"
        DESTINATION "${TERN_INSTALL_CMAKEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
