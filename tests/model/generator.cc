#include "model/generator.h"

#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

using words::kQueues;
using words::kWorkers;
constexpr Conn kConns = 6;

}  // namespace

Generator::Generator(uint64_t seed, GeneratorOptions options)
    : state_(seed * 0x9E3779B97F4A7C15U + 0x1234567U), options_(options) {
  constexpr int64_t kLongLogsEach = 16;
  flavour_ = between(0, 5);
  long_logs_ = between(1, kLongLogsEach) == 1;
}

// splitmix64.
uint64_t Generator::draw() {
  state_ += 0x9E3779B97F4A7C15U;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

int64_t Generator::between(int64_t low, int64_t high) {
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): low <= high.
  return low + static_cast<int64_t>(draw() % static_cast<uint64_t>(high - low + 1));
}

bool Generator::chance(int64_t percent) {
  return between(0, 99) < percent;
}

size_t Generator::weighted(const std::vector<int64_t>& weights) {
  int64_t sum = 0;
  for (const int64_t weight : weights) sum += weight;
  int64_t at = between(0, sum - 1);
  size_t i = 0;
  while (at >= weights[i]) at -= weights[i++];
  return i;
}

void Generator::learn(const World& world) {
  constexpr size_t kRemembered = 200;
  for (const Granted& granted : world.granted) tokens_.push_back(granted.lease);
  if (!world.jobs.empty()) {
    const std::string& newest = world.jobs.rbegin()->first;
    if (ids_.empty() || ids_.back() < newest) ids_.push_back(newest);
  }
  if (tokens_.size() > kRemembered) tokens_.erase(tokens_.begin());
  if (ids_.size() > kRemembered) ids_.erase(ids_.begin());
}

Conn Generator::free_conn(const World& world) {
  std::vector<Conn> conns;
  for (Conn conn = 1; conn <= kConns; ++conn) {
    const bool waits = std::any_of(world.waiters.begin(), world.waiters.end(),
                                   [conn](const Waiter& w) { return w.conn == conn; });
    if (!waits) conns.push_back(conn);
  }
  return conns.empty() ? 0 : pick(conns);
}

Planned Generator::next(const Model& model) {
  const World& world = model.world();
  learn(world);
  if (options_.connections && !world.granted.empty() && chance(8)) {
    Planned planned;
    planned.now = model.now();
    if (plan_untaken(world, planned.op.verb, planned.op.conn)) return planned;
  }
  const Conn conn = free_conn(world);
  if (options_.restarts && chance(1)) return plan_restart(model);
  if (conn == 0 || chance(flavour_ == 0 ? 35 : 20)) return plan_advance(model);
  if (options_.connections && chance(2)) {
    Planned planned;
    planned.now = model.now();
    planned.op.conn = static_cast<Conn>(between(1, kConns));
    planned.op.verb = Close{};
    return planned;
  }
  Planned planned = plan_command(model);
  planned.op.conn = conn;
  return planned;
}

// Some reply of the last step with leases was not taken: undone, or its connection closes.
bool Generator::plan_untaken(const World& world, Verb& verb, Conn& conn) {
  conn = pick(world.granted).conn;
  std::vector<LeaseName> ungot;
  for (const Granted& granted : world.granted) {
    if (granted.conn == conn) ungot.push_back(granted.lease);
  }
  if (chance(50)) {
    verb = Undo{ungot};
  } else {
    verb = Close{ungot};
  }
  return true;
}

Planned Generator::plan_command(const Model& model) {
  Planned planned;
  planned.now = model.now();
  // Commands that come before the due work of their time.
  int64_t later_ms = 0;
  if (chance(10)) later_ms = between(1, 30);
  const std::optional<int64_t> due = model.until_next_due();
  if (chance(4) && due) later_ms = *due + between(0, 2);
  planned.now.engine_ms += later_ms;
  planned.now.wall_ms += later_ms;
  planned.op.verb = command(model.world());
  return planned;
}

