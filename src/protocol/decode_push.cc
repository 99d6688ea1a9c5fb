// JOB.PUSH and JOB.MPUSH.
#include <array>

#include "core/backoff.h"
#include "core/limits.h"
#include "protocol/decode_families.h"
#include "protocol/option_reader.h"
#include "protocol/text.h"

namespace protocol {
namespace {

enum class PushOption : uint8_t {
  kPriority,
  kDelay,
  kAt,
  kAttempts,
  kBackoff,
  kTimeout,
  kSoftTimeout,
  kLease,
  kExpire,
  kCrashes,
  kKey,
  kUnique,
  kOnDup,
  kRequest,
  kReqSeq,
  kLimits,
  kFair,
  kKeep,
  kMeta,
};
constexpr std::array<std::string_view, 19> kPushOptions = {
    "PRIORITY", "DELAY",  "AT",      "ATTEMPTS", "BACKOFF", "TIMEOUT", "SOFTTIMEOUT",
    "LEASE",    "EXPIRE", "CRASHES", "KEY",      "UNIQUE",  "ONDUP",   "REQUEST",
    "REQSEQ",   "LIMITS", "FAIR",    "KEEP",     "META"};
static_assert(kPushOptions.size() == static_cast<size_t>(PushOption::kMeta) + 1);

constexpr std::array<std::string_view, 4> kOnDuplicate = {"RETURN", "REPORT", "ERROR", "REPLACE"};
constexpr std::array<std::string_view, 2> kUniqueUntil = {"STARTED", "FINISHED"};

// queue, type, args, optc.
constexpr size_t kItemWordsMin = 4;

bool next_is(const Words& words, std::string_view word) {
  return !words.empty() && equals_ignoring_case(words.peek(), word);
}

// A sub-option stands right behind its option: [FOR ms].
base::Result<std::optional<int64_t>> read_for(Words& words) {
  if (!next_is(words, "FOR")) return std::optional<int64_t>{};
  words.take();
  return std::optional<int64_t>(TRY(words.integer("FOR")));
}

void mark_not_built(std::string_view option, core::PushSpec& spec) {
  if (spec.not_built.empty()) spec.not_built = option;
}

// Only its syntax, so that a slip is told today.
base::Status read_unique(Words& words, core::PushSpec& spec) {
  TRY(words.value("UNIQUE"));
  if (next_is(words, "UNTIL")) {
    words.take();
    TRY(choose("UNTIL", TRY(words.value("UNTIL")), kUniqueUntil));
  } else {
    TRY(read_for(words));
  }
  mark_not_built("UNIQUE", spec);
  return {};
}

base::Status read_limits(Words& words, core::PushSpec& spec) {
  const size_t count =
      TRY(words.count("LIMITS", {.words_each = 1, .most = core::limits::kBatchItemsMax}));
  words.take_part(count);
  mark_not_built("LIMITS", spec);
  return {};
}

base::Status read_meta(Words& words, core::PushSpec& spec) {
  // A field has a byte at least, so the bytes bound the pairs.
  const size_t pairs =
      TRY(words.count("META", {.words_each = 2, .least = 0, .most = core::limits::kMetaBytesMax}));
  spec.meta.reserve(pairs);
  for (size_t i = 0; i < pairs; ++i) {
    const std::string_view field = words.take();
    spec.meta.emplace_back(field, words.take());
  }
  return {};
}

base::Status read_request(Words& words, core::PushSpec& spec) {
  spec.request = TRY(words.value("REQUEST"));
  spec.has_request = true;
  spec.request_for_ms = TRY(read_for(words));
  return {};
}

base::Status read_reqseq(Words& words, core::PushSpec& spec) {
  spec.producer = TRY(words.value("REQSEQ"));
  spec.has_producer = true;
  spec.producer_seq = TRY(words.unsigned_integer("REQSEQ"));
  return {};
}

base::Status read_word_option(PushOption option, Words& words, core::PushSpec& spec) {
  switch (option) {
    case PushOption::kBackoff:
      spec.backoff = TRY(core::parse_backoff(TRY(words.value("BACKOFF"))));
      return {};
    case PushOption::kKey:
      spec.key = TRY(words.value("KEY"));
      spec.has_key = true;
      return {};
    case PushOption::kUnique:
      return read_unique(words, spec);
    case PushOption::kOnDup:
      spec.on_duplicate = static_cast<core::OnDuplicate>(
          TRY(choose("ONDUP", TRY(words.value("ONDUP")), kOnDuplicate)));
      return {};
    case PushOption::kRequest:
      return read_request(words, spec);
    case PushOption::kReqSeq:
      return read_reqseq(words, spec);
    case PushOption::kLimits:
      return read_limits(words, spec);
    case PushOption::kFair:
      TRY(words.value("FAIR"));
      mark_not_built("FAIR", spec);
      return {};
    default:
      return read_meta(words, spec);
  }
}

base::Status read_push_option(PushOption option, Words& words, core::PushSpec& spec) {
  std::optional<int64_t>* number = nullptr;
  switch (option) {
    case PushOption::kPriority:
      spec.priority = TRY(words.integer("PRIORITY"));
      return {};
    case PushOption::kDelay:
      number = &spec.delay_ms;
      break;
    case PushOption::kAt:
      number = &spec.at_ms;
      break;
    case PushOption::kAttempts:
      number = &spec.attempts;
      break;
    case PushOption::kTimeout:
      number = &spec.timeout_ms;
      break;
    case PushOption::kSoftTimeout:
      number = &spec.soft_timeout_ms;
      break;
    case PushOption::kLease:
      number = &spec.lease_ms;
      break;
    case PushOption::kExpire:
      number = &spec.expire_ms;
      break;
    case PushOption::kCrashes:
      number = &spec.crashes;
      break;
    case PushOption::kKeep:
      number = &spec.keep_ms;
      break;
    default:
      return read_word_option(option, words, spec);
  }
  *number = TRY(words.integer(kPushOptions[static_cast<size_t>(option)]));
  return {};
}

// Requires: three words, queue, type and args, in front of the options.
base::Status read_options(Words& words, core::PushSpec& spec) {
  OptionReader options(kPushOptions);
  while (!words.empty()) {
    // The sub-options have no meaning of their own, and are never a slip for an option.
    if (next_is(words, "FOR") || next_is(words, "UNTIL")) {
      return bad_field(words.peek() == "UNTIL" ? "UNTIL" : "FOR",
                       "must stand right behind its option: REQUEST token FOR ms, UNIQUE key FOR "
                       "ms, UNIQUE key UNTIL started");
    }
    const auto option = static_cast<PushOption>(TRY(options.next(words)));
    TRY(read_push_option(option, words, spec));
  }
  TRY(options.exclude(PushOption::kDelay, PushOption::kAt));
  return options.exclude(PushOption::kRequest, PushOption::kReqSeq);
}

void read_positionals(Words& words, core::PushSpec& spec) {
  spec.queue = words.take();
  spec.type = words.take();
  spec.args = words.take();
}

base::Status read_item(Words& words, core::PushSpec& spec) {
  if (words.left() < kItemWordsMin) {
    return bad_field("n", "counts more items than there are: {} words are left", words.left());
  }
  read_positionals(words, spec);
  const size_t option_words =
      TRY(words.count("optc", {.words_each = 1, .least = 0, .most = core::limits::kBatchItemsMax}));
  Words options = words.take_part(option_words);
  return read_options(options, spec);
}

}  // namespace

base::Status read_push(Words& words, core::Push& push) {
  read_positionals(words, push.spec);
  if (words.empty()) [[likely]]
    return {};
  return read_options(words, push.spec);
}

base::Status read_push_many(Words& words, core::PushMany& push) {
  const size_t count =
      TRY(words.count("n", {.words_each = kItemWordsMin, .most = core::limits::kBatchItemsMax}));
  push.items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    base::Status done = read_item(words, push.items.emplace_back());
    if (!done) {
      done.error().message += fmt::format(" (item {})", i + 1);
      return done;
    }
  }
  return words.end();
}

}  // namespace protocol
