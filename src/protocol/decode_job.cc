// The commands that name a job: its lease (ACK, FAIL, …), or itself (GET, WAIT, RETRY, …).
#include <array>

#include "core/limits.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"
#include "protocol/query_parser.h"

namespace protocol {
namespace {

enum class FailOption : uint8_t { kTrace, kRetryIn, kNoRetry };
constexpr std::array<std::string_view, 3> kFailOptions = {"TRACE", "RETRYIN", "NORETRY"};

enum class WaitOption : uint8_t { kBlock, kAny, kAll };
constexpr std::array<std::string_view, 3> kWaitOptions = {"BLOCK", "ANY", "ALL"};

enum class BulkOption : uint8_t { kIds, kWhere, kLimit, kRate, kDryRun, kForce };
constexpr std::array<std::string_view, 6> kBulkOptions = {"IDS",  "WHERE",  "LIMIT",
                                                          "RATE", "DRYRUN", "FORCE"};
// By core::BulkVerb.
constexpr std::array<core::OperationVerb, 3> kOperationVerbs = {
    core::OperationVerb::kRetry, core::OperationVerb::kCancel, core::OperationVerb::kDelete};

constexpr std::array<std::string_view, core::kLogLevelCount> kLogLevels = {"debug", "info", "warn",
                                                                           "error"};
constexpr std::array<std::string_view, 1> kResult = {"RESULT"};
constexpr std::array<std::string_view, 1> kDelay = {"DELAY"};

// id, token, flag, result.
constexpr size_t kAckWords = 4;

base::Status read_jobs(Words& words, size_t count, std::vector<core::JobRef>& jobs) {
  jobs.reserve(count);
  for (size_t i = 0; i < count; ++i) jobs.push_back(TRY(parse_job(words.take())));
  return {};
}

base::Status read_ack_item(Words& words, core::AckItem& item) {
  item.job = TRY(parse_job(words.take()));
  item.token = parse_token(words.take());
  const std::string_view flag = words.take();
  const std::string_view result = words.take();
  if (flag != "0" && flag != "1") return bad_field("flag", "must be 0 (no result) or 1");
  item.has_result = flag == "1";
  if (item.has_result) item.result = result;
  return {};
}

base::Status read_fail_option(FailOption option, Words& words, core::Fail& fail) {
  switch (option) {
    case FailOption::kTrace:
      fail.trace = TRY(words.value("TRACE"));
      return {};
    case FailOption::kRetryIn:
      fail.retry_in_ms = TRY(words.integer("RETRYIN"));
      return {};
    case FailOption::kNoRetry:
      fail.no_retry = true;
      return {};
  }
  return {};
}

// What a verb is about: ids, or a query with its options.
struct BulkTarget {
  core::Bulk bulk;
  core::OperationStart operation;
};

base::Status read_bulk_option(BulkOption option, Words& words, BulkTarget& target) {
  switch (option) {
    case BulkOption::kIds: {
      const size_t count = TRY(words.count("IDS", {.most = core::limits::kBatchItemsMax}));
      return read_jobs(words, count, target.bulk.jobs);
    }
    case BulkOption::kWhere:
      target.operation.query = TRY(parse_query(TRY(words.value("WHERE"))));
      return {};
    case BulkOption::kLimit:
      target.operation.jobs_most = TRY(words.integer("LIMIT"));
      return {};
    case BulkOption::kRate:
      target.operation.rate = TRY(words.integer("RATE"));
      return {};
    case BulkOption::kDryRun:
      target.operation.dry_run = true;
      return {};
    case BulkOption::kForce:
      target.bulk.force = true;
      target.operation.force = true;
      return {};
  }
  return {};
}

}  // namespace

base::Status read_ack(Words& words, core::Ack& ack) {
  ack.item.job = TRY(parse_job(words.take()));
  ack.item.token = parse_token(words.take());
  if (words.empty()) return {};
  OptionReader options(kResult);
  while (!words.empty()) {
    TRY(options.next(words));
    ack.item.result = TRY(words.value("RESULT"));
  }
  ack.item.has_result = true;
  return {};
}

base::Status read_ack_many(Words& words, core::AckMany& ack) {
  const size_t count =
      TRY(words.count("n", {.words_each = kAckWords, .most = core::limits::kBatchItemsMax}));
  ack.items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    base::Status done = read_ack_item(words, ack.items.emplace_back());
    if (!done) {
      done.error().message += fmt::format(" (item {})", i + 1);
      return done;
    }
  }
  return words.end();
}

