// Commands that wait for something: fetches for jobs, waits for the end of jobs. Each is answered
// in the very turn that brings what it waits for, or when its time is up.
//
// Threading: one thread at a time, the one that runs a turn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "core/apply.h"
#include "core/string_map.h"
#include "engine/parked.h"
#include "engine/request.h"

namespace engine {

class Waiting {
 public:
  // Takes over a request whose answer is still empty.
  void add_fetch(Request& request, base::EngineTime now);
  void add_wait(Request& request, std::vector<core::JobId> jobs, base::EngineTime now);
  void add_operation_wait(Request& request, uint64_t operation, base::EngineTime now);
  void add_event_read(Request& request, base::EngineTime now);

  // How many bytes the replies of one step may take; the last of them may take more. Who finds no
  // room waits on, or goes to `parked`.
  void set_room(size_t bytes) { room_ = bytes; }
  void take_room(size_t bytes) { room_ -= std::min(room_, bytes); }
  bool has_room() const { return room_ != 0; }

  // Hands jobs of the woken queues to the waiting fetches: oldest first, one job each a round,
  // until nobody takes one. Those that got something go to `answered`.
  void feed(core::Context& context, std::vector<Request*>& answered);

  // Answers the waits that the end of `jobs` completes. Those whose answer needs records that are
  // not in memory, or for which there is no room, go to `parked`.
  void finish(const core::Context& context, const std::vector<core::JobId>& jobs,
              std::vector<Request*>& answered, Parked& parked);

  // Answers those that wait for the end of the operation.
  void finish_operation(const core::Context& context, uint64_t operation,
                        std::vector<Request*>& answered);

  // Answers those that wait for events, if there are any for them.
  void tell_events(const core::EventLog& events, std::vector<Request*>& answered);

  // Answers those whose time is up, oldest first; `all`: everyone, at shutdown.
  void expire(const core::Context& context, bool all, std::vector<Request*>& answered,
              Parked& parked);

  // Forgets what the session waits for. Returns its request, or null.
  Request* remove_session(uint64_t session);

  bool has_waits() const { return !waits_by_job_.empty(); }
  size_t size() const { return waiters_.size(); }
  base::EngineTime next_deadline() const;

 private:
  using Number = uint64_t;  // In order of arrival.

  struct Waiter {
    Request* request = nullptr;
    base::EngineTime deadline = {};
    // What it waits for. None of them: a fetch.
    std::vector<core::JobId> jobs = {};
    uint64_t operation = 0;
    bool for_events = false;

    bool is_fetch() const { return jobs.empty() && operation == 0 && !for_events; }
  };

  const core::Fetch& fetch_of(const Waiter& waiter) const;
  void add(Request& request, Waiter waiter);
  Request* remove(Number number);
  bool give(core::Context& context, core::FetchChoice& choice, core::Answer& answer);
  bool may_give() const { return !missed_ && has_room(); }
  // Fetches that got a job, and what else there is for them.
  using Choices = std::vector<std::pair<Number, core::FetchChoice>>;
  Choices first_round(core::Context& context, const std::vector<core::Queue*>& woken);
  void answer_in_vain(const core::Context& context, Number number, std::vector<Request*>& answered);
  void answer_wait(const core::Context& context, Number number, std::vector<Request*>& answered,
                   Parked& parked);

  std::map<Number, Waiter> waiters_;
  std::set<std::pair<base::EngineTime, Number>> deadlines_;
  core::StringMap<std::set<Number>> fetches_by_queue_;
  std::unordered_map<uint64_t, std::set<Number>> waits_by_job_;
  std::unordered_map<uint64_t, std::set<Number>> waits_by_operation_;
  std::unordered_map<uint64_t, Number> by_session_;
  std::set<Number> event_reads_;
  uint64_t events_seen_ = 0;  // Up to this sequence all who wait have been told.
  Number next_ = 1;
  size_t room_ = 0;
  bool missed_ = false;  // Of one feed: the next job to give is not in memory.
};

}  // namespace engine
