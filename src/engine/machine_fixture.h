// For tests of the engine's parts: a machine, requests that live as long as the test, and a clock
// that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "engine/machine.h"

namespace engine {

class MachineFixture : public testing::Test {
 protected:
  MachineFixture() { machine.begin(now); }

  Request& make(core::CommandBody body, uint64_t session = 1) {
    Request& request = requests.emplace_back();
    request.session = session;
    request.command.body = std::move(body);
    return request;
  }
  // One turn with one command. Returns those that were answered in it, in order.
  std::vector<Request*> turn(Request& request) {
    machine.begin(now);
    machine.apply(request);
    return end_turn();
  }
  // The time has come `ms` later.
  std::vector<Request*> pass(int64_t ms) {
    now.engine += base::Duration{ms};
    now.wall += base::Duration{ms};
    machine.begin(now);
    while (machine.apply_due(100)) {
    }
    return end_turn();
  }
  std::vector<Request*> end_turn() {
    machine.feed();
    machine.expire_waiting();
    effects += machine.take_effects();
    return machine.take_answered();
  }

  // Where the answer to a read of events says that the next one goes on.
  static std::string cursor_of(const Request& request) {
    core::ReplyReader reply(request.answer.reply.tape());
    reply.tag();
    reply.count();
    reply.tag();
    reply.bytes();
    reply.tag();
    return std::string(reply.bytes());
  }

  static core::Push push_of(std::string_view queue = "q", std::string_view type = "t") {
    core::Push push;
    push.spec.queue = queue;
    push.spec.type = type;
    push.spec.args = "{}";
    return push;
  }
  static core::Fetch fetch_of(std::vector<std::string_view> queues, int64_t block_ms = 5'000) {
    core::Fetch fetch;
    fetch.worker = "w";
    fetch.queues = std::move(queues);
    fetch.block_ms = block_ms;
    return fetch;
  }
  static core::JobRef ref(uint64_t id) { return core::JobRef{core::JobId{id}, {}, {}}; }
  static core::Wait wait_of(const std::vector<uint64_t>& ids, bool any, int64_t block_ms = 5'000) {
    core::Wait wait;
    for (const uint64_t id : ids) wait.jobs.push_back(ref(id));
    wait.any = any;
    wait.block_ms = block_ms;
    return wait;
  }
  void push(std::string_view queue = "q") { turn(make(push_of(queue))); }
  void cancel(uint64_t id) { turn(make(core::Bulk{core::BulkVerb::kCancel, false, {ref(id)}})); }
  // The lease of the next job of the queue.
  std::pair<core::JobRef, core::TokenRef> start(std::string_view queue = "q") {
    core::Fetch fetch = fetch_of({queue});
    fetch.block_ms.reset();
    Request& request = make(fetch);
    turn(request);
    const auto& [id, token] = request.answer.grants.at(0);
    return {core::JobRef{id, {}, {}}, core::TokenRef{token, true}};
  }
  void ack(const std::pair<core::JobRef, core::TokenRef>& lease,
           std::string_view result = "result") {
    turn(make(core::Ack{{lease.first, lease.second, result, true}}));
  }
  // The number of leases in the answer; -1: it is none.
  static int64_t leases(const Request& request) {
    core::ReplyReader reader(request.answer.reply.tape());
    if (reader.done() || reader.tag() != core::ReplyTag::kArray) return -1;
    return reader.count();
  }

  base::SeededRandom random{1};
  Machine machine{random, core::limits::kHistoryBytesMax};
  base::Now now{base::EngineTime{1'000'000}, base::WallTime{1'700'000'000'000}};
  std::deque<Request> requests;
  std::string effects;
};

}  // namespace engine
