# What a folder's CMakeLists.txt needs: dray_library, dray_executable, dray_test, dray_fuzz,
# dray_script_test. A folder stays at a few lines, and the direction of the dependencies is checked
# here, at configure time, before any linker has to.

# Which of our targets each may name in DEPENDS. A target that is not listed (tests, bench,
# examples) may see all.
set(DRAY_MAY_SEE_base "")
set(DRAY_MAY_SEE_core base)
set(DRAY_MAY_SEE_store base core)
set(DRAY_MAY_SEE_store_memory base core store)
set(DRAY_MAY_SEE_store_file_journal base core store)
set(DRAY_MAY_SEE_store_sqlite base core store)
set(DRAY_MAY_SEE_store_postgres base core store)
set(DRAY_MAY_SEE_engine base core store)
set(DRAY_MAY_SEE_protocol base core)
set(DRAY_MAY_SEE_auth base core protocol)
set(DRAY_MAY_SEE_sdk_cpp base protocol)
set(DRAY_MAY_SEE_config base protocol)
set(DRAY_MAY_SEE_cli base protocol sdk_cpp config auth)
set(DRAY_MAY_SEE_repair base core store store_file_journal store_sqlite engine cli)
set(DRAY_MAY_SEE_server
    base core store store_memory store_file_journal store_sqlite store_postgres engine protocol
    auth config cli repair sdk_cpp)

# Target in-process-tests: all that the tests with one of these labels run, which is what is built
# and run under sanitizers (tools/test.sh).
set(DRAY_IN_PROCESS_LABELS unit model fuzz-short)
add_custom_target(in-process-tests)

# Fails when `target` names one of our targets that it may not see.
function(_dray_check_depends target)
  if(NOT DEFINED DRAY_MAY_SEE_${target})
    return()
  endif()
  foreach(dependency IN LISTS ARGN)
    if(dependency MATCHES "::")
      continue()  # A library from outside.
    endif()
    if(NOT dependency IN_LIST DRAY_MAY_SEE_${target})
      message(FATAL_ERROR "${target} may not depend on ${dependency} (see cmake/dray.cmake)")
    endif()
  endforeach()
endfunction()

function(_dray_configure target)
  # build/<preset>/src holds generated headers, under the folder they belong to.
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}/src" "${CMAKE_BINARY_DIR}/src")
  target_link_libraries(${target} PRIVATE dray_warnings)
endfunction()

# What runs for each job. g++ bounds how much a unit may grow by inlining, so that in a group of
# sources less is inlined: 5 % of the rate of lives. These are compiled alone where they ship (ADR 0013).
set(DRAY_HOT base core store store_memory store_file_journal store_sqlite engine protocol)

# dray_library(name SOURCES a.cc … DEPENDS base fmt::fmt …)
# A static library; with no SOURCES, a library of headers only. Our own targets are written by name
# (`core`, `store_file_journal`, `sdk_cpp`), outside ones with `::`.
function(dray_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dray_library(${name}): unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  _dray_check_depends(${name} ${arg_DEPENDS})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    _dray_configure(${name})
    target_link_libraries(${name} PUBLIC ${arg_DEPENDS})
    if(name IN_LIST DRAY_HOT AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set_target_properties(${name} PROPERTIES UNITY_BUILD OFF)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE "${CMAKE_SOURCE_DIR}/src")
    target_link_libraries(${name} INTERFACE ${arg_DEPENDS})
  endif()
endfunction()

# dray_executable(name SOURCES … DEPENDS … [AT_ROOT])
# AT_ROOT puts the binary at build/<preset>/<name> instead of its folder's place in the build tree.
function(dray_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "AT_ROOT" "" "SOURCES;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dray_executable(${name}): unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  add_executable(${name} ${arg_SOURCES})
  _dray_configure(${name})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS})
  if(arg_AT_ROOT)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  endif()
endfunction()

