#include "sdk/cpp/wake.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/assert.h"
#include "sdk/cpp/deadline.h"

namespace dray::detail {

Wake::Wake() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ASSERT(fd_ >= 0, "no file descriptor is left for an eventfd");
}

Wake::~Wake() {
  close(fd_);
}

void Wake::set() const {
  const uint64_t one = 1;
  // It fails only when it was set 2^64 - 2 times: then it is set.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

bool Wake::is_set() const {
  return wait(std::chrono::milliseconds{0});
}

bool Wake::wait(std::chrono::milliseconds duration) const {
  const Deadline deadline = Deadline::in(duration);
  for (;;) {
    pollfd entry{fd_, POLLIN, 0};
    const int ready = poll(&entry, 1, deadline.poll_timeout());
    if (ready > 0) return true;
    if (deadline.is_over()) return false;
  }
}

}  // namespace dray::detail
