#include "base/assert.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace base::detail {

// Writes with stdio and not with LOG: the log may be what is broken.
void assert_failed(AssertPlace place) {
  std::fprintf(stderr, "%s:%d: ASSERT(%s) failed\n", place.file, place.line, place.expression);
  std::abort();
}

void assert_failed(AssertPlace place, fmt::string_view format, fmt::format_args args) {
  std::string values;
  try {
    values = fmt::vformat(format, args);
  } catch (...) {  // Out of memory, or a formatter's fault: the place matters more.
    assert_failed(place);
  }
  std::fprintf(stderr, "%s:%d: ASSERT(%s) failed: %s\n", place.file, place.line, place.expression,
               values.c_str());
  std::abort();
}

}  // namespace base::detail
