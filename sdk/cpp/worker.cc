#include "dray/worker.h"

#include "sdk/cpp/access.h"
#include "sdk/cpp/client_core.h"
#include "sdk/cpp/worker_state.h"

namespace dray {

Worker::Worker(ClientOptions client, WorkerOptions options)
    : state_(std::make_unique<State>(std::move(client), std::move(options))) {}

Worker::Worker(const Client& client, WorkerOptions options)
    : Worker(client.options(), std::move(options)) {
  for (const PushMiddleware& middleware : detail::Access::core(client).middleware()) {
    state_->client().use(middleware);
  }
}

Worker::~Worker() = default;

const detail::Handlers& detail::Access::handlers(const Worker& worker) {
  return worker.state_->handlers();
}

void Worker::add(std::string type, Handler handler) {
  state_->handlers().add(std::move(type), std::move(handler));
}

void Worker::add_any(Handler handler) {
  state_->handlers().add_any(std::move(handler));
}

void Worker::add_permanent(std::function<bool()> is_permanent) {
  state_->handlers().add_permanent(std::move(is_permanent));
}

void Worker::use(RunMiddleware middleware) {
  state_->handlers().use(std::move(middleware));
}

WorkerReport Worker::run() {
  return state_->run();
}

void Worker::stop() {
  state_->stop();
}

void Worker::stop_on_signals(std::initializer_list<int> signals) {
  state_->stop_on_signals(signals);
}

void Worker::stop_on_signals() {
  stop_on_signals({SIGTERM, SIGINT});
}

std::string_view event_name(WorkerEvent::Kind kind) {
  switch (kind) {
    case WorkerEvent::Kind::kStarted:
      return "started";
    case WorkerEvent::Kind::kSucceeded:
      return "succeeded";
    case WorkerEvent::Kind::kFailed:
      return "failed";
    case WorkerEvent::Kind::kReleased:
      return "released";
    case WorkerEvent::Kind::kLost:
      return "lost";
  }
  return "unknown";
}

}  // namespace dray
