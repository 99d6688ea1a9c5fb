#include "core/job_options.h"

#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

bool JobChanges::empty() const {
  return !queue && !type && !args && !priority && !options.backoff &&
         std::ranges::none_of(kNumberOptions, [&](const NumberOption& option) {
           return (options.*option.field).has_value();
         });
}

std::string changes_text(const JobChanges& changes) {
  std::string text;
  const auto add = [&](std::string_view option, std::string_view value) {
    if (!text.empty()) text += ' ';
    text += option;
    if (!value.empty()) text.append(" ").append(value);
  };
  if (changes.queue) add("QUEUE", *changes.queue);
  if (changes.type) add("TYPE", *changes.type);
  if (changes.priority) add("PRIORITY", std::to_string(*changes.priority));
  for (const NumberOption& option : kNumberOptions) {
    if (const auto value = changes.options.*option.field) add(option.name, std::to_string(*value));
  }
  if (changes.options.backoff) add("BACKOFF", backoff_text(*changes.options.backoff));
  if (changes.args) add("ARGS", {});
  return text;
}

Status check_options(const JobOptions& options) {
  constexpr Range kAny{0, limits::kDurationMsMax};
  constexpr Range kSome{1, limits::kDurationMsMax};
  constexpr Range kLease{limits::kLeaseMsMin, limits::kLeaseMsMax};
  constexpr Range kFuture{0, int64_t{1} << 60};
  if (options.attempts) TRY(check_range("ATTEMPTS", *options.attempts, {1, limits::kAttemptsMax}));
  if (options.crashes) TRY(check_range("CRASHES", *options.crashes, {1, limits::kCrashesMax}));
  if (options.delay_ms) TRY(check_range("DELAY", *options.delay_ms, kAny));
  if (options.at_ms) TRY(check_range("AT", *options.at_ms, kFuture));
  if (options.timeout_ms) TRY(check_range("TIMEOUT", *options.timeout_ms, kAny));
  if (options.soft_timeout_ms) TRY(check_range("SOFTTIMEOUT", *options.soft_timeout_ms, kAny));
  if (options.lease_ms) TRY(check_range("LEASE", *options.lease_ms, kLease));
  if (options.expire_ms) TRY(check_range("EXPIRE", *options.expire_ms, kSome));
  if (options.keep_ms) TRY(check_range("KEEP", *options.keep_ms, kAny));
  if (options.delay_ms && options.at_ms) {
    return base::fail(ErrorCode::kBadReq, "field=AT DELAY and AT exclude each other");
  }
  return {};
}

std::optional<RunAt> run_at_of(const Context& context, const JobOptions& options) {
  if (options.delay_ms && *options.delay_ms > 0) {
    return RunAt{(context.now.engine + base::Duration{*options.delay_ms}).ms, false};
  }
  if (!options.at_ms) return std::nullopt;
  const bool held = context.now.engine < context.state.wall_hold_until();
  if (!held && *options.at_ms <= context.now.wall.ms) return std::nullopt;
  return RunAt{*options.at_ms, true};
}

Status check_queue_bound(const State& state, std::string_view queue) {
  if (state.queues().size() < limits::kQueuesMax || state.find_queue(queue) != nullptr) return {};
  return base::fail(ErrorCode::kOverloaded,
                    "retry_ms=60000 limit={} queues: put the variable part into the args",
                    limits::kQueuesMax);
}

Status check_type_bound(const State& state, std::string_view type) {
  if (state.types().size() < limits::kTypesMax || state.find_type(type) != nullptr) return {};
  return base::fail(ErrorCode::kOverloaded,
                    "retry_ms=60000 limit={} types: put the variable part into the args",
                    limits::kTypesMax);
}

}  // namespace core
