// The one decision over what a client may do. Every transport asks here and nowhere else; nothing
// here knows a wire format.
//
//   TRY(auth::may_ask(spec, rights));            // Before the arguments are looked at.
//   core::Command command = TRY(protocol::decode(spec, words));
//   TRY(auth::may_do(spec, rights, command));    // Before it is given to the engine.
//
// Jobs that a command names by id are judged by the engine, which knows their queues: `may_do`
// gives the references the sight of `rights`, and a job beyond it is answered like one that is not
// there. Threading: none; free functions.
#pragma once

#include <functional>
#include <string_view>

#include "base/result.h"
#include "core/command.h"
#include "core/rights.h"
#include "protocol/command_spec.h"

namespace auth {

// Whether the command may be given at all: a right that it needs is held somewhere, or everywhere
// if it is a command over everything. Errors: NOPERM.
base::Status may_ask(const protocol::CommandSpec& spec, const core::Rights& rights);

// Whether it may be given to the queues and keys that it names; sets the sight of its references to
// jobs. `rights` must outlive the command. Errors: NOPERM.
// Requires: may_ask() allowed it; the command is not an EXEC, whose members are asked for one by
// one.
base::Status may_do(const protocol::CommandSpec& spec, const core::Rights& rights,
                    core::Command& command);

// What a command names, in its order. Other: workers, types and operations.
enum class Named : uint8_t { kQueue, kJob, kKey, kOther };
using NameVisitor = std::function<void(Named, std::string_view)>;
void visit_names(const core::Command& command, const NameVisitor& visit);

}  // namespace auth