Verb Generator::command(const World& world) {
  const bool crowded = world.jobs.size() > options_.jobs_max;
  const bool running = std::any_of(world.jobs.begin(), world.jobs.end(), [](const auto& entry) {
    return entry.second.view.state == State::kRunning;
  });
  const int64_t leases_weight = running ? 44 : 4;
  std::vector<int64_t> weights = {crowded ? 2 : 22,
                                  crowded ? 0 : 4,
                                  26,
                                  leases_weight,
                                  4,
                                  4,
                                  6,
                                  3,
                                  crowded ? 25 : 3,
                                  2,
                                  4,
                                  5,
                                  flavour_ == 4 ? 25 : 6,
                                  keys_weight()};
  const size_t others = weights.size();
  for (const int64_t weight : admin_weights(world, running)) weights.push_back(weight);
  const size_t which = weighted(weights);
  if (which >= others) return admin_verb(world, which - others);
  switch (which) {
    case 0:
      return push(world, true);
    case 1:
      return mpush(world, true);
    case 2:
      return fetch();
    case 3:
      return lease_verb(world, weighted({24, 5, 22, 10, 6, 6, 8, 4}));
    case 4:
      return Get{id(world)};
    case 5:
      return wait(world);
    case 6:
      return Cancel{chance(35), ids(world)};
    case 7:
      return Retry{ids(world)};
    case 8:
      return Delete{ids(world)};
    case 9:
      if (chance(30)) return QueueList{};
      return QueueStats{chance(10) ? "nowhere" : pick(kQueues)};
    case 10:
      return QueuePause{pick(kQueues), chance(50) ? "incident" : ""};
    case 11:
      return QueueResume{pick(kQueues)};
    case 12:
      return exec(world);
    default:
      return key_verb(world);
  }
}

