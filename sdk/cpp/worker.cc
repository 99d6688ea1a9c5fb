#include "dray/worker.h"

#include "sdk/cpp/worker_state.h"

namespace dray {

Worker::Worker(ClientOptions client, WorkerOptions options)
    : state_(std::make_unique<State>(std::move(client), std::move(options))) {}

Worker::Worker(const Client& client, WorkerOptions options)
    : Worker(client.options(), std::move(options)) {}

Worker::~Worker() = default;

void Worker::add(std::string type, Handler handler) {
  state_->add(std::move(type), std::move(handler));
}

void Worker::add_any(Handler handler) {
  state_->add_any(std::move(handler));
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

}  // namespace dray
