// The crash build: the same server over a disk that forgets what was not synced. Tests only.
#include <cstdio>
#include <cstdlib>

#include "server/serve.h"
#include "store/dropping_file.h"

int main(int argc, char** argv) {
  const char* faults = std::getenv("DRAY_FAULTS");
  auto calls = store::make_dropping_calls(faults == nullptr ? "" : faults);
  if (!calls) {
    std::fprintf(stderr, "dray_crash: DRAY_FAULTS: %s\n", calls.error().message.c_str());
    return server::kExitUsage;
  }
  return server::run_command_line(argc, argv, **calls);
}
