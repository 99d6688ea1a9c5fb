// An operation of the model as a command of the core, in two ways: put together by hand, and
// through the wire format and the protocol folder. Both must come to the same.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/command.h"
#include "model/op.h"

namespace sim {

// Returns the command; its views point into `op`. What the protocol folder would refuse is refused
// here too. Requires: the verb is no world op.
base::Result<core::Command> command_of(const model::Verb& verb);

// Returns the words of the request. Requires: the verb is neither a world op nor Exec.
std::vector<std::string> words_of(const model::Verb& verb);

// Returns the command that the words come to when they are sent and read; `bytes` keeps what its
// views point into. An Exec is read member by member; `bytes` gets one more for each.
base::Result<core::Command> read_words(const model::Verb& verb, std::deque<std::string>& bytes);

// The grants that a closed connection or a reply not taken gives back.
core::UndoGrants undo_of(const std::vector<model::LeaseName>& leases);

}  // namespace sim
