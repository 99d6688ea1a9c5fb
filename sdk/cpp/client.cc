#include "dray/client.h"

#include <unistd.h>

#include <mutex>

#include "sdk/cpp/channel.h"
#include "sdk/cpp/push_words.h"
#include "sdk/cpp/record.h"

namespace dray {
namespace {

using detail::Channel;
using protocol::RespValue;

// Idle connections kept; beyond that they are closed after use.
constexpr size_t kIdleMax = 8;

[[noreturn]] void throw_error(const base::Error& error) {
  if (error.code == base::ErrorCode::kIo) {
    throw Error(ErrorCode::kUnreachable,
                error.message + "; is the server running, and is DRAY_URL right?");
  }
  throw Error(base::error_word(error.code), error.message);
}

// Throws what an error reply says, with the server's own word.
void throw_if_error(const RespValue& reply) {
  if (reply.is_error()) {
    throw Error(reply.error_code(), std::string(reply.error_message()));
  }
}

// A client that runs on a different version may answer what we do not understand.
void expect(bool holds, std::string_view command) {
  if (!holds) {
    throw Error(ErrorCode::kInternal, "the answer to " + std::string(command) + " makes no sense");
  }
}

}  // namespace

struct Client::State {
  explicit State(ClientOptions options_in)
      : options(std::move(options_in)), target(detail::target_of(options)), process(getpid()) {}

  // A free channel, or a new one.
  std::unique_ptr<Channel> take() {
    const std::lock_guard lock(mutex);
    // A child that shares its parent's connections would read its answers, and, worse, use the same
    // producer for pushes of its own, which the server would then take for the parent's.
    if (process != getpid()) {
      process = getpid();
      idle.clear();
    }
    if (idle.empty()) return std::make_unique<Channel>(target, nullptr);
    std::unique_ptr<Channel> channel = std::move(idle.back());
    idle.pop_back();
    return channel;
  }

  void give_back(std::unique_ptr<Channel> channel) {
    const std::lock_guard lock(mutex);
    if (idle.size() < kIdleMax) idle.push_back(std::move(channel));
  }

  RespValue exchange(Channel& channel, const detail::Exchange& command) {
    base::Result<RespValue> reply = channel.exchange(command);
    if (!reply) throw_error(reply.error());
    throw_if_error(*reply);
    return *std::move(reply);
  }

  RespValue ask(const detail::Exchange& command) {
    const Borrowed channel(*this);
    return exchange(*channel.channel, command);
  }

  // One of the verbs that take ids and answer OK or an error for each.
  void ask_for_one(const detail::Request& request, Repeat repeat) {
    const std::string bytes = request.bytes();
    const RespValue reply = ask({.bytes = bytes, .repeat = repeat});
    expect(reply.items.size() == 1, "a command with IDS");
    throw_if_error(reply.items.front());
  }

  struct Borrowed {
    explicit Borrowed(State& owner) : state(owner), channel(owner.take()) {}
    ~Borrowed() { state.give_back(std::move(channel)); }
    Borrowed(const Borrowed&) = delete;
    Borrowed& operator=(const Borrowed&) = delete;
    State& state;
    std::unique_ptr<Channel> channel;
  };

  const ClientOptions options;
  const detail::Target target;
  std::mutex mutex;
  pid_t process;                               // Guarded by mutex.
  std::vector<std::unique_ptr<Channel>> idle;  // Guarded by mutex.
};

Client::Client(ClientOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Client::~Client() = default;

const ClientOptions& Client::options() const {
  return state_->options;
}

Pushed Client::push(const NewJob& job) {
  const State::Borrowed borrowed(*state_);
  Channel& channel = *borrowed.channel;
  const detail::PushName name{channel.producer(), channel.next_push()};
  const std::string bytes = detail::push_request(job, name);
  Pushed pushed = detail::read_pushed(state_->exchange(channel, {.bytes = bytes}));
  expect(!pushed.id.empty(), "JOB.PUSH");
  return pushed;
}

Pushed Client::push(std::string_view queue, std::string_view type, std::string_view args,
                    const PushOptions& options) {
  return push(NewJob{.queue = std::string(queue),
                     .type = std::string(type),
                     .args = std::string(args),
                     .options = options});
}

std::vector<Pushed> Client::push_many(std::span<const NewJob> jobs) {
  if (jobs.empty()) return {};
  const State::Borrowed borrowed(*state_);
  Channel& channel = *borrowed.channel;
  const std::string bytes =
      detail::push_many_request(jobs, channel.producer(), channel.next_batch());
  const RespValue reply = state_->exchange(channel, {.bytes = bytes});
  expect(reply.items.size() == jobs.size(), "JOB.MPUSH");
  std::vector<Pushed> pushed;
  pushed.reserve(jobs.size());
  for (const RespValue& item : reply.items) pushed.push_back(detail::read_pushed(item));
  return pushed;
}

std::optional<JobRecord> Client::get(std::string_view id) {
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
