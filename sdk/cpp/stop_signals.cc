#include "sdk/cpp/stop_signals.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/assert.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

// The only thing a signal handler can reach. -1: nobody listens.
std::atomic<int> listener{-1};

void write_one(int fd) {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

extern "C" void dray_on_signal(int) {
  const int error = errno;
  const int fd = listener;
  if (fd >= 0) write_one(fd);
  errno = error;
}

}  // namespace

StopSignals::StopSignals(const std::vector<int>& signals, std::function<void()> on_signal)
    // One count a read.
    : fd_(eventfd(0, EFD_CLOEXEC | EFD_SEMAPHORE)),  // tidy: allow word because Linux has the name
      on_signal_(std::move(on_signal)) {
  ASSERT(fd_ >= 0, "no file descriptor is left for an eventfd");
  int nobody = -1;
  if (!listener.compare_exchange_strong(nobody, fd_)) {
    close(fd_);
    throw_error(ErrorCode::kBadState, "another worker of this process has the signals");
  }
  struct sigaction action {};
  action.sa_handler = dray_on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int signal : signals) {
    Earlier earlier{signal, {}};
    if (sigaction(signal, &action, &earlier.action) != 0) {
      put_back();
      close(fd_);
      throw_error(ErrorCode::kBadReq, "signal " + std::to_string(signal) + " can't be caught");
    }
    earlier_.push_back(earlier);
  }
  thread_ = std::thread([this] {
    for (;;) {
      uint64_t count = 0;
      if (read(fd_, &count, sizeof count) != sizeof count && errno != EINTR) return;
      if (ended_) return;
      if (count > 0) on_signal_();
    }
  });
}

StopSignals::~StopSignals() {
  put_back();
  ended_ = true;
  write_one(fd_);
  thread_.join();
  close(fd_);
}

void StopSignals::put_back() {
  for (const Earlier& earlier : earlier_) sigaction(earlier.signal, &earlier.action, nullptr);
  listener = -1;
}

}  // namespace dray::detail
