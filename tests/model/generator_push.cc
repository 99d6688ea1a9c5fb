// The words of pushes, fetches, waits and transactions.
#include <algorithm>

#include "model/generator.h"
#include "model/step.h"

namespace model {
namespace {

using words::kBackoffs;
using words::kQueues;
using words::kTypes;
using words::kWorkers;
}  // namespace

Push Generator::push(const World& world, bool may_be_malformed) {
  Push push;
  push.queue = chance(70) ? kQueues[0] : pick(kQueues);
  push.type = pick(kTypes);
  push.args = bytes();
  if (chance(30)) push.priority = pick<int64_t>({0, 4, 5, 6, 9});
  if (chance(12)) {
    push.delay_ms = pick<int64_t>({0, 1, 500, 5'000, 60'000});
  } else if (chance(12)) {
    push.at_wall_ms =
        world.now.wall_ms + pick<int64_t>({-100'000, -1, 0, 1, 1'000, 30'000, 3'700'000});
  }
  if (chance(40)) push.attempts = between(1, flavour_ == 1 ? 2 : 6);
  if (chance(50)) push.backoff = pick(kBackoffs);
  if (chance(30)) push.timeout_ms = pick<int64_t>({0, 1, 2'000, 20'000, 100'000});
  if (chance(10)) push.soft_timeout_ms = pick<int64_t>({0, 1'000});
  if (chance(35)) push.lease_ms = pick<int64_t>({1'000, 5'000, 40'000});
  if (chance(10)) push.expire_ms = pick<int64_t>({1, 1'000, 10'000, 60'000});
  if (chance(25)) push.crashes = between(1, 4);
  if (chance(20)) push.keep_ms = pick<int64_t>({0, 1'000, 59'000, 61'000, 600'000});
  if (chance(15)) push.meta = {{"trace", bytes()}, {"tag", "x"}};
  if (chance(3)) push.meta.emplace_back("trace", "again");
  add_identity(world, push);
  if (may_be_malformed && options_.malformed && chance(3)) spoil(push);
  return push;
}

// KEY, ONDUP, REQUEST, REQSEQ.
void Generator::add_identity(const World& world, Push& push) {
  if (chance(flavour_ == 2 ? 70 : 25)) push.key = "k" + std::to_string(between(1, 4));
  if (chance(push.key ? 60 : 5)) {
    push.on_duplicate =
        pick<OnDuplicate>({OnDuplicate::kReturn, OnDuplicate::kReport, OnDuplicate::kError,
                           OnDuplicate::kReplace, OnDuplicate::kReplace});
  }
  if (chance(flavour_ == 3 ? 25 : 8)) {
    push.request = "r" + std::to_string(between(1, 3));
    if (chance(60)) push.request_for_ms = pick<int64_t>({1, 1'000, 60'000});
  } else if (chance(flavour_ == 3 ? 50 : 8)) {
    push.producer = chance(70) ? "p1" : "p2";
    const auto known = world.producers.find(*push.producer);
    const int64_t highest = known == world.producers.end() ? -1 : known->second.highest_seq;
    const int64_t offset =
        pick<int64_t>({1, 1, 1, 1, 0, 0, -1, -2, between(2, 10), -1'023, -1'024, -1'025, 1'500});
    push.producer_seq = std::max<int64_t>(0, highest + offset);
  }
}

void Generator::spoil(Push& push) {
  switch (between(0, 15)) {
    case 0:
      push.queue = "";
      break;
    case 1:
      push.type = "with space";
      break;
    case 2:
      push.priority = pick<int64_t>({-1, 10});
      break;
    case 3:
      push.delay_ms = -1;
      break;
    case 4:
      push.attempts = pick<int64_t>({0, 1'001});
      break;
    case 5:
      push.backoff = pick<std::string>({"", "fixed", "fixed:", "fixed:1~101", "linear:1,2,3",
                                        "exponential:1,0.5", "sidekiq:1", "list:", "fixed:-1"});
      break;
    case 6:
      push.lease_ms = 0;
      break;
    case 7:
      push.expire_ms = 0;
      break;
    case 8:
      push.crashes = 0;
      break;
    case 9:
      push.keep_ms = -1;
      break;
    case 10:
      push.key = pick<std::string>({"", std::string(129, 'k')});
      break;
    case 11:
      push.queue = std::string(129, 'q');
      break;
    case 12:
      push.unique = "u";
      break;
    case 13:
      push.limits = {"api"};
      break;
    case 14:
      push.fair = "tenant";
      break;
    default:
      push.timeout_ms = -1;
      break;
  }
}

MPush Generator::mpush(const World& world, bool may_be_malformed) {
  MPush mpush;
  const int64_t count = between(1, 4);
  for (int64_t i = 0; i < count; ++i) mpush.items.push_back(push(world, may_be_malformed));
  if (may_be_malformed && options_.malformed && chance(3)) mpush.items.clear();
  return mpush;
}

Fetch Generator::fetch() {
  Fetch fetch;
  fetch.worker = pick(kWorkers);
  if (chance(40)) fetch.count = between(1, 4);
  if (options_.connections && chance(45)) fetch.block_ms = pick<int64_t>({0, 1, 2'000, 90'000});
  if (chance(30)) fetch.holding = between(0, 2);
  if (chance(30)) fetch.types = std::vector<std::string>{pick(kTypes)};
  if (chance(20)) fetch.types = kTypes;
  fetch.queues = kQueues;
  if (chance(40)) fetch.queues = {kQueues[0]};
  if (chance(15)) fetch.queues = {"q3", "q1", "nowhere"};
  if (chance(15)) fetch.weights = std::vector<int64_t>(fetch.queues.size(), between(1, 9));
  if (options_.malformed && chance(2)) spoil(fetch);
  return fetch;
}

void Generator::spoil(Fetch& fetch) {
  switch (between(0, 5)) {
    case 0:
      fetch.worker = "";
      break;
    case 1:
      fetch.count = pick<int64_t>({0, 1'001});
      break;
    case 2:
      fetch.queues.clear();
      break;
    case 3:
      fetch.types.emplace();
      break;
    case 4:
      fetch.weights = std::vector<int64_t>(fetch.queues.size() + 1, 1);
      break;
    default:
      fetch.queues = {"with space"};
      break;
  }
}

Wait Generator::wait(const World& world) {
  Wait wait;
  wait.ids = ids(world);
  wait.any = chance(50);
  wait.block_ms = pick<int64_t>({0, 1, 3'000, 70'000});
  return wait;
}

// Mostly what people do (finish one job, push the next ones), now and then something stale, which
// must undo the rest. Malformed words are left to single commands.
Exec Generator::exec(const World& world) {
  Exec exec;
  allow_malformed_ = false;
  const auto runs = [](const auto& entry) { return entry.second.view.state == State::kRunning; };
  const int64_t leased = std::any_of(world.jobs.begin(), world.jobs.end(), runs) ? 8 : 1;
  const int64_t count = between(chance(3) ? 0 : 1, 3);
  for (int64_t i = 0; i < count; ++i) {
    Op member;
    switch (weighted({30, 8, 4 * leased, 2 * leased, leased, leased, 6, keys_weight(),
                      options_.edit ? 10 : 0})) {
      case 0:
        member.verb = push(world, false);
        break;
      case 1:
        member.verb = mpush(world, false);
        break;
      case 2:
        member.verb = lease_verb(world, 0);
        break;
      case 3:
        member.verb = lease_verb(world, 2);
        break;
      case 4:
        member.verb = lease_verb(world, 3);
        break;
      case 5:
        member.verb = lease_verb(world, 5);
        break;
      case 6:
        member.verb = Cancel{chance(40), ids(world)};
        break;
      case 7:
        member.verb = key_verb(world);
        break;
      default:
        member.verb = edit(world);
        break;
    }
    exec.members.push_back(member);
  }
  allow_malformed_ = true;
  return exec;
}

}  // namespace model
