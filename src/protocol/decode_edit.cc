// JOB.EDIT and QUEUE.SET: options alone, each of which may change something.
#include <algorithm>
#include <array>

#include "core/backoff.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"
#include "protocol/text.h"

namespace protocol {
namespace {

enum class EditOption : uint8_t {
  kDelay,
  kAt,
  kAttempts,
  kTimeout,
  kSoftTimeout,
  kLease,
  kExpire,
  kCrashes,
  kKeep,
  kQueue,
  kType,
  kArgs,
  kPriority,
  kBackoff,
  kWhere,
  kLimit,
  kRate,
  kDryRun,
};
constexpr std::array<std::string_view, 18> kEditOptions = {
    "DELAY", "AT",   "ATTEMPTS", "TIMEOUT",  "SOFTTIMEOUT", "LEASE", "EXPIRE", "CRASHES", "KEEP",
    "QUEUE", "TYPE", "ARGS",     "PRIORITY", "BACKOFF",     "WHERE", "LIMIT",  "RATE",    "DRYRUN"};
static_assert(kEditOptions.size() == static_cast<size_t>(EditOption::kDryRun) + 1);

// Where the first options, which are numbers, go.
using Number = std::optional<int64_t> core::JobOptions::*;
constexpr std::array<Number, 9> kEditNumbers = {
    &core::JobOptions::delay_ms,   &core::JobOptions::at_ms,           &core::JobOptions::attempts,
    &core::JobOptions::timeout_ms, &core::JobOptions::soft_timeout_ms, &core::JobOptions::lease_ms,
    &core::JobOptions::expire_ms,  &core::JobOptions::crashes,         &core::JobOptions::keep_ms};
static_assert(kEditNumbers.size() == static_cast<size_t>(EditOption::kQueue));

base::Status read_edit_option(EditOption option, Words& words, core::Edit& edit) {
  const auto place = static_cast<size_t>(option);
  if (place < kEditNumbers.size()) {
    edit.options.*kEditNumbers[place] = TRY(words.integer(kEditOptions[place]));
    return {};
  }
  switch (option) {
    case EditOption::kQueue:
      edit.queue = TRY(words.value("QUEUE"));
      return {};
    case EditOption::kType:
      edit.type = TRY(words.value("TYPE"));
      return {};
    case EditOption::kArgs:
      edit.args = TRY(words.value("ARGS"));
      return {};
    case EditOption::kPriority:
      edit.priority = TRY(words.integer("PRIORITY"));
      return {};
    case EditOption::kBackoff:
      edit.options.backoff = TRY(core::parse_backoff(TRY(words.value("BACKOFF"))));
      return {};
    default:
      return not_built("JOB.EDIT WHERE");
  }
}

bool is_edit_option(std::string_view word) {
  return std::ranges::any_of(
      kEditOptions, [&](std::string_view option) { return equals_ignoring_case(option, word); });
}

enum class SetOption : uint8_t {
  kMaxlen,  // Down to kAlert as core::QueueNumber.
  kAttempts,
  kLease,
  kTimeout,
  kKeep,
  kCrashes,
  kAlert,
  kBackoff,
  kAge,
};
constexpr std::array<std::string_view, 9> kSetOptions = {
    "MAXLEN", "ATTEMPTS", "LEASE", "TIMEOUT", "KEEP", "CRASHES", "ALERT", "BACKOFF", "AGE"};
static_assert(static_cast<size_t>(SetOption::kBackoff) == core::kQueueNumberCount);

// Takes the server's own value back.
constexpr std::string_view kDefault = "default";

base::Status read_set_option(SetOption option, Words& words, core::QueueSet& set) {
  if (option == SetOption::kAge) return not_built("QUEUE.SET AGE");
  const std::string_view name = kSetOptions[static_cast<size_t>(option)];
  const std::string_view word = TRY(words.value(name));
  const bool is_default = equals_ignoring_case(word, kDefault);
  if (option == SetOption::kBackoff) {
    set.backoff.emplace();
    if (!is_default) *set.backoff = TRY(core::parse_backoff(word));
    return {};
  }
  std::optional<int64_t> value;
  if (!is_default) value = TRY(parse_integer(name, word));
  set.numbers.emplace_back(static_cast<core::QueueNumber>(option), value);
  return {};
}

}  // namespace

base::Status read_edit(Words& words, core::Edit& edit) {
  if (is_edit_option(words.peek())) return not_built("JOB.EDIT WHERE");  // It names no job.
  edit.job = TRY(parse_job(words.take()));
  OptionReader options(kEditOptions);
  while (!words.empty()) {
    const auto option = static_cast<EditOption>(TRY(options.next(words)));
    TRY(read_edit_option(option, words, edit));
  }
  return options.exclude(EditOption::kDelay, EditOption::kAt);
}

base::Status read_queue_set(Words& words, core::QueueSet& set) {
  set.queue = words.take();
  OptionReader options(kSetOptions);
  while (!words.empty()) {
    const auto option = static_cast<SetOption>(TRY(options.next(words)));
    TRY(read_set_option(option, words, set));
  }
  return {};
}

}  // namespace protocol
