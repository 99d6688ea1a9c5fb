#include "dray/errors.h"

#include <array>
#include <charconv>

#include "sdk/cpp/throw_error.h"

namespace dray {
namespace {

struct CodeWord {
  ErrorCode code;
  std::string_view word;
};

// In the order of the enum, so that a code is its own place.
constexpr std::array<CodeWord, static_cast<size_t>(ErrorCode::kOther) + 1> kWords = {{
    {ErrorCode::kNoAuth, "NOAUTH"},
    {ErrorCode::kNoPerm, "NOPERM"},
    {ErrorCode::kBadReq, "BADREQ"},
    {ErrorCode::kTooBig, "TOOBIG"},
    {ErrorCode::kNotFound, "NOTFOUND"},
    {ErrorCode::kLeaseLost, "LEASELOST"},
    {ErrorCode::kCancelled, "CANCELLED"},
    {ErrorCode::kDuplicate, "DUPLICATE"},
    {ErrorCode::kPaused, "PAUSED"},
    {ErrorCode::kRateLimited, "RATELIMITED"},
    {ErrorCode::kQueueFull, "QUEUEFULL"},
    {ErrorCode::kOverloaded, "OVERLOADED"},
    {ErrorCode::kDiskFull, "DISKFULL"},
    {ErrorCode::kMaxConn, "MAXCONN"},
    {ErrorCode::kUnavailable, "UNAVAILABLE"},
    {ErrorCode::kShuttingDown, "SHUTTINGDOWN"},
    {ErrorCode::kFenced, "FENCED"},
    {ErrorCode::kStoreReadOnly, "STOREREADONLY"},
    {ErrorCode::kUnknown, "UNKNOWN"},
    {ErrorCode::kCorrupt, "CORRUPT"},
    {ErrorCode::kGone, "GONE"},
    {ErrorCode::kBadState, "BADSTATE"},
    {ErrorCode::kNotYet, "NOTYET"},
    {ErrorCode::kWrongType, "WRONGTYPE"},
    {ErrorCode::kExecAbort, "EXECABORT"},
    {ErrorCode::kNoProto, "NOPROTO"},
    {ErrorCode::kWrongPass, "WRONGPASS"},
    {ErrorCode::kQuota, "QUOTA"},
    {ErrorCode::kErr, "ERR"},
    {ErrorCode::kInternal, "INTERNAL"},
    {ErrorCode::kUnreachable, "UNREACHABLE"},
    {ErrorCode::kOther, "OTHER"},
}};

constexpr bool words_are_in_order() {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (static_cast<size_t>(kWords[i].code) != i) return false;
  }
  return true;
}
static_assert(words_are_in_order());

ErrorCode code_of(std::string_view word) {
  for (const CodeWord& entry : kWords) {
    if (entry.word == word) return entry.code;
  }
  return ErrorCode::kOther;
}

std::string joined(std::string_view word, const std::string& message) {
  return message.empty() ? std::string(word) : std::string(word) + " " + message;
}

}  // namespace

std::string_view error_word(ErrorCode code) {
  return kWords[static_cast<size_t>(code)].word;
}

Error::Error(ErrorCode code, const std::string& message)
    : std::runtime_error(joined(error_word(code), message)),
      code_(code),
      word_(error_word(code)),
      message_(message) {}

Error::Error(std::string_view word, const std::string& message)
    : std::runtime_error(joined(word, message)),
      code_(code_of(word)),
      word_(word),
      message_(message) {}

std::optional<std::chrono::milliseconds> Error::retry_after() const {
  constexpr std::string_view kField = "retry_ms=";
  const size_t at = message_.find(kField);
  if (at == std::string::npos) return std::nullopt;
  int64_t ms = 0;
  const char* begin = message_.data() + at + kField.size();
  const auto [end, fault] = std::from_chars(begin, message_.data() + message_.size(), ms);
  if (fault != std::errc{} || end == begin || ms < 0) return std::nullopt;
  return std::chrono::milliseconds(ms);
}

JobError::JobError(Failure failure)
    : std::runtime_error(failure.message), failure_(std::move(failure)) {}

PermanentError::PermanentError(const std::string& message)
    : JobError(Failure{.message = message, .permanent = true}) {}

RetryLater::RetryLater(std::chrono::milliseconds delay, const std::string& message)
    : JobError(Failure{.message = message, .retry_in = delay}) {}

Snooze::Snooze(std::chrono::milliseconds delay) : std::runtime_error("snooze"), delay_(delay) {}

namespace detail {

void throw_error(ErrorCode code, const std::string& message) {
  throw_error(error_word(code), message);
}

void throw_error(std::string_view word, const std::string& message) {
  const ErrorCode code = code_of(word);
  if (code == ErrorCode::kUnknown || code == ErrorCode::kInternal) {
    throw UnknownError(word, message);
  }
  throw RejectedError(word, message);
}

}  // namespace detail
}  // namespace dray
