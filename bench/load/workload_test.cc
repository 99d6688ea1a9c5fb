#include "bench/load/workload.h"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <random>
#include <stdexcept>

#include "bench/load/dray_stub.h"
#include "bench/load/due_workload.h"
#include "bench/load/latency_workload.h"
#include "bench/load/life_workload.h"
#include "bench/load/push_workload.h"

namespace load {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

// The loop of the loader with a stub in place of sockets and with a clock that it moves itself.
// Replies travel in random pieces.
class Rig {
 public:
  Rig(uint32_t channel_count, uint32_t fetch_count, bool blocks)
      : driver_(make_driver({.kind = "dray",
                             .channel_count = channel_count,
                             .fetch_count = fetch_count,
                             .fetch_blocks = blocks})) {
    for (uint32_t i = 0; i < channel_count; ++i) channels_.emplace_back(i, *driver_);
    in_transit_.resize(channel_count);
  }

  void begin(Workload& workload) { workload.begin(now_ns_); }

  // One turn: all channels send, the stub answers, a part of the replies arrives.
  void turn(Workload& workload) {
    for (Channel& channel : channels_) {
      workload.fill(channel, now_ns_);
      stub.receive(channel.index(), channel.output(), now_ms());
      channel.output_sent(channel.output().size());
      if (after_fill) after_fill(channel);
    }
    stub.advance(now_ms());
    for (Channel& channel : channels_) deliver(channel, workload);
  }

