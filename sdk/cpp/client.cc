#include "dray/client.h"

#include <algorithm>

#include "sdk/cpp/access.h"
#include "sdk/cpp/client_core.h"
#include "sdk/cpp/deadline.h"
#include "sdk/cpp/record.h"
#include "sdk/cpp/throw_error.h"

namespace dray {

using detail::expect;
using protocol::RespValue;

namespace {

// Nothing changes behind a stand-in, so there is nothing to wait for.
std::vector<JobRecord> wait_at_once(detail::StandIn& stand_in, std::span<const std::string> ids) {
  std::vector<JobRecord> jobs;
  for (const std::string& id : ids) {
    std::optional<JobRecord> job = stand_in.get(id);
    if (!job) detail::throw_error(ErrorCode::kNotFound, "there is no job " + id);
    jobs.push_back(*std::move(job));
  }
  return jobs;
}

}  // namespace

struct Client::State : detail::ClientCore {
  using ClientCore::ClientCore;
};

Client::Client(ClientOptions options)
    : Client(std::make_unique<State>(std::move(options), nullptr)) {}
Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

detail::ClientCore& detail::Access::core(Client& client) {
  return *client.state_;
}

const detail::ClientCore& detail::Access::core(const Client& client) {
  return *client.state_;
}

std::unique_ptr<Client> detail::Access::client_of(StandIn& stand_in) {
  auto state = std::make_unique<Client::State>(ClientOptions{}, &stand_in);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

const ClientOptions& Client::options() const {
  return state_->options();
}

void Client::use(PushMiddleware middleware) {
  state_->use(std::move(middleware));
}

Pushed Client::push(const NewJob& job) {
  return state_->push(std::span(&job, 1)).front();
}

Pushed Client::push(std::string_view queue, std::string_view type, std::string_view args,
                    const PushOptions& options) {
  return push(NewJob{.queue = std::string(queue),
                     .type = std::string(type),
                     .args = std::string(args),
                     .options = options});
}

std::vector<Pushed> Client::push_many(std::span<const NewJob> jobs) {
  return state_->push(jobs);
}

std::optional<JobRecord> Client::get(std::string_view id) {
  if (state_->stand_in() != nullptr) return state_->stand_in()->get(id);
  RespValue reply = state_->ask({.bytes = detail::request({"JOB.GET", id})});
  if (reply.is_nil()) return std::nullopt;
  return detail::job_record_of(detail::value_of(std::move(reply)));
}

JobRecord Client::wait(std::string_view id, milliseconds timeout) {
  const std::string one(id);
  return wait(std::span(&one, 1), timeout).front();
}

std::vector<JobRecord> Client::wait(std::span<const std::string> ids, milliseconds timeout) {
  if (ids.empty()) return {};
  if (state_->stand_in() != nullptr) return wait_at_once(*state_->stand_in(), ids);
  // The server's cap of one wait; longer ones are asked again.
  constexpr milliseconds kBlockMax{60'000};
  const auto until = detail::Deadline::in(timeout);
  for (;;) {
    // Asked once at least, and "at once" is 1 ms: 0 would be the server's cap.
    const milliseconds block = std::clamp(until.left(), milliseconds{1}, kBlockMax);
    detail::Request words{"JOB.WAIT"};
    words.add(static_cast<int64_t>(ids.size()));
    for (const std::string& id : ids) words.add(id);
    words.add("BLOCK").add(block.count());
    const std::string bytes = words.bytes();
    RespValue reply = state_->ask({.bytes = bytes, .wait = block});
    expect(reply.items.size() == ids.size(), "JOB.WAIT");
    std::vector<JobRecord> jobs;
    bool all_finished = true;
    for (RespValue& item : reply.items) {
      jobs.push_back(detail::job_record_of(detail::value_of(std::move(item))));
      all_finished = all_finished && jobs.back().finished_state();
    }
    if (all_finished || until.is_over()) return jobs;
  }
}

void Client::cancel(std::string_view id, bool force) {
  detail::Request words{"JOB.CANCEL"};
  if (force) words.add("FORCE");
  state_->ask_for_one(words.add("IDS").add("1").add(id), Repeat::kSafe);
}

void Client::retry(std::string_view id) {
  state_->ask_for_one({"JOB.RETRY", "IDS", "1", id}, Repeat::kNever);
}

void Client::remove(std::string_view id) {
  state_->ask_for_one({"JOB.DELETE", "IDS", "1", id}, Repeat::kSafe);
}

void Client::pause(std::string_view queue, std::string_view reason) {
  detail::Request words{"QUEUE.PAUSE", queue};
  if (!reason.empty()) words.add("REASON").add(reason);
  state_->ask({.bytes = words.bytes()});
}

void Client::resume(std::string_view queue) {
  state_->ask({.bytes = detail::request({"QUEUE.RESUME", queue})});
}

QueueStats Client::stats(std::string_view queue) {
  RespValue reply = state_->ask({.bytes = detail::request({"QUEUE.STATS", queue})});
  return detail::queue_stats_of(queue, detail::value_of(std::move(reply)));
}

std::vector<std::string> Client::queues() {
  const RespValue reply = state_->ask({.bytes = detail::request({"QUEUE.LIST"})});
  std::vector<std::string> names;
  for (const RespValue& item : reply.items) names.push_back(item.text);
  return names;
}

Value Client::call(const std::vector<std::string>& words, Repeat repeat, milliseconds wait) {
  const std::string bytes = detail::request(words);
  return detail::value_of(state_->ask({.bytes = bytes, .repeat = repeat, .wait = wait}));
}

}  // namespace dray
