// Result<T>: a value or an Error. The only way a fallible function of Dray answers; no exception
// crosses a folder.
#pragma once
#include <fmt/core.h>

#include <string_view>
#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace base {

// A T or an Error, with the interface of std::expected. Not looking at one is a compile error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  // Implicit, for what map() returns. For chains there is TRY.
  // NOLINTNEXTLINE(google-explicit-constructor): as in std::expected.
  Result(tl::expected<T, Error> base) : Base(std::move(base)) {}
  // NOLINTNEXTLINE(google-explicit-constructor): as in std::expected.
  Result(Error error) : Base(tl::unexpected<Error>(std::move(error))) {}
};

// Success without a value, or an Error.
using Status = Result<void>;

// Makes the failure that any Result can be built from:
// `return fail(ErrorCode::kTooBig, "args of {} bytes, limit {}", got, limit);`
template <class... Args>
tl::unexpected<Error> fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// Returns `result` with "what: " put before an error's message. Each hop that knows more says it.
template <class T>
Result<T> with_context(Result<T> result, std::string_view what) {
  if (!result.has_value()) {
    result.error().message = fmt::format("{}: {}", what, result.error().message);
  }
  return result;
}

// Drops a result on purpose. Requires: `why` says what makes that right.
template <class T>
void ignore(Result<T>&& /*result*/, std::string_view /*why*/) {}

namespace detail {
template <class T>
T take(Result<T>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
}  // namespace detail

}  // namespace base

// The value of a Result; an Error makes the calling function return it. `auto x = TRY(load(id));`
// It is an expression, which needs the statement expressions that g++ and clang both have.
#define TRY(...)                                                              \
  ({                                                                          \
    ::base::Result try_result_ = (__VA_ARGS__);                               \
    if (!try_result_.has_value()) [[unlikely]]                                \
      return ::tl::unexpected<::base::Error>(std::move(try_result_).error()); \
    ::base::detail::take(std::move(try_result_));                             \
  })
