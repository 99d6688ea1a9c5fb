// The signals that the server hears, as something to read in a loop: however many are sent, none
// interrupts a thread, and those that nobody has read yet are one of each kind.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>

#include "base/result.h"

namespace server {

// On the loop's thread.
class Signals {
 public:
  explicit Signals(boost::asio::io_context& io) : descriptor_(io) {}

  // SIGTERM, SIGINT and SIGHUP no longer come to the calling thread, and to none that it starts
  // from now on: for good, that none of them changes how a process that is about to end does.
  // Requires: no other threads that take them. Errors: IO.
  base::Status open();
  // `heard` is called with the next one, once.
  void wait(std::function<void(int signal)> heard);

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

}  // namespace server
