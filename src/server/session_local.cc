// What a connection is answered without the engine, and what it changes in itself by that: the part
// of Session for HELLO, AUTH, SELECT, RESET and their like.
#include <fmt/format.h>

#include "base/assert.h"
#include "protocol/decode.h"
#include "protocol/text.h"
#include "server/session.h"

namespace server {

void Session::handle_local(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  if (spec.id == protocol::CommandId::kNamespaceReset) return handle_reset(spec, arguments);
  if (is_barred_login(spec, arguments)) return;
  Slot& slot = add_slot();
  if (spec.id == protocol::CommandId::kReset) {
    transaction_.drop();
    end_subscriptions();
  }
  const bool was_authenticated = client_.authenticated;
  const auth::PrincipalPtr was = client_.principal;
  client_.stays = is_subscriber();
  slot.verbatim = answer_local(host_.local_context(), client_, spec, arguments, slot.answer.reply);
  slot.version = client_.version;
  slot.done = true;
  audit_local(spec, slot.answer.reply);
  if (is_subscriber() && client_.principal != was) review_subscriptions();
  if (client_.authenticated != was_authenticated) {
    parser_.set_limits(client_.authenticated ? protocol::kRespLimitsClient
                                             : protocol::kRespLimitsStranger);
  }
  watch_login(slot, was_authenticated);
  if (client_.shard == shard_) return;
  ASSERT(slot.done, "what is refused changes nothing");
  slot.change = Slot::Change::kNamespace;
  slot.done = false;
  blocking_ = &slot;
}

// All before the slot is answered. Returns false if it has to wait for more than that.
bool Session::carry_out(Slot& slot) {
  switch (slot.change) {
    case Slot::Change::kSubscriptions:
      if (!change_subscriptions(slot)) return false;
      break;
    case Slot::Change::kNamespace:
      if (!change_namespace()) return false;
      break;
    case Slot::Change::kReset:
      if (!reset_namespace(slot)) return false;
      break;
    case Slot::Change::kNone:
      ASSERT(false, "it changes nothing");
  }
  blocking_ = nullptr;
  slot.change = Slot::Change::kNone;
  slot.done = true;
  note_answer(slot);
  return true;
}

// A lease that the peer has not got yet is taken back where it was given: so the connection leaves
// when the kernel has all of its answers.
bool Session::change_namespace() {
  if (!output_.empty()) return false;
  ASSERT(lent_ == 0 && given_back_ == 0);
  shard_ = client_.shard;
  return true;
}

// --- NAMESPACE.RESET.

void Session::handle_reset(const protocol::CommandSpec& spec, protocol::Arguments arguments) {
  if (const base::Status fits = protocol::check_arity(spec, arguments); !fits) {
    return answer_error(fits.error());
  }
  // Whoever means another one than it is in has mistaken the connection.
  if (arguments[1] != shard_->name) {
    return answer_error(
        {base::ErrorCode::kBadReq,
         fmt::format("name={} this connection is in the namespace {}: SELECT the "
                     "one that is to be reset first",
                     protocol::printable(arguments[1], auth::kNamespaceBytesMax), shard_->name)});
  }
  Slot& slot = add_slot();
  slot.change = Slot::Change::kReset;
  blocking_ = &slot;
}

// Returns false: the answer comes with was_reset(), unless something is in the way.
bool Session::reset_namespace(Slot& slot) {
  const base::Status begun = host_.reset(*shard_, id());
  if (begun) {
    slot.change = Slot::Change::kNone;
    return false;
  }
  slot.answer.reply.error(begun.error());
  note_reset(begun);
  return true;
}

void Session::was_reset(base::Status emptied) {
  note_reset(emptied);
  if (closed_) return;
  ASSERT(!slots_.empty() && slots_.front().get() == blocking_);
  Slot& slot = *slots_.front();
  if (emptied) {
    slot.answer.reply.ok();
  } else {
    slot.answer.reply.error(emptied.error());
  }
  blocking_ = nullptr;
  slot.done = true;
  note_answer(slot);
  flush();
}

void Session::note_reset(const base::Status& outcome) const {
  const AuditEvent event = {.what = "NAMESPACE.RESET",
                            .token = client_.token_id(),
                            .peer = client_.peer,
                            .names = shard_->name,
                            .outcome = outcome ? "OK" : base::error_word(outcome.error().code),
                            .job_namespace = shard_->name};
  // What did nothing can be asked for any number of times.
  if (outcome) {
    host_.audit_log().note(event);
  } else {
    host_.audit_log().note_refusal(event);
  }
}

}  // namespace server
