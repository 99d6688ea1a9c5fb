#include "sdk/cpp/handlers.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <ranges>
#include <typeinfo>

#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

// A type's name as it stands in the source: dray::PermanentError.
std::string type_name(const std::type_info& type) {
  struct Free {
    void operator()(char* text) const { std::free(text); }  // NOLINT: __cxa_demangle mallocs.
  };
  int status = 0;
  const std::unique_ptr<char, Free> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status));
  return status == 0 && text ? std::string(text.get()) : std::string(type.name());
}

Outcome outcome_of(Failure failure) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kFail;
  outcome.failure = std::move(failure);
  return outcome;
}

}  // namespace

void Handlers::add(std::string type, Handler handler) {
  if (type.empty()) throw_error(ErrorCode::kBadReq, "field=type is empty");
  if (!by_type_.emplace(type, std::move(handler)).second) {
    throw_error(ErrorCode::kBadReq, "field=type " + type + " has a handler already");
  }
}

std::vector<std::string> Handlers::types() const {
  std::vector<std::string> types;
  if (any_) return types;
  for (const auto& [type, handler] : by_type_) types.push_back(type);
  return types;
}

const Handler* Handlers::find(const std::string& type) const {
  const auto found = by_type_.find(type);
  if (found != by_type_.end()) return &found->second;
  return any_ ? &any_ : nullptr;
}

std::optional<std::string> Handlers::call_within(const Handler& handler, Context& context) const {
  RunNext next = [&] { return handler(context); };
  for (const RunMiddleware& around : middleware_ | std::views::reverse) {
    next = [&context, &around, inner = std::move(next)] { return around(context, inner); };
  }
  return next();
}

bool Handlers::is_permanent() const {
  return std::ranges::any_of(permanent_, [](const auto& matches) { return matches(); });
}

Outcome Handlers::failed() const {
  try {
    throw;
  } catch (const JobError& error) {
    Failure failure = error.failure();
    if (failure.error_class.empty()) failure.error_class = type_name(typeid(error));
    failure.permanent = failure.permanent || is_permanent();
    return outcome_of(std::move(failure));
  } catch (const std::exception& error) {
    return outcome_of(Failure{.error_class = type_name(typeid(error)),
                              .message = error.what(),
                              .permanent = is_permanent()});
  } catch (...) {
    return outcome_of(Failure{.error_class = "unknown",
                              .message = "the handler threw something that is no std::exception",
                              .permanent = is_permanent()});
  }
}

std::optional<Outcome> Handlers::run(Context& context, std::exception_ptr* thrown) const {
  const Handler* handler = find(context.type());
  if (handler == nullptr) return std::nullopt;
  try {
    return Outcome{.result = call_within(*handler, context)};
  } catch (const Snooze& snooze) {
    return Outcome{.kind = Outcome::Kind::kRelease, .delay = snooze.delay()};
  } catch (...) {
    if (thrown != nullptr) *thrown = std::current_exception();
    return failed();
  }
}

}  // namespace dray::detail
