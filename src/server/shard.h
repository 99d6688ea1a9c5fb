// A namespace that is served: its engine, and what the server keeps for it; and how it begins anew.
//
// Threading: the I/O thread; the engine has rules of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "server/event_feed.h"

namespace server {

// What NAMESPACE.RESET came to.
struct Renewed {
  base::Status emptied;    // If not, all is as it was.
  base::Status recovered;  // If not, there is nothing to go on with.
};

// Who gives a namespace another engine.
class Renewal {
 public:
  virtual ~Renewal() = default;
  // The engine to be, which nobody may use before `renew` has succeeded. The old one is not the
  // caller's any more. Threading: the I/O thread.
  virtual engine::Engine& replace() = 0;
  // Ends the old engine, forgets all that it had, and reads the nothing that there is now.
  // Requires: the old engine has answered all. Threading: any one thread; it takes a while.
  virtual Renewed renew() = 0;
};

// A namespace and who serves it. All must outlive the server.
struct Served {
  std::string name;
  engine::Engine& engine;
  Renewal* renewal = nullptr;  // Null: it can't begin anew.
};

struct Shard {
  // Asks the engine of a shard, on behalf of the server itself.
  using Ask = std::function<void(Shard& shard, core::CommandBody command, EventFeed::Done done)>;

  Shard(const Served& served, Ask ask, EventFeed::Later later)
      : name(served.name),
        engine(&served.engine),
        renewal(served.renewal),
        feed(
            [this, asks = std::move(ask)](core::CommandBody command, EventFeed::Done done) {
              asks(*this, std::move(command), std::move(done));
            },
            std::move(later)) {}
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  const std::string name;
  engine::Engine* engine;  // Never null.
  Renewal* const renewal;
  std::vector<engine::Request*> lent;  // By sessions, on the way to the engine.
  size_t out = 0;                      // Requests that the engine has.
  engine::SessionOrder own_order;      // Of the server's own questions.
  engine::SessionOrder feed_order;     // The same of the event feed.
  EventFeed feed;

  // While it is being reset, what is lent stays here.
  bool is_held = false;
  uint64_t asker = 0;   // The session that wants to know.
  std::thread renewer;  // Carries it out, once the old engine has answered all.
  Renewed renewed;      // The renewer's until it is joined.
};

// All that are served, the default one first. There are few, and they stay as long as the server.
using Shards = std::vector<std::unique_ptr<Shard>>;

// Null: it is not served.
Shard* find_shard(const Shards& shards, std::string_view name);

}  // namespace server
