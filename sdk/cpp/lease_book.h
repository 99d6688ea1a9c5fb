// The leases a worker holds, and which of its threads may end each.
#pragma once
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sdk/cpp/held.h"

namespace dray::detail {

// A lease is running until somebody claims it: the handler that has returned, the watch over time
// limits, or the stop. Who claims it delivers how it ended and then closes it. A lease that is lost
// is closed at once, and nobody delivers anything.
// By token, not by job: a job whose lease was lost may be leased to us again while its first
// handler still runs. Threading: any thread may call any method.
class LeaseBook {
 public:
  // A lease of the same job that is still here must be lost: the server gives no two.
  void add(const std::shared_ptr<Held>& held);
  // Returns whether the caller is the one to deliver how it ended.
  bool claim(const Held& held);
  // Takes a claim back: how it ended could not be told, and it still runs.
  void unclaim(const Held& held);
  // It is delivered, or not ours any more.
  void close(const Held& held);
  // Closes it and tells its handler. Returns false, and does nothing, when it is claimed or closed:
  // a beat that crosses our own ack hears that the lease is over, and only the ack's answer knows
  // why.
  bool lose(const std::string& token);

  bool is_open(const Held& held) const;
  size_t size() const;
  // All leases, for a beat.
  std::vector<std::shared_ptr<Held>> all() const;
  // Claims every lease that still runs.
  std::vector<std::shared_ptr<Held>> claim_all();
  // Those that still run though their time limit is over; each is named once.
  std::vector<std::shared_ptr<Held>> take_timed_out();
  // Claims those that have been beyond their time limit for `grace`.
  std::vector<std::shared_ptr<Held>> claim_timed_out(milliseconds grace);
  // When the next of them is to be taken or claimed.
  Deadline next_timeout(milliseconds grace) const;

  // A beat that named these leases was answered, or is to be counted from now.
  void renewed(const std::vector<std::shared_ptr<Held>>& leases, base::MonoTime sent);
  // When the next beat is due: a third of a lease after its last one; never, when none is held.
  Deadline next_beat() const;
  // The shortest lease held; what a beat's answer is worth waiting for. 0: none held.
  milliseconds shortest_lease() const;

 private:
  struct Entry {
    std::shared_ptr<Held> held;
    bool claimed = false;
    base::MonoTime renewed;
    bool timed_out = false;  // And was named so.
  };

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // By token. Guarded by mutex_.
};

}  // namespace dray::detail
