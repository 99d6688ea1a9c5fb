# The checks of the source as tests, in one preset only: they look at the same files in each.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR DRAY_SANITIZE)
  return()
endif()

foreach(part IN ITEMS format tidy selftest headers clang-tidy)
  dray_script_test(lint.${part} LABEL lint TIMEOUT 900 COMMAND bash tools/lint.sh ${part})
endforeach()
# These two use all processors themselves.
set_tests_properties(lint.headers lint.clang-tidy PROPERTIES RUN_SERIAL ON)