  // Takes turns, a millisecond each, until the workload is finished.
  void run(Workload& workload) {
    begin(workload);
    for (int turns = 0; !workload.finished(); ++turns) {
      ASSERT_LT(turns, 200'000) << "the workload hangs";
      turn(workload);
      pass(1);
    }
  }

  void pass(int64_t ms) { now_ns_ += ms * kNsPerMs; }
  int64_t now_ms() const { return now_ns_ / kNsPerMs; }

  DrayStub stub;
  std::function<void(const Channel&)> after_fill;

 private:
  void deliver(Channel& channel, Workload& workload) {
    std::string& bytes = in_transit_[channel.index()];
    bytes.append(stub.take_output(channel.index()));
    const size_t count = std::min(bytes.size(), size_t{random_() % 4'000});
    std::copy_n(bytes.data(), count, channel.input_space().begin());
    channel.input_filled(count);
    bytes.erase(0, count);
    OpKind op = OpKind::kPush;
    Reply reply;
    while (channel.take(op, reply)) {
      ASSERT_FALSE(reply.failed) << reply.error;
      workload.on_reply(channel, op, reply, now_ns_);
    }
  }

  std::unique_ptr<Driver> driver_;
  std::deque<Channel> channels_;
  std::vector<std::string> in_transit_;
  std::mt19937 random_{11};  // tidy: allow random because the seed is fixed
  int64_t now_ns_ = 5'000 * kNsPerMs;
};

// Returns the number that follows `"name":` in the workload's report.
double reported(const Workload& workload, const std::string& name) {
  JsonLine line;
  workload.report(line);
  const std::string text = line.text();
  const size_t at = text.find("\"" + name + "\":");
  if (at == std::string::npos) throw std::out_of_range(name + " is not in " + text);
  return std::stod(text.substr(at + name.size() + 3));
}

TEST(PushWorkload, PushesEveryJobOnceWithinItsDepth) {
  Rig rig(3, 1, false);
  PushWorkload workload(1'000, 8);
  size_t in_flight_max = 0;
  rig.after_fill = [&](const Channel& channel) {
    in_flight_max = std::max(in_flight_max, channel.in_flight());
  };
  rig.run(workload);
  EXPECT_EQ(rig.stub.ready(), 1'000U);
  EXPECT_EQ(workload.jobs_done(), 1'000U);
  EXPECT_EQ(in_flight_max, 8U);
}

TEST(LifeWorkload, EndsEveryJobWithinDepthAndBacklog) {
  for (const uint32_t fetch_count : {1U, 16U, 32U}) {
    Rig rig(5, fetch_count, false);
    LifeWorkload workload(
        {.jobs = 5'000, .depth = 32, .backlog_max = 400, .fetch_count = fetch_count});
    uint64_t slots_max = 0;
    rig.after_fill = [&](const Channel& channel) {
      slots_max = std::max(slots_max, workload.slots_used(channel));
    };
    rig.run(workload);
    EXPECT_EQ(rig.stub.acked(), 5'000U) << fetch_count;
    EXPECT_EQ(rig.stub.ready(), 0U) << fetch_count;
    EXPECT_LE(rig.stub.ready_max(), 400U) << fetch_count;
    EXPECT_GE(rig.stub.ready_max(), 100U) << fetch_count;
    EXPECT_EQ(slots_max, 32U) << fetch_count;
  }
}

TEST(LifeWorkload, AsksOncePerJobWhenFetchesBringOne) {
  Rig rig(5, 1, false);
  LifeWorkload workload({.jobs = 2'000, .depth = 32, .backlog_max = 10'000, .fetch_count = 1});
  rig.run(workload);
  EXPECT_EQ(rig.stub.fetches(), 2'000U);
  EXPECT_EQ(reported(workload, "empty_fetches"), 0);
}

TEST(LifeWorkload, GoesOnWhenFetchesBringLessThanAskedFor) {
  Rig rig(4, 8, false);
  rig.stub.limit_fetches(3);
  LifeWorkload workload({.jobs = 1'000, .depth = 16, .backlog_max = 100, .fetch_count = 8});
  rig.run(workload);
  EXPECT_EQ(rig.stub.acked(), 1'000U);
}

TEST(LifeWorkload, RefusesAServerThatHandsAJobOutTwice) {
  Rig rig(2, 1, false);
  rig.stub.forget_acks();
  LifeWorkload workload({.jobs = 1'000, .depth = 16, .backlog_max = 100, .fetch_count = 1});
  EXPECT_THROW(rig.run(workload), std::runtime_error);
}

TEST(LatencyWorkload, CountsEveryJobFromItsPlaceInTheSchedule) {
  Rig rig(3, 1, true);
  LatencyWorkload workload({.jobs = 100, .jobs_per_second = 200});
  rig.run(workload);
  EXPECT_EQ(rig.stub.acked(), 100U);
  EXPECT_LE(reported(workload, "p99_ms"), 3);
}

TEST(LatencyWorkload, PaysForEveryPushThatAStallHeldUp) {
  Rig rig(2, 1, true);
  LatencyWorkload workload({.jobs = 100, .jobs_per_second = 200});
  rig.begin(workload);
  rig.turn(workload);
  rig.pass(300 + 500);  // Until the schedule's start, and the whole schedule: nothing was sent.
  while (!workload.finished()) rig.turn(workload);
  // Sent all at once at the end, the jobs are late by 500, 495, … 5 ms.
  EXPECT_EQ(reported(workload, "max_ms"), 500);
  EXPECT_EQ(reported(workload, "p50_ms"), 250);
  EXPECT_EQ(reported(workload, "send_late_p50_ms"), 250);
}

TEST(DueWorkload, StartsNothingEarlyAndCountsFromTheDueTime) {
  Rig rig(6, 32, true);
  DueWorkload workload(
      {.jobs = 3'000, .producers = 3, .depth = 16, .spread_ms = 1'000, .lead_ms = 2'000});
  rig.run(workload);
  EXPECT_EQ(rig.stub.acked(), 3'000U);
  EXPECT_EQ(reported(workload, "early"), 0);
  EXPECT_GE(reported(workload, "p50_ms"), 0);
  EXPECT_LE(reported(workload, "p50_ms"), 20);
}

TEST(DueWorkload, SeesAServerThatIsLate) {
  Rig rig(4, 32, true);
  DueWorkload workload(
      {.jobs = 1'000, .producers = 2, .depth = 1'000, .spread_ms = 100, .lead_ms = 1'000});
  rig.begin(workload);
  rig.turn(workload);
  rig.pass(5'000);
  while (!workload.finished()) rig.turn(workload);
  EXPECT_GE(reported(workload, "p50_ms"), 3'900);
}

TEST(DueWorkload, RefusesALeadTooShortForItsPushes) {
  Rig rig(2, 1, true);
  DueWorkload workload(
      {.jobs = 10'000, .producers = 1, .depth = 1, .spread_ms = 10, .lead_ms = 50});
  EXPECT_THROW(rig.run(workload), std::runtime_error);
}

}  // namespace
}  // namespace load
