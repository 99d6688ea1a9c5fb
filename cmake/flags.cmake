# Compiler and linker flags. Third-party headers come in as SYSTEM includes and are not warned about.

set(DRAY_SANITIZE "" CACHE STRING "Sanitizers to build with, as -fsanitize= takes them")
option(DRAY_FUZZ_COVERAGE "Instrument all code for libFuzzer" OFF)
option(DRAY_LTO "Link-time optimisation" OFF)

include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${DRAY_LTO})

# Warnings are for our targets only; hardening and sanitizers are for everything that is compiled.
add_library(dray_warnings INTERFACE)
target_compile_options(dray_warnings INTERFACE -Wall -Wextra -Wconversion -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(dray_warnings INTERFACE -Wthread-safety -Wimplicit-fallthrough)
else()
  # g++ 12 reports overlapping copies in std::string's own operator+ (GCC bug 105651).
  target_compile_options(dray_warnings INTERFACE -Wno-restrict)
endif()

# Nobody puts another function in the place of one of ours: within a source they may be inlined.
add_compile_options(-fno-semantic-interposition)
# Library assertions stay on in production: a crash is better than a silent overrun.
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_compile_options(-fstack-protector-strong -fno-omit-frame-pointer)
# The same source gives the same bytes, wherever it was checked out.
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")
add_link_options(-Wl,-z,relro -Wl,-z,now)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  add_compile_options(-fcf-protection)
endif()

if(DRAY_SANITIZE)
  add_compile_options(-fsanitize=${DRAY_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${DRAY_SANITIZE})
  add_compile_definitions(DRAY_SANITIZED=1)
  if(DRAY_FUZZ_COVERAGE)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
else()
  # Sanitizers do not know the fortified library calls, so the two exclude each other.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
endif()
