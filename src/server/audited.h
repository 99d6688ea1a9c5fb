// A command that leaves a line in the audit log once its outcome is known, and what that line says.
//
// Threading: none; values and free functions.
#pragma once

#include <string>
#include <string_view>

#include "core/command.h"
#include "core/reply.h"
#include "protocol/command_spec.h"

namespace server {

struct Audited {
  const protocol::CommandSpec* spec = nullptr;
  std::string names;
};

// The command with what it names; never its arguments.
Audited audited(const protocol::CommandSpec& spec, const core::Command& command);

// "OK", or the code of the first error, also one inside an array of results.
std::string_view outcome_of(const core::Reply& reply);

}  // namespace server
