// A worker on a thread of its own, and what its tests wait with.
#pragma once
#include <chrono>
#include <future>
#include <string_view>
#include <thread>
#include <utility>

#include "dray/worker.h"
#include "sdk/cpp/fake_server.h"

namespace dray::detail {

// Something that happens once, and can be waited for.
class Flag {
 public:
  void set() { promise_.set_value(); }
  bool wait() { return future_.wait_for(std::chrono::seconds(10)) == std::future_status::ready; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> future_ = promise_.get_future().share();
};

inline WorkerOptions quiet_options(int concurrency = 2) {
  WorkerOptions options;
  options.queues = {{"emails"}};
  options.concurrency = concurrency;
  options.name = "w1";
  options.grace = std::chrono::seconds(10);
  options.notice = [](std::string_view) {};
  return options;
}

// A worker that runs on a thread of its own, and is stopped at the end. What its handlers use has
// to be declared before it.
class Running {
 public:
  Running(const FakeServer& server, WorkerOptions options)
      : worker(ClientOptions{.url = server.url()}, std::move(options)) {}
  ~Running() {
    if (thread_.joinable()) finish();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void start() {
    thread_ = std::thread([this] { report_ = worker.run(); });
  }
  WorkerReport finish() {
    worker.stop();
    thread_.join();
    return report_;
  }

  Worker worker;

 private:
  std::thread thread_;
  WorkerReport report_;
};

}  // namespace dray::detail
