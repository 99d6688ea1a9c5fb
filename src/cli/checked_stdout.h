// Whether what a command writes to stdout gets there: a full disk behind it must not look like
// success.
#pragma once
#include <functional>

namespace cli {

// Runs a command and returns its exit code; kExitOutput, and a line on stderr, when it is kExitOk
// and not all that it wrote to stdout could be written. A pipe whose reader has gone is worth no
// line. What a write to stdout throws ends the command.
int with_checked_stdout(const std::function<int()>& run);

// For what writes until somebody ends it. Throws std::system_error when stdout cannot be written.
void flush_stdout();

}  // namespace cli
