#include "cli/own_stderr.h"

#include <poll.h>  // tidy: allow include because stderr is asked whether it is full, no socket
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>

namespace cli {
namespace {

// Between what poll() says and the write nobody else of this process may fill the pipe. Held for no
// longer than a write that does not wait.
std::atomic_flag is_taken;

// 0: full. The bytes are no more than a pipe with any room at all takes without waiting.
size_t write_piece(std::string_view bytes) {
  pollfd entry{STDERR_FILENO, POLLOUT, 0};
  if (poll(&entry, 1, 0) <= 0) return 0;
  const ssize_t count = write(STDERR_FILENO, bytes.data(), bytes.size());
  if (count >= 0) return static_cast<size_t>(count);
  return errno == EINTR || errno == EAGAIN ? 0 : bytes.size();
}

}  // namespace

size_t write_at_once(std::string_view bytes) {
  while (is_taken.test_and_set(std::memory_order_acquire)) is_taken.wait(true);
  size_t done = 0;
  while (done < bytes.size()) {
    const size_t count = write_piece(bytes.substr(done, PIPE_BUF));
    if (count == 0) break;
    done += count;
  }
  is_taken.clear(std::memory_order_release);
  is_taken.notify_one();
  return done;
}

}  // namespace cli
