#include "server/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace server {

base::Status Signals::open() {
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&heard, signal);
  const int descriptor = ::signalfd(-1, &heard, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) {
    return base::fail(base::ErrorCode::kIo, "signals cannot be read: {}", std::strerror(errno));
  }
  descriptor_.assign(descriptor);
  pthread_sigmask(SIG_BLOCK, &heard, nullptr);
  return {};
}

void Signals::wait(std::function<void(int)> heard) {
  using boost::asio::posix::stream_descriptor;
  descriptor_.async_wait(stream_descriptor::wait_read,
                         [this, heard = std::move(heard)](boost::system::error_code error) mutable {
                           if (error) return;
                           signalfd_siginfo signal{};
                           const ssize_t got =
                               ::read(descriptor_.native_handle(), &signal, sizeof signal);
                           if (got != static_cast<ssize_t>(sizeof signal))
                             return wait(std::move(heard));
                           heard(static_cast<int>(signal.ssi_signo));
                         });
}

}  // namespace server
