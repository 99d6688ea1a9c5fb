#include "sdk/cpp/outcome.h"

#include <algorithm>

#include "protocol/resp_parser.h"

namespace dray::detail {
namespace {

// The server cuts texts that are longer than it keeps; these are far beyond that.
constexpr size_t kTextBytesMax = size_t{1} << 20;
// Ten years, as the server has it.
constexpr milliseconds kDelayMost{315'576'000'000};
constexpr std::string_view kAnswerRefused = "AnswerRefused";

Outcome failed(Failure failure) {
  Outcome outcome;
  outcome.kind = Outcome::Kind::kFail;
  outcome.failure = std::move(failure);
  return outcome;
}

Failure failure_of(std::string error_class, std::string message) {
  Failure failure;
  failure.error_class = std::move(error_class);
  failure.message = std::move(message);
  return failure;
}

}  // namespace

Outcome timed_out(const LeasedJob& job) {
  return failed(failure_of("Timeout",
                           fmt::format("ran longer than its limit of {} ms", job.timeout.count())));
}

Outcome result_refused(const std::string& why) {
  Failure failure = failure_of("ResultRefused", "the handler succeeded, but its result: " + why);
  failure.permanent = true;
  return failed(std::move(failure));
}

Outcome answer_refused(const std::string& why) {
  return failed(
      failure_of(std::string(kAnswerRefused), "the server refused how the run ended: " + why));
}

bool is_answer_refused(const Outcome& outcome) {
  return outcome.kind == Outcome::Kind::kFail && outcome.failure.error_class == kAnswerRefused;
}

std::string sendable_text(std::string text) {
  if (text.size() > kTextBytesMax) text.resize(kTextBytesMax);
  return text;
}

Outcome sendable(Outcome outcome) {
  const size_t most = protocol::kRespLimitsClient.bulk_bytes_max;
  if (outcome.result && outcome.result->size() > most) {
    return result_refused(
        fmt::format("limit={} got={} bytes in one word", most, outcome.result->size()));
  }
  const auto in_range = [](milliseconds delay) {
    return std::clamp(delay, milliseconds{0}, kDelayMost);
  };
  outcome.delay = in_range(outcome.delay);
  Failure& failure = outcome.failure;
  if (failure.retry_in) failure.retry_in = in_range(*failure.retry_in);
  failure.error_class = sendable_text(std::move(failure.error_class));
  failure.message = sendable_text(std::move(failure.message));
  failure.trace = sendable_text(std::move(failure.trace));
  return outcome;
}

Request outcome_request(const LeasedJob& job, const Outcome& outcome) {
  switch (outcome.kind) {
    case Outcome::Kind::kAck: {
      Request words{"JOB.ACK", job.id, job.token};
      if (outcome.result) words.add("RESULT").add(*outcome.result);
      return words;
    }
    case Outcome::Kind::kFail: {
      const Failure& failure = outcome.failure;
      Request words{"JOB.FAIL", job.id, job.token, failure.error_class, failure.message};
      if (!failure.trace.empty()) words.add("TRACE").add(failure.trace);
      if (failure.permanent) {
        words.add("NORETRY");
      } else if (failure.retry_in) {
        words.add("RETRYIN").add(failure.retry_in->count());
      }
      return words;
    }
    case Outcome::Kind::kRelease: {
      Request words{"JOB.RELEASE", job.id, job.token};
      if (outcome.delay.count() > 0) words.add("DELAY").add(outcome.delay.count());
      return words;
    }
  }
  return {};
}

}  // namespace dray::detail