base::Status read_fail(Words& words, core::Fail& fail) {
  fail.job = TRY(parse_job(words.take()));
  fail.token = parse_token(words.take());
  fail.error_class = words.take();
  fail.message = words.take();
  OptionReader options(kFailOptions);
  while (!words.empty()) {
    const auto option = static_cast<FailOption>(TRY(options.next(words)));
    TRY(read_fail_option(option, words, fail));
  }
  return options.exclude(FailOption::kRetryIn, FailOption::kNoRetry);
}

base::Status read_release(Words& words, core::Release& release) {
  release.job = TRY(parse_job(words.take()));
  release.token = parse_token(words.take());
  OptionReader options(kDelay);
  while (!words.empty()) {
    TRY(options.next(words));
    release.delay_ms = TRY(words.integer("DELAY"));
  }
  return {};
}

base::Status read_extend(Words& words, core::Extend& extend) {
  extend.job = TRY(parse_job(words.take()));
  extend.token = parse_token(words.take());
  extend.lease_ms = TRY(words.integer("ms"));
  return {};
}

base::Status read_progress(Words& words, core::Progress& progress) {
  progress.job = TRY(parse_job(words.take()));
  progress.token = parse_token(words.take());
  progress.data = words.take();
  return {};
}

base::Status read_log(Words& words, core::Log& log) {
  log.job = TRY(parse_job(words.take()));
  log.token = parse_token(words.take());
  log.level = static_cast<core::LogLevel>(TRY(choose("level", words.take(), kLogLevels)));
  log.text = words.take();
  return {};
}

base::Status read_get(Words& words, core::Get& get) {
  get.job = TRY(parse_job(words.take()));
  return {};
}

base::Status read_wait(Words& words, core::Wait& wait) {
  const size_t count = TRY(words.count("n", {.most = core::limits::kBatchItemsMax}));
  TRY(read_jobs(words, count, wait.jobs));
  OptionReader options(kWaitOptions);
  while (!words.empty()) {
    const auto option = static_cast<WaitOption>(TRY(options.next(words)));
    if (option == WaitOption::kBlock) wait.block_ms = TRY(words.integer("BLOCK"));
    if (option == WaitOption::kAny) wait.any = true;
  }
  TRY(options.require(WaitOption::kBlock));
  return options.exclude(WaitOption::kAny, WaitOption::kAll);
}

base::Status read_bulk(Words& words, core::BulkVerb verb, core::CommandBody& body) {
  OptionNames names = kBulkOptions;
  if (verb != core::BulkVerb::kCancel) names = names.first(names.size() - 1);  // No FORCE.
  OptionReader options(names);
  BulkTarget target;
  while (!words.empty()) {
    const auto option = static_cast<BulkOption>(TRY(options.next(words)));
    TRY(read_bulk_option(option, words, target));
  }
  TRY(options.exclude(BulkOption::kIds, BulkOption::kWhere));
  if (options.seen(BulkOption::kWhere)) {
    target.operation.verb = kOperationVerbs[static_cast<size_t>(verb)];
    body = std::move(target.operation);
    return {};
  }
  if (!options.seen(BulkOption::kIds)) return bad_field("IDS", "is missing: give IDS or WHERE");
  for (const BulkOption option : {BulkOption::kLimit, BulkOption::kRate, BulkOption::kDryRun}) {
    if (!options.seen(option)) continue;
    return bad_field(kBulkOptions[static_cast<size_t>(option)], "goes with WHERE, not with IDS");
  }
  target.bulk.verb = verb;
  body = std::move(target.bulk);
  return {};
}

}  // namespace protocol
