#include "server/signals.h"

#include <csignal>
#include <initializer_list>

namespace server {

void block_signals() {
  sigset_t heard;
  sigemptyset(&heard);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&heard, signal);
  pthread_sigmask(SIG_BLOCK, &heard, nullptr);
}

}  // namespace server
