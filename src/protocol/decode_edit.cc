// JOB.EDIT and QUEUE.SET: options alone, each of which may change something.
#include <algorithm>
#include <array>

#include "core/backoff.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"
#include "protocol/query_parser.h"
#include "protocol/text.h"

namespace protocol {
namespace {

enum class EditOption : uint8_t {
  kDelay,  // Down to kKeep as core::kNumberOptions.
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
static_assert(core::kNumberOptions.size() == static_cast<size_t>(EditOption::kQueue));
static_assert(std::ranges::equal(core::kNumberOptions,
                                 std::span(kEditOptions).first<core::kNumberOptions.size()>(), {},
                                 &core::NumberOption::name));

// Of the options that go with a query.
base::Status read_where_option(EditOption option, Words& words, core::OperationStart& start) {
  switch (option) {
    case EditOption::kWhere:
      start.query = TRY(parse_query(TRY(words.value("WHERE"))));
      return {};
    case EditOption::kLimit:
      start.jobs_most = TRY(words.integer("LIMIT"));
      return {};
    case EditOption::kRate:
      start.rate = TRY(words.integer("RATE"));
      return {};
    default:
      start.dry_run = true;
      return {};
  }
}

base::Status read_edit_option(EditOption option, Words& words, core::OperationStart& start) {
  core::JobChanges& changes = start.changes;
  const auto place = static_cast<size_t>(option);
  if (place < core::kNumberOptions.size()) {
    const core::NumberOption& number = core::kNumberOptions[place];
    changes.options.*number.field = TRY(words.integer(number.name));
    return {};
  }
  switch (option) {
    case EditOption::kQueue:
      changes.queue = TRY(words.value("QUEUE"));
      return {};
    case EditOption::kType:
      changes.type = TRY(words.value("TYPE"));
      return {};
    case EditOption::kArgs:
      changes.args = TRY(words.value("ARGS"));
      return {};
    case EditOption::kPriority:
      changes.priority = TRY(words.integer("PRIORITY"));
      return {};
    case EditOption::kBackoff:
      changes.options.backoff = TRY(core::parse_backoff(TRY(words.value("BACKOFF"))));
      return {};
    default:
      return read_where_option(option, words, start);
  }
}

bool is_edit_option(std::string_view word) {
  return std::ranges::any_of(
      kEditOptions, [&](std::string_view option) { return equals_ignoring_case(option, word); });
}

enum class QueueSetOption : uint8_t {
  kMaxlen,  // Down to kAge as core::QueueNumber.
  kAttempts,
  kLease,
  kTimeout,
  kKeep,
  kCrashes,
  kAlert,
  kAge,
  kBackoff,
};
constexpr std::array<std::string_view, 9> kQueueSetOptions = {
    "MAXLEN", "ATTEMPTS", "LEASE", "TIMEOUT", "KEEP", "CRASHES", "ALERT", "AGE", "BACKOFF"};
static_assert(static_cast<size_t>(QueueSetOption::kBackoff) == core::kQueueNumberCount);

// Takes the server's own value back.
constexpr std::string_view kDefault = "default";

base::Status read_queue_set_option(QueueSetOption option, Words& words, core::QueueSet& set) {
  const std::string_view name = kQueueSetOptions[static_cast<size_t>(option)];
  const std::string_view word = TRY(words.value(name));
  const bool is_default = equals_ignoring_case(word, kDefault);
  if (option == QueueSetOption::kBackoff) {
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

base::Status read_edit(Words& words, core::CommandBody& body) {
  core::OperationStart start{.verb = core::OperationVerb::kEdit};
  std::optional<core::JobRef> job;  // No id is the name of an option.
  if (!is_edit_option(words.peek())) job = TRY(parse_job(words.take()));
  OptionReader options(kEditOptions);
  while (!words.empty()) {
    const auto option = static_cast<EditOption>(TRY(options.next(words)));
    TRY(read_edit_option(option, words, start));
  }
  TRY(options.exclude(EditOption::kDelay, EditOption::kAt));
  if (options.seen(EditOption::kWhere)) {
    if (job) return bad_field("WHERE", "and an id exclude each other");
    body = std::move(start);
    return {};
  }
  if (!job) return bad_field("id", "is missing: give an id, or WHERE");
  for (const EditOption option : {EditOption::kLimit, EditOption::kRate, EditOption::kDryRun}) {
    if (!options.seen(option)) continue;
    return bad_field(kEditOptions[static_cast<size_t>(option)], "goes with WHERE, not with an id");
  }
  body = core::Edit{std::move(start.changes), *job};
  return {};
}

base::Status read_queue_set(Words& words, core::QueueSet& set) {
  set.queue = words.take();
  OptionReader options(kQueueSetOptions);
  while (!words.empty()) {
    const auto option = static_cast<QueueSetOption>(TRY(options.next(words)));
    TRY(read_queue_set_option(option, words, set));
  }
  return {};
}

}  // namespace protocol
