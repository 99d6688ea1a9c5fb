// Runs one command to its end: bytes in, bytes out, a limit on what it may say, and a way to
// end it with all that it started.
#pragma once
#include <sys/resource.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace cli {

struct ChildSpec {
  std::string program;                                           // A path; see find_program().
  std::vector<std::string> words;                                // argv, the name included.
  std::vector<std::pair<std::string, std::string>> environment;  // Added to ours.
  std::string input;                                             // Its stdin.
  size_t output_bytes_max = 0;                                   // Beyond it stdout is thrown away.
  size_t error_bytes_max = 0;                                    // Of stderr, the end is kept.
  // Copy its stderr to ours. What ours does not take within a second is lost there.
  bool pass_errors_on = false;
  std::chrono::milliseconds kill_after{5'000};  // From SIGTERM to SIGKILL.
  std::optional<rlimit> open_files;             // Its limit, if not as ours.
};

struct ChildEnd {
  int exit_code = -1;  // -1: ended by a signal.
  int signal = 0;
  bool was_stopped = false;  // Because `is_cancelled` said so.
  std::string output;
  bool output_was_cut = false;
  std::string errors;
};

// Returns the path of a program as a shell would find it.
base::Result<std::string> find_program(const std::string& name);

// Runs it in a process group of its own and waits. When `is_cancelled` says so, which is asked at
// least every 50 ms, the group gets SIGTERM, and what is left of it SIGKILL after kill_after, which
// is also waited for when the child itself has ended before. The child dies with us.
// Errors, when it cannot be started: kTooBig because of its words and environment, kIo for what
// lies with this machine or the program. Threading: any number of threads may run children at the
// same time.
base::Result<ChildEnd> run_child(const ChildSpec& spec, const std::function<bool()>& is_cancelled);

}  // namespace cli
