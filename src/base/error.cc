#include "base/error.h"

#include <algorithm>
#include <array>

#include "base/assert.h"

namespace base {
namespace {

struct CodeWord {
  ErrorCode code;
  std::string_view word;
};

constexpr std::array<CodeWord, kErrorCodeCount> kWords = {{
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
    {ErrorCode::kIo, "IO"},
    {ErrorCode::kInternal, "INTERNAL"},
}};

// The table is indexed by code; an entry out of place would give a wrong word.
constexpr bool words_are_in_order() {
  for (size_t i = 0; i < kWords.size(); ++i) {
    if (static_cast<size_t>(kWords[i].code) != i) return false;
  }
  return true;
}
static_assert(words_are_in_order());

}  // namespace

std::string_view error_word(ErrorCode code) {
  const auto index = static_cast<size_t>(code);
  ASSERT(index < kWords.size(), "error code {}", index);
  return kWords[index].word;
}

std::optional<ErrorCode> error_code(std::string_view word) {
  const auto* const found = std::ranges::find(kWords, word, &CodeWord::word);
  if (found == kWords.end()) return std::nullopt;
  return found->code;
}

}  // namespace base
