// Commands that need records which are being read. Each holds back only what comes behind it on its
// own connection, and is applied as if it had come when the records are there.
//
// Threading: one thread at a time, the one that runs a turn.
#pragma once

#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "core/job.h"
#include "engine/request.h"

namespace engine {

class Parked {
 public:
  // The command is to be tried again. Behind others of its session, or as the first.
  void add(Request& request);
  // Whether commands of the session have to queue here.
  bool holds(uint64_t session) const { return by_session_.contains(session); }
  // The answer to a WAIT whose records are missing: what has ended may have left memory.
  void add_wait(Request& request, std::vector<core::JobId> jobs);

  // Goes on with the commands, in the order in which their sessions came here. `apply(Request&)`
  // returns false if the command has to wait on; `tell(Request&, jobs)` likewise.
  template <typename Apply, typename Tell>
  void retry(Apply apply, Tell tell) {
    for (auto next = sessions_.begin(); next != sessions_.end();) {
      const auto session = next++;
      std::deque<Request*>& requests = session->second;
      while (!requests.empty() && apply(*requests.front())) requests.pop_front();
      if (requests.empty()) forget(session);
    }
    std::erase_if(waits_, [&](Wait& wait) { return tell(*wait.request, wait.jobs); });
  }

  // Returns what the session has here, and forgets it.
  std::vector<Request*> remove_session(uint64_t session);
  bool empty() const { return sessions_.empty() && waits_.empty(); }
  size_t size() const;

 private:
  struct Wait {
    Request* request = nullptr;
    std::vector<core::JobId> jobs;
  };
  using Sessions = std::map<uint64_t, std::deque<Request*>>;  // By order of arrival.

  void forget(Sessions::iterator session);

  Sessions sessions_;
  std::unordered_map<uint64_t, Sessions::iterator> by_session_;
  std::vector<Wait> waits_;
  uint64_t next_ = 1;
};

}  // namespace engine
