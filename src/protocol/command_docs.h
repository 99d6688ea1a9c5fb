// The answers of COMMAND, COMMAND COUNT, DOCS, INFO, LIST, GETKEYS, in the shape that redis-cli
// and other clients of Redis expect. Only what is built is listed: help must not promise more.
// Threading: none; free functions.
#pragma once

#include "core/reply.h"
#include "protocol/command_lookup.h"

namespace protocol {

// Appends the whole answer, an error included. Requires: arguments[0] is COMMAND.
void write_command_reply(Arguments arguments, core::Reply& reply);

}  // namespace protocol
