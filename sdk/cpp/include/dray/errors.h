// What the calls of the SDK throw, and what a handler may throw to say how its job ends.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dray {

// The server's codes, and kUnreachable of our own. A word that a newer server adds is kOther; it is
// in Error::word().
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
  kUnknown,  // The command was sent and its answer got lost: it may or may not have been applied.
  kCorrupt,
  kGone,
  kBadState,
  kNotYet,
  kWrongType,
  kExecAbort,
  kNoProto,
  kWrongPass,
  kQuota,
  kErr,
  kInternal,
  kUnreachable,  // No server answered within the time allowed.
  kOther,
};

// Returns the code's word as on the wire, such as "LEASELOST".
std::string_view error_word(ErrorCode code);

// What a call of the SDK throws, as one of the two classes below. `what()` is "WORD message"; the
// message is for people and may change, code and word do not. Threading: a plain value.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message);
  // With a word as the server sent it.
  Error(std::string_view word, const std::string& message);

  ErrorCode code() const { return code_; }
  const std::string& word() const { return word_; }
  const std::string& message() const { return message_; }
  // How long the server asks to wait before the same command, if it does.
  std::optional<std::chrono::milliseconds> retry_after() const;

 private:
  ErrorCode code_;
  std::string word_;
  std::string message_;
};

// Nothing has happened, and nothing will: the call may be mended and made again. All codes but
// those of UnknownError.
class RejectedError : public Error {
  using Error::Error;
};

// What was asked for may or may not have happened (kUnknown, kInternal): look before doing it
// again. A push is the exception: with a `key` or a `request` it can simply be made again.
class UnknownError : public Error {
  using Error::Error;
};

// How one run of a job failed. A handler may throw any std::exception: then the class is the name
// of its type, the message is what(), and the job is run again by its own backoff. This one says
// more.
struct Failure {
  std::string error_class = {};  // Empty: the type's name. What retry rules and error groups go by.
  std::string message = {};
  std::string trace = {};                                  // Any text, such as a stack trace.
  std::optional<std::chrono::milliseconds> retry_in = {};  // Instead of the job's own backoff.
  bool permanent = false;                                  // Do not run again: dead at once.
};

class JobError : public std::runtime_error {
 public:
  explicit JobError(Failure failure);
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_;
};

// The job can never succeed (its user is gone, say): dead at once, kept with this message. Derive
// from it to give the failure a class of its own, or see Worker::permanent().
class PermanentError : public JobError {
 public:
  explicit PermanentError(const std::string& message);
};

// A job's args cannot be read as what its handler takes: see codec.h.
class BadArgs : public PermanentError {
  using PermanentError::PermanentError;
};

// The run has failed, and the next one is to begin after `delay`, whatever the job's backoff says.
// It costs an attempt; on the last one the job is dead.
class RetryLater : public JobError {
 public:
  RetryLater(std::chrono::milliseconds delay, const std::string& message);
};

// Not a failure but "not now": the job comes back after `delay`. Costs no attempt, and leaves no
// trace in the job's history.
class Snooze : public std::runtime_error {
 public:
  explicit Snooze(std::chrono::milliseconds delay);
  std::chrono::milliseconds delay() const { return delay_; }

 private:
  std::chrono::milliseconds delay_;
};

}  // namespace dray
