// The one error type of Dray and its closed list of codes. A code has one word, the same on the
// wire, in SDK exceptions and in logs.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// Numbers are not stored or sent anywhere; words are. A new code is added here and in error.cc.
enum class ErrorCode : uint8_t {
  kNoAuth,
  kNoPerm,
  kBadReq,
  kTooBig,
  kNotFound,
  kLeaseLost,
  kCancelled,
  kDuplicate,
  kPaused,
  kRateLimited,
  kQueueFull,
  kOverloaded,
  kDiskFull,
  kMaxConn,
  kUnavailable,
  kShuttingDown,
  kFenced,
  kStoreReadOnly,
  kUnknown,  // The outcome is unknown: the command may or may not have been applied.
  kCorrupt,
  kGone,
  kBadState,
  kNotYet,
  kWrongType,
  kExecAbort,
  kNoProto,
  kWrongPass,
  kQuota,     // A bound on what is held, not on what comes in: delete, or raise it.
  kErr,       // A command that does not exist; the text is what Redis would say.
  kIo,        // The operating system refused: file, socket. Never leaves the server as it is.
  kInternal,  // A fault of ours that one connection can survive.
};
inline constexpr size_t kErrorCodeCount = static_cast<size_t>(ErrorCode::kInternal) + 1;

// Returns the word of a code, such as "LEASELOST".
std::string_view error_word(ErrorCode code);

// Returns the code of a word, in capitals as on the wire; nothing for a word that is none.
std::optional<ErrorCode> error_code(std::string_view word);

// What went wrong. The message is for people: what happened, the limit and the value, what to do.
// It does not repeat the code's word. It may hold bytes of a client; who prints it escapes it.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace base
