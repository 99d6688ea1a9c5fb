#include "dray/testing.h"

#include <atomic>
#include <utility>

#include "sdk/cpp/access.h"
#include "sdk/cpp/handlers.h"
#include "sdk/cpp/held.h"
#include "sdk/cpp/memory_jobs.h"
#include "sdk/cpp/throw_error.h"

namespace dray::testing {

using detail::Access;
using detail::Handlers;
using detail::Held;
using detail::LeasedJob;
using detail::MemoryJobs;

namespace {

// Jobs that push jobs that push jobs …: beyond this it is one that pushes itself.
constexpr int kDepthMax = 100;

LeasedJob leased(const JobRecord& record, const PushOptions& options) {
  LeasedJob job;
  job.id = record.id;
  job.token = "test";
  job.queue = record.queue;
  job.type = record.type;
  job.args = record.args;
  job.key = record.key;
  job.attempt = record.attempt;
  job.max_attempts = record.max_attempts;
  job.priority = record.priority;
  job.fence = record.attempt;
  job.timeout = options.timeout.value_or(milliseconds{0});
  job.soft_timeout = options.soft_timeout.value_or(milliseconds{0});
  job.pushed = record.pushed;
  job.meta = record.meta;
  return job;
}

// One run of a handler: what it does to its job is done to a record.
class Run final : public detail::HeldOwner {
 public:
  Run(Client& client, JobRecord record) : client_(client), record_(std::move(record)) {
    record_.state = "running";
  }

  void report_progress(const std::shared_ptr<Held>&, std::string data) override {
    record_.progress = std::move(data);
  }
  void report_log(const std::shared_ptr<Held>&, LogLevel, std::string text) override {
    log_.push_back(std::move(text));
  }
  std::vector<Pushed> finish(Held&, Transaction& transaction,
                             std::optional<std::string> result) override {
    std::vector<Pushed> pushed = transaction.commit();
    record_.state = "succeeded";
    record_.result = std::move(result);
    return pushed;
  }
  Client& client() override { return client_; }

  // A job that finish() has ended keeps that end.
  void end(detail::Outcome outcome) {
    if (record_.state != "running") return;
    switch (outcome.kind) {
      case detail::Outcome::Kind::kAck:
        record_.state = "succeeded";
        record_.result = std::move(outcome.result);
        break;
      case detail::Outcome::Kind::kRelease:
        record_.state = "scheduled";
        break;
      case detail::Outcome::Kind::kFail: {
        const bool is_last = record_.attempt >= record_.max_attempts;
        record_.state = outcome.failure.permanent || is_last ? "dead" : "scheduled";
        record_.history.push_back({.attempt = record_.attempt,
                                   .generation = record_.generation,
                                   .fence = record_.attempt,
                                   .outcome = "failed",
                                   .error_class = std::move(outcome.failure.error_class),
                                   .message = std::move(outcome.failure.message),
                                   .trace = std::move(outcome.failure.trace)});
        break;
      }
    }
  }

  const JobRecord& record() const { return record_; }
  std::vector<std::string>& log() { return log_; }

 private:
  Client& client_;
  JobRecord record_;
  std::vector<std::string> log_;
};

void refuse_type(const std::string& type) {
  detail::throw_error(ErrorCode::kBadReq, "field=type the worker has no handler for " + type);
}

}  // namespace

// Runs jobs as they are pushed. It has a name outside this file because Inline::State holds one.
class InlineJobs final : public MemoryJobs {
 public:
  explicit InlineJobs(const Handlers& handlers) : handlers_(handlers) {}

  std::vector<Pushed> push(std::span<const NewJob> jobs) override {
    std::vector<Pushed> pushed;
    for (const NewJob& job : jobs) {
      const Stored stored = store(job);
      pushed.push_back(stored.answer);
      if (stored.is_new) run(job, stored.answer.id);
    }
    return pushed;
  }

  Client& client() { return *client_; }

 private:
  struct Depth {
    Depth() { ++now; }
    ~Depth() { --now; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    static thread_local int now;
  };

  void run(const NewJob& job, const std::string& id) {
    const Depth depth;
    if (Depth::now > kDepthMax) {
      detail::throw_error(ErrorCode::kBadReq, "jobs push jobs without an end: " + job.type);
    }
    JobRecord record = get(id).value();
    record.attempt = 1;
    Run run(*client_, record);
    const auto held = std::make_shared<Held>(leased(record, job.options), run);
    std::exception_ptr thrown;
    const auto outcome = handlers_.run(*held, &thrown);
    if (!outcome) refuse_type(job.type);
    run.end(*outcome);
    update(run.record());
    if (thrown) std::rethrow_exception(thrown);
  }

  const Handlers& handlers_;
  std::unique_ptr<Client> client_ = Access::client_of(*this);
};

thread_local int InlineJobs::Depth::now = 0;

struct Fake::State {
  MemoryJobs jobs;
  std::unique_ptr<Client> client = Access::client_of(jobs);
};

Fake::Fake() : state_(std::make_unique<State>()) {}
Fake::~Fake() = default;

Client& Fake::client() {
  return *state_->client;
}

std::vector<NewJob> Fake::pushed(std::string_view type) const {
  return state_->jobs.pushed(type);
}

void Fake::clear() {
  state_->jobs.clear();
}

struct Inline::State {
  explicit State(const Handlers& handlers) : jobs(handlers) {}
  InlineJobs jobs;
};

Inline::Inline(const Worker& worker) : state_(std::make_unique<State>(Access::handlers(worker))) {}
Inline::~Inline() = default;

Client& Inline::client() {
  return state_->jobs.client();
}

Ran run_job(const Worker& worker, const NewJob& job, int attempt) {
  Fake fake;
  JobRecord record = detail::record_of(job, "0000000000001");
  record.attempt = attempt;
  Run run(fake.client(), record);
  const auto held = std::make_shared<Held>(leased(record, job.options), run);
  const auto outcome = Access::handlers(worker).run(*held);
  if (!outcome) refuse_type(job.type);
  run.end(*outcome);
  return {.job = run.record(), .pushed = fake.pushed(), .log = std::move(run.log())};
}

}  // namespace dray::testing
