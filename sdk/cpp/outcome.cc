#include "sdk/cpp/outcome.h"

namespace dray::detail {
namespace {

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
