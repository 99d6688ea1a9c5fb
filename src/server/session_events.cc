// What a connection subscribes to, and how events come to it: the part of Session that is told.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "auth/authorise.h"
#include "protocol/decode.h"
#include "server/connection_limits.h"
#include "server/session.h"

namespace server {

using base::ErrorCode;
using protocol::CommandId;

namespace {

// With more than this owed, events are left out: less than what a connection is closed for. Less
// while all connections together hold much: who listens is never the reason that others are closed.
constexpr size_t kOwedBytesForEvents = kOwedBytesMax / 2;
constexpr size_t kOwedBytesForEventsPressed = kOwedBytesForEvents / 16;

}  // namespace

// In RESP 2 a message looks like an answer: nothing else may be asked then.
bool Session::only_listens() const {
  return is_subscriber() && client_.version == protocol::RespVersion::kResp2;
}

bool Session::may_ask_while_listening(const protocol::CommandSpec& spec) {
  return spec.id == CommandId::kPing || spec.id == CommandId::kQuit ||
         spec.id == CommandId::kReset || Subscriptions::is_subscription(spec.id);
}

void Session::answer_ping(protocol::Arguments arguments) {
  Slot& slot = add_slot();
  slot.answer.reply.array(2);
  slot.answer.reply.bulk("pong");
  slot.answer.reply.bulk(arguments.size() > 1 ? arguments[1] : "");
  slot.done = true;
}

void Session::handle_subscription(const protocol::CommandSpec& spec,
                                  protocol::Arguments arguments) {
  if (const base::Status fits = protocol::check_arity(spec, arguments); !fits) {
    return answer_error(fits.error());
  }
  Slot& slot = add_slot();
  slot.parts.assign(arguments.begin() + 1, arguments.end());
  slot.change = Slot::Change::kSubscriptions;
  slot.subscribes = spec.id;
  // What comes behind it depends on it.
  blocking_ = &slot;
  if (Subscriptions::is_new(spec.id)) shard_->feed.add(id(), *this);
}

// Returns false when it has to wait: of what a client subscribed to, it is told all from the answer
// on.
bool Session::change_subscriptions(Slot& slot) {
  const CommandId command = slot.subscribes;
  if (Subscriptions::is_new(command) && !shard_->feed.runs()) return false;
  if (const base::Status fits = subscriptions_.check(command, slot.parts); !fits) {
    slot.answer.reply.error(fits.error());
  } else {
    subscriptions_.change(command, slot.parts, slot.answer.reply);
  }
  if (!is_subscriber()) end_subscriptions();
  return true;
}

// It came in anew, or left: what it subscribed to went by its rights.
void Session::review_subscriptions() {
  const bool may_listen =
      client_.authenticated &&
      (!client_.principal ||
       auth::may_ask(protocol::spec_of(CommandId::kSubscribe), client_.principal->rights));
  if (!may_listen) end_subscriptions();
}

void Session::end_subscriptions() {
  subscriptions_.clear();
  missed_ = 0;
  shard_->feed.remove(id());
}

void Session::event(std::string_view channel, std::string_view json) {
  if (closed_ || !is_subscriber()) return;
  // What is waiting may only wait for us.
  const size_t most = host_.buffers().is_calm() ? kOwedBytesForEvents : kOwedBytesForEventsPressed;
  if (output_.size() >= most) write();
  if (missed_ != 0) tell_missed();
  const size_t owed_now = std::min(output_.size(), most);
  core::Reply messages;
  missed_ += subscriptions_.write_messages(channel, json, most - owed_now, messages);
  if (!messages.empty()) output_.add(messages, client_.version, false, {});
}

void Session::told() {
  flush();
  if (closed_ || missed_ == 0) return;
  tell_missed();
  flush();
}

// A slow connection is told how much it missed, as a message that any client takes for one, once it
// has taken the greater part of what it is owed.
void Session::tell_missed() {
  if (output_.size() > kOwedBytesForEvents / 2) return;
  core::Reply messages;
  subscriptions_.write_notice(
      fmt::format(R"({{"event":"missed","count":{}}})", std::exchange(missed_, 0)), messages);
  output_.add(messages, client_.version, false, {});
}

}  // namespace server
