// Commands that the server answers without the engine: HELLO, AUTH, PING, CLIENT, INFO and their
// like; what clients of Redis say when they connect.
//
// Threading: the I/O thread.
#pragma once

#include <string>
#include <string_view>

#include "auth/roll.h"
#include "base/clock.h"
#include "core/reply.h"
#include "protocol/command_lookup.h"
#include "server/client.h"
#include "server/shard.h"

namespace server {

// What the answers are made of. Borrowed.
struct LocalContext {
  const Shards& shards;
  const base::Clock& clock;
  const auth::Roll& roll;  // Who is let in.
  base::MonoTime started;
  size_t connections = 0;
  std::string_view resp_address = {};  // As bound.
};

// Answers the command. Returns whether the reply is text for people (verbatim in RESP 3).
// Requires: spec.local(), and neither MULTI, EXEC nor DISCARD, which are the session's.
bool answer_local(const LocalContext& context, Client& client, const protocol::CommandSpec& spec,
                  protocol::Arguments arguments, core::Reply& reply);

// The text of INFO: of the process, and of one namespace.
std::string info_text(const LocalContext& context, const Shard& shard);

}  // namespace server
