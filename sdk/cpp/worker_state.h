// The machinery of a Worker: one thread that fetches, a pool that runs handlers, the beat and the
// delivery, and the lease book between them.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "dray/worker.h"
#include "sdk/cpp/beat.h"
#include "sdk/cpp/delivery.h"
#include "sdk/cpp/fetch_plan.h"
#include "sdk/cpp/handlers.h"
#include "sdk/cpp/lease_book.h"
#include "sdk/cpp/stop_signals.h"

namespace dray {

// Threading: fields are constant after run() has begun, guarded by the mutex, or have a class that
// says so itself.
struct Worker::State final : detail::HeldOwner {
  State(ClientOptions client_in, WorkerOptions options_in);
  ~State() override;

  WorkerReport run();
  void stop();
  void hurry();
  void stop_on_signals(std::initializer_list<int> signals);

  void report_progress(const std::shared_ptr<detail::Held>& held, std::string data) override;
  void report_log(const std::shared_ptr<detail::Held>& held, LogLevel level,
                  std::string text) override;
  std::vector<Pushed> finish(detail::Held& held, Transaction& transaction,
                             std::optional<std::string> result) override;
  Client& client() override { return client_; }

  detail::Handlers& handlers() { return handlers_; }

 private:
  void check() const;
  void start_threads();
  void notice(std::string_view line) const;
  void tell(WorkerEvent::Kind kind, const detail::Held& held,
            const Failure* failure = nullptr) const;
  // Wakes who waits for a change, and does not miss it between its look and its wait.
  void wake();
  detail::Beat::Hooks beat_hooks();
  detail::Delivery::Hooks delivery_hooks();

  void fetch_until_stopped();
  // Waits until the planner wants a fetch; false at the stop.
  bool wait_for_plan(detail::FetchPlan& plan);
  base::Status fetch_once(const detail::FetchPlan& plan);
  // Of a fetch that failed: what to do about it, and the pause before the next.
  void take_fault(const base::Error& fault, int faults);
  // Of a fetch that was answered when the stop had come: only held, and given back at the end.
  void keep_unstarted(protocol::RespValue&& reply);
  std::string fetch_request(const detail::FetchPlan& plan) const;
  void start(protocol::RespValue&& reply, bool fetched_alone);
  bool needs_to_be_alone(const detail::Held& held);

  void run_handlers();
  void run_one(const std::shared_ptr<detail::Held>& held);

  void wait_for_handlers(milliseconds most);
  void give_back_unfinished();
  bool is_stopping() const { return stop_wake_.is_set(); }

  const WorkerOptions options_;
  const std::string name_;
  Client client_;  // For handlers.
  const detail::Target target_;
  detail::Handlers handlers_;

  detail::Wake stop_wake_;
  detail::LeaseBook book_;
  detail::Channel fetch_channel_;     // Fetching thread only.
  detail::FetchPlanner planner_;      // Fetching thread only.
  std::optional<base::Error> fatal_;  // Fetching thread only: why run() throws.
  uint64_t returned_ = 0;             // Fetching thread only: leases given back at the end.
  std::unique_ptr<detail::StopSignals> signals_;

  std::mutex mutex_;
  std::condition_variable changed_;  // Of all but to_run_: who fetches and who ends waits for it.
  std::condition_variable work_;     // Of to_run_ and ended_: handlers' threads wait for it.
  std::deque<std::shared_ptr<detail::Held>> to_run_;  // Guarded by mutex_.
  size_t busy_ = 0;          // Guarded by mutex_: threads with a handler, or about to have one.
  bool quiet_ = false;       // Guarded by mutex_.
  bool runs_alone_ = false;  // Guarded by mutex_.
  bool hurry_ = false;       // Guarded by mutex_: the grace is cut short.
  bool ended_ = false;       // Guarded by mutex_: threads go home.

  std::unique_ptr<detail::Delivery> delivery_;
  std::unique_ptr<detail::Beat> beat_;
  std::vector<std::thread> threads_;
};

}  // namespace dray
