#include "cli/checked_stdout.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "cli/cli.h"
#include "cli/terminal.h"

namespace cli {
namespace {

void tell_why(int error) {
  if (error == EPIPE) return;
  // An earlier write may have failed, and nobody has looked why.
  print_error("dray: stdout cannot be written{}{}\n", error == 0 ? "" : ": ",
              error == 0 ? "" : std::strerror(error));
}

}  // namespace

int with_checked_stdout(const std::function<int()>& run) {
  int code = kExitOk;
  try {
    code = run();
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) == 0) {
      print_error("dray: {}\n", printable(error.what()));
      return kExitFailed;
    }
    tell_why(error.code().value());
    return kExitOutput;
  }
  errno = 0;
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  tell_why(errno);
  return code == kExitOk ? kExitOutput : code;
}

void flush_stdout() {
  if (std::fflush(stdout) != 0) throw std::system_error(errno, std::generic_category(), "stdout");
}

}  // namespace cli
