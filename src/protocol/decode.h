// From the words of a request to a command that the engine applies. Checks syntax: which words,
// numbers that are numbers, options that exist and go together, counts that fit what is there.
// Ranges and names are the engine's to judge. Threading: none; free functions.
#pragma once

#include "base/result.h"
#include "core/command.h"
#include "protocol/command_lookup.h"

namespace protocol {

// Returns the command. Its views point into the words, which must outlive it.
// Errors: ERR for a wrong number of words, BADREQ for what can't be understood, NOTYET for a
// command, or a form of it, that is known but not built.
// Requires: arguments[0] is the command's name, and the command is not one that the server answers
// by itself (spec.local()).
base::Result<core::Command> decode(const CommandSpec& spec, Arguments arguments);
// The same, in place of another command. After an error that is neither.
base::Status decode_into(const CommandSpec& spec, Arguments arguments, core::Command& command);

}  // namespace protocol
