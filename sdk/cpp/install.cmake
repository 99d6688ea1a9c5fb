# The SDK as it is installed: libdray, headers, a CMake package (`find_package(dray CONFIG)`, target
# `dray::sdk`) and dray.pc. `cmake --install build/release --component sdk_cpp --prefix …`

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# It stands alone, so it is compiled once more: with fmt as headers and with the few sources of ours
# that it needs, whose namespaces get names that no program of a user has.
get_target_property(sdk_sources sdk_cpp SOURCES)
list(TRANSFORM sdk_sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
set(shared_sources
    base/assert.cc
    base/base32.cc
    base/clock.cc
    base/error.cc
    base/random.cc
    protocol/resp_encoder.cc
    protocol/resp_reply_parser.cc
    protocol/text.cc)
list(TRANSFORM shared_sources PREPEND "${CMAKE_SOURCE_DIR}/src/")
add_library(sdk_cpp_objects OBJECT ${sdk_sources} ${shared_sources})
target_include_directories(
  sdk_cpp_objects PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}/include" "${CMAKE_SOURCE_DIR}"
                          "${CMAKE_SOURCE_DIR}/src")
target_compile_definitions(
  sdk_cpp_objects PRIVATE base=dray_base core=dray_core protocol=dray_protocol)
target_link_libraries(
  sdk_cpp_objects PRIVATE dray_warnings fmt::fmt-header-only tl::expected OpenSSL::SSL
                          Threads::Threads)

add_library(dray_sdk STATIC $<TARGET_OBJECTS:sdk_cpp_objects>)
add_library(dray_sdk_shared SHARED $<TARGET_OBJECTS:sdk_cpp_objects>)
foreach(library IN ITEMS dray_sdk dray_sdk_shared)
  # No header of ours shows OpenSSL: only who links the static library hears of it.
  target_link_libraries(${library} PUBLIC Threads::Threads PRIVATE OpenSSL::SSL)
  target_compile_features(${library} INTERFACE cxx_std_20)
  set_target_properties(${library} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME dray)
endforeach()
set_target_properties(dray_sdk PROPERTIES EXPORT_NAME sdk)
# Before 1.0 a minor version may break what an earlier one promised.
set_target_properties(
  dray_sdk_shared
  PROPERTIES EXPORT_NAME sdk_shared
             VERSION "${PROJECT_VERSION}"
             SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}"
             LINK_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/exports.map")
target_link_options(
  dray_sdk_shared PRIVATE "-Wl,--version-script=${CMAKE_CURRENT_SOURCE_DIR}/exports.map"
                          -Wl,--no-undefined)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/dray")
install(
  TARGETS dray_sdk dray_sdk_shared
  EXPORT dray
  COMPONENT sdk_cpp
  INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk_cpp
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT sdk_cpp NAMELINK_COMPONENT sdk_cpp)
install(DIRECTORY include/dray DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT sdk_cpp)
install(EXPORT dray NAMESPACE dray:: DESTINATION "${package_folder}" COMPONENT sdk_cpp
        FILE drayTargets.cmake)
configure_package_config_file(
  dray-config.cmake.in "${CMAKE_CURRENT_BINARY_DIR}/dray-config.cmake"
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/dray-config-version.cmake" COMPATIBILITY SameMinorVersion)

# Relative to its own place, so that an installed folder can be moved.
file(RELATIVE_PATH pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
configure_file(dray.pc.in "${CMAKE_CURRENT_BINARY_DIR}/dray.pc" @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/dray-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/dray-config-version.cmake"
        DESTINATION "${package_folder}" COMPONENT sdk_cpp)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/dray.pc"
        DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT sdk_cpp)
