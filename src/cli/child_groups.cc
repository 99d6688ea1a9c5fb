#include "cli/child_groups.h"

#include <array>
#include <atomic>
#include <csignal>

namespace cli {
namespace {

// 0: free. All that the handler may look at.
std::array<std::atomic<pid_t>, kChildGroupsMax> groups{};
static_assert(std::atomic<pid_t>::is_always_lock_free);

extern "C" void dray_kill_children(int signal) {
  for (const std::atomic<pid_t>& group : groups) {
    const pid_t number = group;
    if (number > 0) kill(-number, SIGKILL);
  }
  // Only now: another signal, to another thread, would end us before the children. It comes again
  // when this returns.
  std::signal(signal, SIG_DFL);  // NOLINT: sigaction would say no more here.
  raise(signal);
}

}  // namespace

void ChildGroup::note(pid_t group) {
  for (size_t place = 0; place < kChildGroupsMax; ++place) {
    pid_t nobody = 0;
    if (!groups[place].compare_exchange_strong(nobody, group)) continue;
    place_ = place;
    return;
  }
}

void ChildGroup::forget() {
  if (place_ < kChildGroupsMax) groups[place_] = 0;
  place_ = kChildGroupsMax;
}

void kill_children_at(std::initializer_list<int> signals) {
  struct sigaction action {};
  action.sa_handler = dray_kill_children;
  sigfillset(&action.sa_mask);
  for (const int signal : signals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
}

}  // namespace cli
