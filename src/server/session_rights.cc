// What a session's client may do, and what of it is noted: the part of Session that asks `auth`.
#include "auth/authorise.h"
#include "server/session.h"

namespace server {

using base::ErrorCode;

bool Session::may_do(const protocol::CommandSpec& spec, Slot& slot) {
  const core::Rights* rights = client_.rights();
  if (rights != nullptr) {
    slot.principal = client_.principal;
    if (const base::Status may = auth::may_do(spec, *rights, slot.command); !may) {
      note_refusal(spec, base::error_word(may.error().code));
      slot.answer.reply.error(may.error());
      slot.done = true;
      return false;
    }
  }
  if (spec.has(protocol::command_flag::kAudit)) {
    slot.audited.push_back(audited(spec, slot.command));
  }
  return true;
}

void Session::note_refusal(const protocol::CommandSpec& spec, std::string_view outcome) const {
  host_.audit_log().note_refusal({.what = spec.name,
                                  .token = client_.token_id(),
                                  .peer = client_.peer,
                                  .names = "",
                                  .outcome = outcome,
                                  .job_namespace = shard_->name});
}

void Session::refuse(const protocol::CommandSpec& spec, const base::Error& error) {
  transaction_.spoil();
  note_refusal(spec, base::error_word(error.code));
  answer_error(error);
}

// A login that failed, or a SELECT that the token does not allow. What was given is in no line: it
// might be a secret that is nearly right.
void Session::audit_local(const protocol::CommandSpec& spec, const core::Reply& reply) const {
  const bool may_be_refused =
      spec.has(protocol::command_flag::kPreAuth) || spec.id == protocol::CommandId::kSelect;
  if (!may_be_refused) return;
  const std::string_view outcome = outcome_of(reply);
  const bool is_refused = outcome == base::error_word(ErrorCode::kWrongPass) ||
                          outcome == base::error_word(ErrorCode::kNoPerm);
  if (is_refused) note_refusal(spec, outcome);
}

void Session::audit(const Slot& slot) const {
  const std::string_view outcome = outcome_of(slot.answer.reply);
  for (const Audited& one : slot.audited) {
    const AuditEvent event = {.what = one.spec->name,
                              .token = slot.principal ? std::string_view(slot.principal->id) : "",
                              .peer = client_.peer,
                              .names = one.names,
                              .outcome = outcome,
                              .job_namespace = shard_->name};
    // What did nothing can be asked for any number of times.
    if (outcome == "OK") {
      host_.audit_log().note(event);
    } else {
      host_.audit_log().note_refusal(event);
    }
  }
}

bool Session::may_stay() const {
  if (closed_ || !client_.authenticated) return true;
  const LocalContext context = host_.local_context();
  if (!client_.principal) return context.roll.is_public();
  return context.roll.holds(*client_.principal, context.clock.wall());
}

}  // namespace server
