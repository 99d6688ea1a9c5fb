#include "sdk/cpp/channel.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/base32.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

using base::Result;

std::string host_name() {
  // The label's limit is 128 bytes; a host's name may not use it all.
  constexpr size_t kHostBytesMax = 60;
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0) return "host";
  return std::string(buffer.data()).substr(0, kHostBytesMax);
}

template <typename T>
void throw_if(const Result<T>& result) {
  if (!result) throw_error(base::error_word(result.error().code), result.error().message);
}

}  // namespace

milliseconds asked_pause(const base::Error& error) {
  const Error told(base::error_word(error.code), error.message);
  return told.retry_after().value_or(milliseconds{0});
}

milliseconds pause_after(int goes, base::Random& random) {
  int64_t most = kPauseFirst.count();
  for (int i = 1; i < goes && most < kPauseLast.count(); ++i) most *= 2;
  most = std::min(most, kPauseLast.count());
  const int64_t least = most / 2;
  return milliseconds(least +
                      static_cast<int64_t>(random.below(static_cast<uint64_t>(most - least + 1))));
}

Target target_of(const ClientOptions& options) {
  Result<Endpoint> endpoint = parse_endpoint(url_or_environment(options.url));
  throw_if(endpoint);
  if (endpoint->is_tls) {
    endpoint->tls = tls_or_environment(options.tls);
    // They are read again for each connection; what is wrong from the start is said at the start.
    throw_if(check_files(endpoint->tls));
  } else if (options.tls != TlsOptions{}) {
    // Who names a certificate would not want to send a password without TLS.
    throw_error(dray::ErrorCode::kBadReq,
                "field=url is without TLS, but tls is set: the URL has to begin with drays://");
  }
  base::SystemRandom random;
  return Target{.endpoint = *std::move(endpoint),
                .name = options.name.empty() ? unique_name(random) : options.name,
                .connect_timeout = options.connect_timeout,
                .answer_timeout = options.answer_timeout,
                .retry_for = options.retry_for};
}

std::string unique_name(base::Random& random) {
  return fmt::format("{}:{}:{}", host_name(), getpid(), base::base32_encode(random.next()).view());
}

bool is_refused_for_now(const base::Error& error) {
  switch (error.code) {
    case base::ErrorCode::kOverloaded:
    case base::ErrorCode::kMaxConn:
    case base::ErrorCode::kRateLimited:
    case base::ErrorCode::kUnavailable:
    case base::ErrorCode::kShuttingDown:
    case base::ErrorCode::kFenced:
    case base::ErrorCode::kUnknown:  // With the same name of the push or token, asking again is
                                     // right.
      return true;
    default:
      return false;
  }
}

bool is_hopeless(const base::Error& error) {
  return error.code != base::ErrorCode::kIo && !is_refused_for_now(error);
}

Channel::Channel(Target target, const Wake* wake)
    : target_(std::move(target)), wake_(wake), producer_(unique_name(random_)) {}

Result<Connection*> Channel::connection() {
  // So a server that was restarted meanwhile is not met with a command whose fate is then unknown.
  if (connection_ && connection_->is_closed()) connection_.reset();
  if (connection_) return connection_.get();
  Result<std::unique_ptr<Connection>> opened = Connection::open(
      target_.endpoint, target_.name, Deadline::in(target_.connect_timeout), wake_);
  if (opened) {
    connection_ = *std::move(opened);
    was_open_ = true;
    return connection_.get();
  }
  base::Error error = std::move(opened).error();
  // What was right before is not our mistake now: files and certificates are being renewed, say,
  // and a worker that has jobs goes on asking.
  if (was_open_ && target_.endpoint.is_tls && error.code == base::ErrorCode::kBadReq) {
    error.code = base::ErrorCode::kIo;
  }
  return tl::unexpected(std::move(error));
}

Result<protocol::RespValue> Channel::go(const Exchange& command, bool& sent) {
  Connection* connection = TRY(this->connection());
  // From here on some of it may have arrived.
  sent = true;
  const milliseconds answer = command.answer.count() > 0 ? command.answer : target_.answer_timeout;
  TRY(connection->send(command.bytes, Deadline::in(answer)));
  std::optional<protocol::RespValue> first_error;
  for (size_t left = command.replies;; --left) {
    protocol::RespValue reply = TRY(connection->receive(Deadline::in(answer + command.wait)));
    if (left <= 1) return first_error ? *std::move(first_error) : std::move(reply);
    if (reply.is_error() && !first_error) first_error = std::move(reply);
  }
}

bool Channel::wait_again(int goes, milliseconds least, Deadline until) {
  const milliseconds pause = std::max(least, pause_after(goes, random_));
  if (until.left() <= pause) return false;
  if (wake_ != nullptr) return !wake_->wait(pause);
  const Deadline over = Deadline::in(pause);
  while (!over.is_over()) poll(nullptr, 0, over.poll_timeout());
  return true;
}

Result<protocol::RespValue> Channel::exchange(const Exchange& command) {
  Deadline until = Deadline::in(target_.retry_for);
  bool was_sent = false;
  for (int goes = 1;; ++goes) {
    bool sent = false;
    const base::MonoTime begun = mono_now();
    Result<protocol::RespValue> reply = go(command, sent);
    was_sent = was_sent || sent;
    base::Error error;
    if (reply) {
      if (!reply->is_error()) return reply;
      error = error_of(*reply);
      if (!is_refused_for_now(error)) return reply;
      if (command.repeat == Repeat::kNever && error.code == base::ErrorCode::kUnknown) return reply;
      if (!wait_again(goes, asked_pause(error), until)) return reply;
      continue;
    }
    drop();
    error = reply.error();
    if (!sent && is_hopeless(error)) return reply;
    // What the command waited by itself was no failure yet.
    const std::chrono::nanoseconds took = mono_now() - begun;
    until = Deadline::at(until.time() + std::min<std::chrono::nanoseconds>(took, command.wait));
    const bool may_repeat = !sent || command.repeat == Repeat::kSafe;
    if (may_repeat && wait_again(goes, asked_pause(error), until)) continue;
    if (wake_ != nullptr && wake_->is_set()) return reply;
    if (!was_sent) return reply;
    return base::fail(base::ErrorCode::kUnknown,
                      "the command was sent, but no answer came ({}): look whether it was applied",
                      error.message);
  }
}

}  // namespace dray::detail
