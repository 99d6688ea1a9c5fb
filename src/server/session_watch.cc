// What a connection holds, how long it takes, and how it is put out.
#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "protocol/text.h"
#include "server/connection_limits.h"
#include "server/session.h"

namespace server {

using base::ErrorCode;
using boost::system::error_code;

namespace {

Closure closure_of(protocol::RespFault fault) {
  switch (fault) {
    case protocol::RespFault::kHttp:
      return Closure::kHttp;
    case protocol::RespFault::kTls:
      return Closure::kTls;
    case protocol::RespFault::kTooBig:
      return Closure::kTooBig;
    default:
      return Closure::kProtocolError;
  }
}

// What a request takes in memory while it is with the engine.
size_t memory_of(const Slot& slot) {
  size_t size = sizeof(Slot) + slot.bytes.capacity();
  for (const std::string& part : slot.parts) size += part.capacity();
  const auto add = [&](const auto* command) {
    if constexpr (requires { command->items; }) {
      if (command != nullptr) size += command->items.capacity() * sizeof(command->items[0]);
    } else if constexpr (requires { command->jobs; }) {
      if (command != nullptr) size += command->jobs.capacity() * sizeof(command->jobs[0]);
    } else {
      if (command != nullptr) size += command->commands.capacity() * sizeof(core::Command);
    }
  };
  const core::CommandBody& body = slot.command.body;
  add(std::get_if<core::PushMany>(&body));
  add(std::get_if<core::AckMany>(&body));
  add(std::get_if<core::Bulk>(&body));
  add(std::get_if<core::Wait>(&body));
  add(std::get_if<core::Exec>(&body));
  return size;
}

}  // namespace

// --- What it holds.

void Session::hold(Slot& slot, size_t bytes) {
  slot.held_bytes += bytes;
  slot_bytes_ += bytes;
}

void Session::note_answer(Slot& slot) {
  const size_t size = slot.answer.reply.tape().size();
  hold(slot, size);
  slot.owed_bytes = size;
  owed_bytes_ += size;
}

void Session::lend(Slot& slot, size_t words) {
  // Of so few the command is no larger than the slot.
  constexpr size_t kFewWords = 32;
  hold(slot, words <= kFewWords ? sizeof(Slot) + slot.bytes.capacity() : memory_of(slot));
  to_lend_.push_back(&slot);
  ++lent_;
}

// The slot's answer is about to be encoded.
void Session::let_go(Slot& slot) {
  if (slot.heavy) {
    --heavy_;
    order_.reply_bytes.fetch_sub(slot.owed_bytes, std::memory_order_relaxed);
  }
  owed_bytes_ -= std::exchange(slot.owed_bytes, 0);
  unhold(slot);
}

void Session::unhold(Slot& slot) {
  slot_bytes_ -= std::exchange(slot.held_bytes, 0);
}

// Tells the keeper, once for all that a read or a batch of answers has changed.
void Session::account() {
  const uint64_t held = input_.capacity() + parser_.memory_bytes() +
                        words_.capacity() * sizeof(std::string_view) + slot_bytes_ +
                        output_.memory_bytes() + transaction_.memory_bytes() +
                        subscriptions_.memory_bytes();
  if (held == held_bytes_) return;
  host_.buffers().change(held_bytes_, held);
  held_bytes_ = held;
}

// Lets go of what only the next request or answer would use; of everything once it is closed.
void Session::trim() {
  for (const auto& slot : free_) unhold(*slot);
  std::vector<std::unique_ptr<Slot>>().swap(free_);
  std::vector<std::string_view>().swap(words_);
  parser_.trim();
  if (closed_) {
    input_begin_ = input_end_ = 0;
    output_ = {};
    transaction_.drop();
    while (!slots_.empty() && slots_.front()->done) {
      let_go(*slots_.front());
      slots_.pop_front();
    }
  }
  output_.trim();
  if (input_begin_ != input_end_) return;
  input_begin_ = input_end_ = 0;
  std::vector<char>().swap(input_);
}

// What the engine gave back, in order, as soon as it has nothing of this connection and enough was
// passed on.
void Session::lend_again() {
  // What stands behind them can't be sent before them, so only what stands in front counts.
  const uint64_t in_front = output_.size() + order_.reply_bytes.load(std::memory_order_relaxed);
  if (lent_ != 0 || in_front >= kOwedBytesMax) return;
  order_.gives_back = false;
  given_back_ = 0;
  for (const auto& slot : slots_) {
    if (!slot->given_back) continue;
    slot->given_back = false;
    to_lend_.push_back(slot.get());
    ++lent_;
  }
  submit_lent();
}

void Session::resume() {
  held_back_ = false;
  held_back_ticks_ = 0;
  if (!closed_) read();
}

// --- How long it takes.

void Session::tick() {
  if (closed_) return;
  if (lingers_) {
    if (++linger_ticks_ >= host_.limits().linger_ticks) close();
    return;
  }
  held_back_ticks_ = held_back_ ? held_back_ticks_ + 1 : 0;
  if (is_late()) return;
  if (std::exchange(was_read_, false)) return;
  trim();
  account();
  // It may be held back for room that it has just given back.
  if (held_back_ && host_.buffers().may_read(held_bytes_)) resume();
}

// Puts it out if it takes too long for something. Returns whether it did.
bool Session::is_late() {
  const ConnectionLimits& limits = host_.limits();
  const auto put_out_for = [this](Closure why) {
    put_out(why);
    return true;
  };
  login_ticks_ = is_stranger_ ? login_ticks_ + 1 : 0;
  if (login_ticks_ > limits.login_ticks) return put_out_for(Closure::kLoginTime);

  const bool is_same_request =
      std::exchange(commands_at_tick_, client_.commands) == client_.commands;
  const bool is_half_sent = unread() != 0 && may_parse() && !held_back_;
  request_ticks_ = is_half_sent && is_same_request ? request_ticks_ + 1 : 0;
  const bool is_slow = unread() < request_ticks_ * kRequestBytesPerTick;
  if (request_ticks_ > limits.request_ticks && is_slow) return put_out_for(Closure::kRequestTime);

  const bool takes_enough = !is_writing_ || owed() < kOwedBytesMax || bytes_taken_ >= kOwedBytesMax;
  owing_ticks_ = takes_enough ? 0 : owing_ticks_ + 1;
  if (owing_ticks_ == 0) bytes_taken_ = 0;
  if (owing_ticks_ > limits.owing_ticks) return put_out_for(Closure::kNotReading);
  return false;
}

void Session::put_out(Closure why) {
  if (closed_) return;
  host_.doorman().count(why);
  if (host_.doorman().may_log(Doorman::Topic::kClosure)) {
    LOG(kWarning, "a connection is closed", {"peer", client_.peer}, {"reason", closure_word(why)},
        {"held_bytes", held_bytes_}, {"unread_bytes", unread()}, {"owed_bytes", owed()});
  }
  // At once: otherwise the kernel would go on holding megabytes for a peer that does not take them.
  if (owed() != 0) connection_.drop_unsent();
  close();
}

// The end of the connection, as soon as the answers before it are out.
void Session::protocol_error() {
  const Closure why = closure_of(parser_.fault());
  host_.doorman().count(why);
  if (host_.doorman().may_log(Doorman::Topic::kClosure)) {
    LOG(kWarning, "a connection is closed: it does not speak RESP", {"peer", client_.peer},
        {"reason", closure_word(why)}, {"why", parser_.error_text()});
  }
  client_.quits = true;
  faulty_ = true;
  answer_error({ErrorCode::kErr, parser_.error_text()});
  note_answer(*slots_.back());
}

// The kernel gave the peer up: it took nothing for longer than kUserTimeoutMs.
void Session::end_for(error_code error) {
  if (error == boost::asio::error::timed_out && owed() != 0) return put_out(Closure::kNotReading);
  close();
}

// The peer is told why, and that nothing more comes. What it still sends is taken until it closes:
// otherwise the reset would take the reason from it.
void Session::linger() {
  if (lingers_) return;
  lingers_ = true;
  input_begin_ = input_end_ = 0;
  connection_.end_sending();
  read();
}

// --- Logins.

void Session::end_strangeness() {
  if (!is_stranger_) return;
  is_stranger_ = false;
  host_.doorman().stranger_left(address_);
}

// Answers a login from an address that has failed too often.
bool Session::is_barred_login(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  using protocol::CommandId;
  const auto names_auth = [&] {
    return std::ranges::any_of(arguments, [](std::string_view word) {
      return protocol::equals_ignoring_case(word, "AUTH");
    });
  };
  const bool logs_in =
      spec.id == CommandId::kAuth || (spec.id == CommandId::kHello && names_auth());
  if (!logs_in) return false;
  const LocalContext context = host_.local_context();
  const auto barred = host_.doorman().barred_for(address_, context.clock.mono());
  if (!barred) return false;
  note_refusal(spec, base::error_word(ErrorCode::kRateLimited));
  host_.doorman().count(Closure::kFailedLogins);
  if (host_.doorman().may_log(Doorman::Topic::kLogin)) {
    LOG(kWarning, "a login is refused: too many from this address failed", {"peer", client_.peer});
  }
  client_.quits = true;
  faulty_ = true;
  answer_error({ErrorCode::kRateLimited,
                fmt::format("retry_ms={} limit={} failed logins a minute from one address",
                            barred->count(), host_.limits().failed_logins_max)});
  return true;
}

// A local command was answered: it may have been a login.
void Session::watch_login(Slot& slot, bool was_authenticated) {
  if (client_.authenticated != was_authenticated) {
    end_strangeness();
    if (!client_.authenticated) {
      is_stranger_ = true;
      host_.doorman().stranger_came(address_);
    }
  }
  core::ReplyReader reader(slot.answer.reply.tape());
  const bool failed = !reader.done() && reader.tag() == core::ReplyTag::kError &&
                      reader.code() == ErrorCode::kWrongPass;
  if (failed) pause_after_failed_login(slot);
}

// Guessing is slow. The answer waits, and what comes behind it.
void Session::pause_after_failed_login(Slot& slot) {
  host_.doorman().login_failed(address_, host_.local_context().clock.mono());
  if (host_.doorman().may_log(Doorman::Topic::kLogin)) {
    LOG(kWarning, "a login failed", {"peer", client_.peer});
  }
  slot.done = false;
  blocking_ = &slot;
  pausing_ = true;
  if (!login_pause_) {
    login_pause_ = std::make_unique<boost::asio::steady_timer>(connection_.loop());
  }
  login_pause_->expires_after(host_.limits().failed_login_delay);
  login_pause_->async_wait([this, &slot](error_code) {
    pausing_ = false;
    if (closed_) return end_if_over();
    blocking_ = nullptr;
    slot.done = true;
    note_answer(slot);
    flush();
  });
}

}  // namespace server