Planned Generator::plan_advance(const Model& model) {
  Planned planned;
  planned.now = model.now();
  const std::optional<int64_t> due = model.until_next_due();
  int64_t by_ms = 0;
  switch (weighted({due ? 55 : 0, 20, 12, 8, 3})) {
    case 0:
      by_ms = std::max<int64_t>(0, *due + pick<int64_t>({-1, 0, 0, 0, 1, 40}));
      break;
    case 1:
      by_ms = between(0, 2'000);
      break;
    case 2:
      by_ms = between(2'000, 70'000);
      break;
    case 3:
      by_ms = between(60'000, kHourMs);
      break;
    default:
      by_ms = between(kHourMs, 30 * kHourMs);
      break;
  }
  bool stall = false;
  if (options_.restarts && chance(6)) {
    stall = true;
    by_ms = std::max<int64_t>(by_ms, 1'001);
  }
  planned.now.engine_ms += by_ms;
  planned.now.wall_ms += by_ms;
  if (chance(8)) {
    // The wall clock is stepped; by more than the drift that may go unnoticed.
    const int64_t step_ms = pick<int64_t>(
        {501, 5'000, 600'000, kHourMs, kHourMs + 1, 3 * kHourMs, between(501, 4 * kHourMs)});
    planned.now.wall_ms += chance(50) ? step_ms : -step_ms;
  }
  planned.op.verb = Advance{stall};
  return planned;
}

Planned Generator::plan_restart(const Model& model) {
  Planned planned;
  planned.now = model.now();
  const int64_t gap_ms =
      pick<int64_t>({0, 200, 5'000, 40'000, 600'000, kHourMs, 2 * kHourMs, -5'000});
  planned.now.engine_ms += std::clamp<int64_t>(gap_ms, 0, kHourMs);
  planned.now.wall_ms += gap_ms;
  planned.op.verb = Restart{};
  return planned;
}

std::string Generator::bytes() {
  static const std::vector<std::string> kTexts = {"",      "{}",       "{\"n\":1}",
                                                  "[1,2]", "a b\r\nc", std::string("\0\xff", 2)};
  return pick(kTexts);
}

std::string Generator::named(const World& world, const std::string& id) {
  const Job* job = find_job(world, id);
  if (job != nullptr && job->view.key && chance(25)) return "key:" + *job->view.key;
  return id;
}

std::string Generator::id(const World& world) {
  switch (weighted({world.jobs.empty() ? 0 : 80, ids_.empty() ? 0 : 8, 5, 4,
                    options_.malformed && allow_malformed_ ? 1 : 0})) {
    case 0: {
      auto at = world.jobs.begin();
      std::advance(at, between(0, static_cast<int64_t>(world.jobs.size()) - 1));
      return named(world, at->first);
    }
    case 1:
      return pick(ids_);
    case 2: {
      constexpr uint64_t kFarAhead = uint64_t{1} << 40;
      return id_after(world.highest_id, kFarAhead + draw() % kFarAhead);
    }
    case 3:
      return "key:k" + std::to_string(between(1, 6));
    default:
      return pick<std::string>({"", "nonsense", "key:", "0123456789ABCD0", "0123456789ABU",
                                "Z000000000000", "000000000000u"});
  }
}

std::vector<std::string> Generator::ids(const World& world) {
  std::vector<std::string> ids;
  const int64_t count = chance(70) ? 1 : between(1, 4);
  for (int64_t i = 0; i < count; ++i) ids.push_back(id(world));
  if (options_.malformed && allow_malformed_ && chance(1)) ids.clear();
  return ids;
}

LeaseName Generator::lease(const World& world) {
  std::vector<const Job*> running;
  for (const auto& [id, job] : world.jobs) {
    if (job.view.state == State::kRunning) running.push_back(&job);
  }
  const bool malformed = options_.malformed && allow_malformed_;
  const int64_t odd = tokens_.empty() ? 0 : 1;
  const int64_t stale_weight = allow_malformed_ ? 14 : 4;  // Inside an EXEC they abort it all.
  switch (weighted({running.empty() ? 0 : 80, odd * stale_weight, odd * stale_weight / 2,
                    malformed ? 1 : 0, 1 - odd})) {
    case 0: {
      const JobView& view = pick(running)->view;
      return LeaseName{named(world, view.id), view.lease->token};
    }
    case 1: {
      LeaseName stale = pick(tokens_);
      stale.id = named(world, stale.id);
      return stale;
    }
    case 2:
      return LeaseName{id(world), pick(tokens_).token};
    case 3:
      return LeaseName{id(world), pick<std::string>({"", "!", "not a token"})};
    default:
      return LeaseName{id(world), made_up_token(between(1, 1'000))};
  }
}

std::vector<LeaseName> Generator::leases(const World& world, int64_t most) {
  std::vector<LeaseName> leases;
  const int64_t count = between(0, most);
  for (int64_t i = 0; i < count; ++i) leases.push_back(lease(world));
  return leases;
}

Verb Generator::lease_verb(const World& world, size_t which) {
  switch (which) {
    case 0: {
      Ack ack{lease(world), std::nullopt};
      if (chance(50)) ack.result = bytes();
      return ack;
    }
    case 1: {
      MAck mack;
      const int64_t count = between(1, 4);
      for (int64_t i = 0; i < count; ++i) mack.items.push_back(Ack{lease(world), std::nullopt});
      return mack;
    }
    case 2:
      return fail(world);
    case 3: {
      Release release{lease(world), std::nullopt};
      if (chance(40)) release.delay_ms = pick<int64_t>({0, 1, 1'000, 60'000});
      return release;
    }
    case 4:
      return Extend{lease(world), pick<int64_t>({1, 1'000, 10'000, 100'000})};
    case 5:
      return Progress{lease(world), bytes()};
    case 6:
      return Beat{pick(kWorkers), leases(world, 4)};
    default:
      return Bye{pick(kWorkers), leases(world, 3)};
  }
}

Fail Generator::fail(const World& world) {
  Fail fail;
  fail.lease = lease(world);
  fail.error_class = pick<std::string>({"ValueError", "IOError", ""});
  fail.message = chance(2) ? std::string(5'000, 'x') : bytes();
  if (chance(40)) fail.trace = chance(5) ? std::string(20'000, 't') : "at line 1";
  if (chance(20)) {
    fail.retry_in_ms = pick<int64_t>({0, 1, 1'000, 30'000});
  } else if (chance(12)) {
    fail.no_retry = true;
  }
  return fail;
}

}  // namespace model
