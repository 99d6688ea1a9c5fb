// A request of a session, with its place in the order of answers.
//
// Lifetime: the session's. Threading: the I/O thread, save while it is lent to an engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "auth/roll.h"
#include "engine/request.h"
#include "protocol/command_spec.h"
#include "protocol/resp_encoder.h"
#include "server/audited.h"

namespace server {

class Session;

struct Slot : engine::Request {
  Session* owner = nullptr;
  auth::PrincipalPtr principal;  // Whose rights the command points to.
  std::vector<Audited> audited;
  protocol::RespVersion version = protocol::RespVersion::kResp2;
  bool done = false;      // Answered; waits for those before it.
  bool internal = false;  // Nobody is written an answer: kClose, UndoGrants.
  bool fetches = false;   // Is a FETCH that wants a job.
  bool parked = false;    // A FETCH that came during shutdown; see Session::end_fetches.
  bool verbatim = false;  // Its answer is text for people.
  // What it changes in the connection itself, when all before it is answered; what comes behind it
  // is not looked at until then. (P)SUBSCRIBE, (P)UNSUBSCRIBE of `parts`; or to which namespace the
  // connection belongs: SELECT, a login, RESET; or the namespace itself: NAMESPACE.RESET.
  enum class Change : uint8_t { kNone, kSubscriptions, kNamespace, kReset };
  Change change = Change::kNone;
  protocol::CommandId subscribes{};
  size_t held_bytes = 0;  // Of memory, as the session counts it.
  size_t owed_bytes = 0;  // Of its answer, likewise.
};

}  // namespace server
