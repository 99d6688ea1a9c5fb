// From a command's name, in any case, to its row of the table; and the answers to those that have
// none. Threading: none; the table is constant.
#pragma once

#include <span>
#include <string_view>

#include "base/error.h"
#include "base/result.h"
#include "protocol/command_spec.h"

namespace protocol {

using Arguments = std::span<const std::string_view>;

// Returns the row, or nothing for a name that is not ours.
const CommandSpec* find_command(std::string_view name);

// The answer to a name that find_command does not know. A command of Redis that other job systems
// need names the system whose keys it has, and what to use instead; others get Redis' text.
// Requires: arguments[0] is the name.
base::Error unknown_command(Arguments arguments);

// The answer to `CLIENT FOO` and its like, nearly in Redis' words.
base::Error unknown_subcommand(const CommandSpec& spec, std::string_view subcommand);

// Errors when the number of words does not fit the command, with Redis' text.
// Requires: arguments[0] is the name.
base::Status check_arity(const CommandSpec& spec, Arguments arguments);

// The answer to a command that is known but not built: NOTYET.
base::Error not_built(std::string_view what);

}  // namespace protocol
