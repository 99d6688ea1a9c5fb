// ASSERT: what must hold if our own code is right. It stays on in release builds, prints the
// expression and the values given, and aborts. What the world can get wrong (clients, disks) is an
// Error and never reaches an ASSERT.
#pragma once
#include <fmt/core.h>

#include <string_view>

namespace base::detail {

struct AssertPlace {
  const char* file;
  int line;
  const char* expression;
};

[[noreturn]] void assert_failed(AssertPlace place);
[[noreturn]] void assert_failed(AssertPlace place, fmt::string_view format, fmt::format_args args);

template <class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void assert_failed_with(AssertPlace place,
                                                               fmt::format_string<Args...> format,
                                                               const Args&... args) {
  assert_failed(place, format, fmt::make_format_args(args...));
}

[[noreturn, gnu::cold, gnu::noinline]] inline void assert_failed_with(AssertPlace place) {
  assert_failed(place);
}

}  // namespace base::detail

// ASSERT(used <= size);
// ASSERT(used <= size, "used {} size {}", used, size);
// An expression, so that it adds no block to the code around it.
#define ASSERT(condition, ...)                                           \
  (__builtin_expect(static_cast<bool>(condition), 1)                     \
       ? static_cast<void>(0)                                            \
       : ::base::detail::assert_failed_with(::base::detail::AssertPlace{ \
             __FILE__, __LINE__, #condition} __VA_OPT__(, ) __VA_ARGS__))