# dray_test(folder [SOURCES extra.cc …] [DEPENDS …] [LABEL unit] [TIMEOUT seconds])
# One GoogleTest program `<folder>_test` of all *_test.cc beside the sources. Links the library
# `folder`, when there is one. Every TEST is a ctest test named `<folder>.<Suite>.<Name>`, run with the
# root of the repository as working directory (for golden files).
function(dray_test folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT" "SOURCES;DEPENDS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "dray_test(${folder}): unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_LABEL)
    set(arg_LABEL unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  file(GLOB tests CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*_test.cc")
  if(NOT tests)
    message(FATAL_ERROR "dray_test(${folder}): no *_test.cc in ${CMAKE_CURRENT_SOURCE_DIR}")
  endif()
  add_executable(${folder}_test ${tests} ${arg_SOURCES})
  _dray_configure(${folder}_test)
  if(TARGET ${folder})
    target_link_libraries(${folder}_test PRIVATE ${folder})
  endif()
  target_link_libraries(${folder}_test PRIVATE ${arg_DEPENDS} GTest::gmock GTest::gtest_main)
  # What is tested is built as it ships. To optimise the tests too would take as long as that again.
  target_compile_options(${folder}_test PRIVATE -O0 -U_FORTIFY_SOURCE)
  if(arg_LABEL IN_LIST DRAY_IN_PROCESS_LABELS)
    add_dependencies(in-process-tests ${folder}_test)
  endif()
  include(GoogleTest)
  gtest_discover_tests(
    ${folder}_test
    TEST_PREFIX "${folder}."
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 120
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT})
endfunction()

# dray_fuzz(name SOURCES name_fuzz.cc DEPENDS …)
# A libFuzzer program build/<preset>/fuzz/<name>, in the presets built by clang with
# AddressSanitizer. Its seeds lie in corpus/<name>/ beside the source. In `asan` a short run is a
# ctest test (label fuzz-short); `./x fuzz` runs the coverage-guided build of preset `fuzz`. The
# target `fuzz-targets` is all of them.
function(dray_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  if(NOT DRAY_SANITIZE MATCHES "address" OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  if(NOT TARGET fuzz-targets)
    add_custom_target(fuzz-targets)
  endif()
  add_dependencies(fuzz-targets ${name})
  add_dependencies(in-process-tests ${name})
  _dray_configure(${name})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/fuzz")
  set(corpus "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
  if(NOT EXISTS "${corpus}")
    set(corpus "")
  endif()
  # libFuzzer writes what it finds into the first folder: never into the checked-in seeds.
  set(found "${CMAKE_BINARY_DIR}/fuzz/found/${name}")
  file(MAKE_DIRECTORY "${found}")
  file(WRITE "${CMAKE_BINARY_DIR}/fuzz/${name}.corpus" "${corpus}\n")
  add_test(
    NAME fuzz.${name}
    COMMAND ${name} -runs=20000 -max_total_time=20 -timeout=10 -rss_limit_mb=2048 -seed=1
            -artifact_prefix=${CMAKE_BINARY_DIR}/fuzz/crash-${name}- "${found}" ${corpus})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz-short TIMEOUT 120)
endfunction()

# dray_script_test(name LABEL label COMMAND … [TIMEOUT seconds] [SERIAL])
# A test that is a program or a script. It finds the server in $DRAY_BINARY and the build folder in
# $DRAY_BUILD. Exit 77: skipped. SERIAL: nothing else runs beside it (it needs both cores, or measures time).
function(dray_script_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "LABEL;TIMEOUT" "COMMAND")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(
    ${name}
    PROPERTIES LABELS ${arg_LABEL} TIMEOUT ${arg_TIMEOUT} SKIP_RETURN_CODE 77 ENVIRONMENT
               "DRAY_BINARY=${CMAKE_BINARY_DIR}/dray;DRAY_BUILD=${CMAKE_BINARY_DIR}")
  if(arg_SERIAL)
    set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
  endif()
  foreach(word IN LISTS arg_COMMAND)
    string(REGEX REPLACE "^\\$<TARGET_FILE:(.*)>$" "\\1" program "${word}")
    if(TARGET ${program} AND arg_LABEL IN_LIST DRAY_IN_PROCESS_LABELS)
      add_dependencies(in-process-tests ${program})
    endif()
  endforeach()
endfunction()

# Registers every tests/<folder>/run_test.sh as test `<folder>.run_test` with label `<folder>`. With a
# line `# Runs alone: <why>` in the script nothing else runs beside it.
function(dray_register_scripts)
  file(GLOB scripts CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/*/run_test.sh")
  foreach(script IN LISTS scripts)
    cmake_path(GET script PARENT_PATH folder)
    cmake_path(GET folder FILENAME folder)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${script}")
    file(STRINGS "${script}" why_alone REGEX "^# Runs alone: ")
    set(serial "")
    if(why_alone)
      set(serial SERIAL)
    endif()
    dray_script_test(${folder}.run_test LABEL ${folder} TIMEOUT 900 ${serial}
                     COMMAND bash "${script}")
  endforeach()
endfunction()

# Target check-headers: each of our headers compiles alone, which a unity build does not show.
function(dray_check_headers)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_SOURCE_DIR}"
       "${CMAKE_SOURCE_DIR}/src/*.h" "${CMAKE_SOURCE_DIR}/sdk/cpp/*.h" "${CMAKE_SOURCE_DIR}/tests/*.h"
       "${CMAKE_SOURCE_DIR}/bench/*.h")
  set(sources "")
  foreach(header IN LISTS headers)
    set(source "${CMAKE_BINARY_DIR}/check_headers/${header}.cc")
    set(text "#include \"${CMAKE_SOURCE_DIR}/${header}\"\n")
    file(CONFIGURE OUTPUT "${source}" CONTENT "${text}" @ONLY)
    list(APPEND sources "${source}")
  endforeach()
  if(NOT sources)
    return()
  endif()
  add_library(check-headers OBJECT EXCLUDE_FROM_ALL ${sources})
  target_include_directories(
    check-headers PRIVATE "${CMAKE_SOURCE_DIR}/src" "${CMAKE_SOURCE_DIR}/sdk/cpp/include"
                          "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/tests"
                          "${CMAKE_BINARY_DIR}/src")
  target_link_libraries(check-headers PRIVATE dray_warnings)
  if(TARGET protocol)
    add_dependencies(check-headers protocol)  # It generates headers.
  endif()
  # Only whether it compiles is asked: no code, no optimiser.
  target_compile_options(check-headers PRIVATE -O0 -g0 -U_FORTIFY_SOURCE)
  set_target_properties(check-headers PROPERTIES UNITY_BUILD OFF)
endfunction()
