// The server's own reader of events. It passes each on to the connections that subscribed, in the
// order of commits; nothing reaches it before it is durable. It reads only while somebody listens.
//
// Threading: the I/O thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/command.h"
#include "core/reply.h"

namespace server {

class EventListener {
 public:
  virtual ~EventListener() = default;
  virtual void event(std::string_view channel, std::string_view json) = 0;
  // So many events are lost to it.
  virtual void missed(uint64_t events) = 0;
  // The last of several events was told, or the feed runs now.
  virtual void told() = 0;
};

class EventFeed {
 public:
  // Gives a command to the engine, and its answer to `done`, later. What the command points to is
  // kept until then. It may not be able to: then it does nothing.
  using Done = std::function<void(const core::Reply&)>;
  using Ask = std::function<void(core::CommandBody command, Done done)>;
  // Calls `go_on` when others had their turn.
  using Later = std::function<void(std::function<void()> go_on)>;

  EventFeed(Ask ask, Later later) : ask_(std::move(ask)), later_(std::move(later)) {}

  // `id`: of the connection. It may be removed while it is told something.
  void add(uint64_t id, EventListener& listener);
  void remove(uint64_t id);
  // Whether all that happens from now on will be told.
  bool runs() const { return runs_; }
  // Asks again if the engine had no room for the last question.
  void tick();
  // Asks no more: the server ends.
  void stop() { stopped_ = true; }

 private:
  void ask();
  void take(const core::Reply& reply);
  void tell_some();
  void tell(uint64_t id);

  Ask ask_;
  Later later_;
  std::map<uint64_t, EventListener*> listeners_;
  std::string cursor_;  // The answer to the question under way goes on from here.
  // An answer that is being told.
  std::string events_;              // Its tape, from the first event on.
  uint32_t events_count_ = 0;       // How many it has.
  uint64_t missed_ = 0;             // How many were lost before them.
  std::deque<uint64_t> listening_;  // Those that it is still to be told.
  bool asks_ = false;               // A question is under way, or its answer is being told.
  bool runs_ = false;
  bool stopped_ = false;
};

}  // namespace server
