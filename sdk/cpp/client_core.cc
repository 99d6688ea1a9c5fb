#include "sdk/cpp/client_core.h"

#include <ranges>

#include "sdk/cpp/push_words.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

using protocol::RespValue;

// Idle connections kept; beyond that they are closed after use.
constexpr size_t kIdleMax = 8;

[[noreturn]] void throw_fault(const base::Error& error) {
  if (error.code == base::ErrorCode::kIo) {
    throw_error(ErrorCode::kUnreachable,
                error.message + "; is the server running, and is DRAY_URL right?");
  }
  throw_error(base::error_word(error.code), error.message);
}

// Throws what an error reply says, with the server's own word.
void throw_if_error(const RespValue& reply) {
  if (reply.is_error()) throw_error(reply.error_code(), std::string(reply.error_message()));
}

}  // namespace

void expect(bool holds, std::string_view command) {
  if (!holds) {
    throw_error(ErrorCode::kInternal, "the answer to " + std::string(command) + " makes no sense");
  }
}

ClientCore::ClientCore(ClientOptions options, StandIn* stand_in)
    : options_(std::move(options)),
      target_(target_of(options_)),
      stand_in_(stand_in),
      process_(getpid()) {}

std::unique_ptr<Channel> ClientCore::take() {
  if (stand_in_ != nullptr) {
    throw_error(ErrorCode::kBadReq,
                "there is no server behind this client: it pushes and looks at what it pushed; "
                "test the rest with dray::testing::Server");
  }
  const std::lock_guard lock(mutex_);
  // A child that shares its parent's connections would read its answers, and, worse, use the same
  // producer for pushes of its own, which the server would then take for the parent's.
  if (process_ != getpid()) {
    process_ = getpid();
    idle_.clear();
  }
  if (idle_.empty()) return std::make_unique<Channel>(target_, nullptr);
  std::unique_ptr<Channel> channel = std::move(idle_.back());
  idle_.pop_back();
  return channel;
}

void ClientCore::give_back(std::unique_ptr<Channel> channel) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kIdleMax) idle_.push_back(std::move(channel));
}

RespValue ClientCore::ask(Channel& channel, const Exchange& command) {
  base::Result<RespValue> reply = channel.exchange(command);
  if (!reply) throw_fault(reply.error());
  throw_if_error(*reply);
  return *std::move(reply);
}

RespValue ClientCore::ask(const Exchange& command) {
  const Borrowed channel(*this);
  return ask(*channel, command);
}

void ClientCore::ask_for_one(const Request& request, Repeat repeat) {
  const std::string bytes = request.bytes();
  const RespValue reply = ask({.bytes = bytes, .repeat = repeat});
  expect(reply.items.size() == 1, "a command with IDS");
  throw_if_error(reply.items.front());
}

std::vector<Pushed> ClientCore::push(std::span<const NewJob> jobs) {
  if (middleware_.empty()) return send(jobs);
  std::vector<NewJob> own(jobs.begin(), jobs.end());
  return push_within(own, [this](std::span<NewJob> left) { return send(left); });
}

std::vector<Pushed> ClientCore::push_within(std::span<NewJob> jobs, PushNext last) {
  PushNext next = std::move(last);
  for (const PushMiddleware& around : middleware_ | std::views::reverse) {
    next = [&around, inner = std::move(next)](std::span<NewJob> left) {
      return around(left, inner);
    };
  }
  std::vector<Pushed> pushed = next(jobs);
  if (pushed.size() != jobs.size()) {
    throw_error(ErrorCode::kInternal, fmt::format("the middleware answered {} pushes for {} jobs",
                                                  pushed.size(), jobs.size()));
  }
  return pushed;
}

std::vector<Pushed> ClientCore::send(std::span<const NewJob> jobs) {
  if (jobs.empty()) return {};
  if (stand_in_ != nullptr) return stand_in_->push(jobs);
  const Borrowed channel(*this);
  std::vector<Pushed> pushed;
  if (jobs.size() == 1) {
    const PushName name{channel->producer(), channel->next_push()};
    const std::string bytes = push_request(jobs.front(), name).bytes();
    pushed.push_back(read_pushed(ask(*channel, {.bytes = bytes})));
    expect(!pushed.front().id.empty(), "JOB.PUSH");
    return pushed;
  }
  const std::string bytes = push_many_request(jobs, channel->producer(), channel->next_batch());
  const RespValue reply = ask(*channel, {.bytes = bytes});
  expect(reply.items.size() == jobs.size(), "JOB.MPUSH");
  pushed.reserve(jobs.size());
  for (const RespValue& item : reply.items) pushed.push_back(read_pushed(item));
  return pushed;
}

}  // namespace dray::detail
