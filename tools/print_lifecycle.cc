// Prints the table of the job life cycle, a line a cell, for tools/gen_state_machine.py.
#include <cstdio>

#include "core/lifecycle.h"

int main() { return std::fputs(core::lifecycle_text().c_str(), stdout) < 0 ? 1 : 0; }
