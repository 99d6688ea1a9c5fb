#include "repair/end_signals.h"

#include <csignal>
#include <ctime>

namespace repair {
namespace {

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

EndSignals::EndSignals() {
  const sigset_t set = end_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
}

EndSignals::~EndSignals() {
  const sigset_t set = end_signals();
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
}

bool EndSignals::wait(std::chrono::milliseconds time) {
  const sigset_t set = end_signals();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const std::chrono::nanoseconds rest = time - seconds;
  const timespec limit{seconds.count(), static_cast<long>(rest.count())};
  return sigtimedwait(&set, nullptr, &limit) >= 0;
}

}  // namespace repair
