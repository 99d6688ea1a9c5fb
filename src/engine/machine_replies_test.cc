// What a machine's answers may take of memory, in one step and together.
// tidy: allow test because machine.cc has two files of tests
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/machine_fixture.h"

namespace engine {
namespace {

constexpr size_t kMebibyte = size_t{1} << 20;

class ManyReplies : public MachineFixture {
 protected:
  ManyReplies() {
    machine.bound_replies(gauge);
    core::KeySet set;
    set.key = "k";
    set.value = value;
    turn(make(set, 9));
  }
  Request& heavy_get(uint64_t session = 1) {
    Request& get = make(core::KeyGet{"k"}, session);
    get.heavy = true;
    get.order = &order;
    return get;
  }
  static base::ErrorCode code_of(const Request& request) {
    core::ReplyReader reader(request.answer.reply.tape());
    return reader.tag() == core::ReplyTag::kError ? reader.code() : base::ErrorCode::kInternal;
  }

  const std::string value = std::string(kMebibyte, 'x');
  BufferGauge gauge;
  SessionOrder order;
};

TEST_F(ManyReplies, ASessionThatOwesMuchGetsItsCommandsBackInOrder) {
  machine.begin(now);
  std::vector<Request*> gets;
  for (int i = 0; i < 10; ++i) machine.apply(*gets.emplace_back(&heavy_get()));
  Request& light = make(core::KeyCount{});
  light.order = &order;
  machine.apply(light);
  const std::vector<Request*> answered = end_turn();
  ASSERT_EQ(answered.size(), 11U);
  for (size_t i = 0; i < 8; ++i) EXPECT_FALSE(gets[i]->given_back) << i;
  for (size_t i = 8; i < 10; ++i) {
    EXPECT_TRUE(gets[i]->given_back) << i;
    EXPECT_TRUE(gets[i]->answer.reply.empty()) << i;
  }
  EXPECT_TRUE(light.given_back) << "it came behind one that was";
  EXPECT_GE(order.reply_bytes.load(), 8 * kMebibyte);

  order.reply_bytes = 0;  // The session has passed them on.
  order.gives_back = false;
  turn(*gets[8]);
  turn(light);
  EXPECT_FALSE(gets[8]->given_back);
  EXPECT_FALSE(light.given_back);
}

TEST_F(ManyReplies, AClosingSessionIsNeverGivenBack) {
  order.gives_back = true;
  Request& close = make(core::UndoGrants{});
  close.kind = Request::Kind::kClose;
  close.order = &order;
  turn(close);
  EXPECT_FALSE(close.given_back);
}

TEST_F(ManyReplies, LargeReadsAreRefusedAtRedAndFetchesAtTheEndOfTheBudget) {
  gauge.set_budget(100 * kMebibyte);
  gauge.held(0, 96 * kMebibyte);
  Request& get = heavy_get();
  turn(get);
  EXPECT_EQ(code_of(get), base::ErrorCode::kOverloaded);
  push();
  core::Fetch fetch = fetch_of({"q"});
  fetch.block_ms.reset();
  Request& first = make(fetch, 2);
  first.heavy = true;
  first.order = &order;
  turn(first);
  EXPECT_EQ(leases(first), 1);
  gauge.held(0, 4 * kMebibyte);
  Request& second = make(fetch, 2);
  second.heavy = true;
  second.order = &order;
  turn(second);
  EXPECT_EQ(code_of(second), base::ErrorCode::kOverloaded);
  gauge.held(100 * kMebibyte, 0);
  turn(get);
  EXPECT_EQ(core::ReplyReader(get.answer.reply.tape()).tag(), core::ReplyTag::kBulk);
}

TEST_F(ManyReplies, AWaitingFetchIsFedWhenThereIsMemoryForIt) {
  gauge.set_budget(kMebibyte);
  Request& waits = make(fetch_of({"q"}), 3);
  turn(waits);
  gauge.held(0, kMebibyte);
  push();
  EXPECT_EQ(machine.waiting(), 1U);
  gauge.held(kMebibyte, 0);
  machine.begin(now);
  end_turn();
  EXPECT_EQ(leases(waits), 1);
}

// Sixty sessions wait for one thing, which tells each of them a mebibyte or close to it.
class ManyWaiters : public ManyReplies {
 protected:
  static constexpr size_t kWaiters = 60;

  void wait_for(const core::CommandBody& body) {
    for (size_t i = 0; i < kWaiters; ++i) {
      EXPECT_TRUE(turn(*waiters.emplace_back(&make(body, 100 + i))).empty());
    }
  }
  void next_step() {
    machine.begin(now);
    machine.retry_parked();
    has_more = machine.feed();
    machine.expire_waiting();
    for (const Request* request : machine.take_answered()) {
      ++told;
      EXPECT_EQ(request, waiters.at(told - 1)) << "who has waited longest is told first";
      EXPECT_GT(request->answer.reply.tape().size(), kMebibyte / 2);
    }
  }
  void expect_told_in_steps() {
    size_t before = told;
    while (told < kWaiters) {
      next_step();
      ASSERT_GT(told, before);
      ASSERT_LE(machine.reply_bytes(), 9 * kMebibyte);
      EXPECT_TRUE(has_more || told == kWaiters);
      before = told;
    }
    next_step();
    EXPECT_FALSE(has_more);
  }

  std::vector<Request*> waiters;
  size_t told = 0;
  bool has_more = false;
};

TEST_F(ManyWaiters, WhoWaitForOneJobAreToldInSteps) {
  push();
  const auto lease = start();
  wait_for(wait_of({1}, false));
  machine.begin(now);
  machine.apply(make(core::Ack{{lease.first, lease.second, value, true}}));
  EXPECT_TRUE(machine.feed());
  EXPECT_LE(machine.take_answered().size(), 9U);
  EXPECT_LE(machine.reply_bytes(), 9 * kMebibyte);
  told = kWaiters - machine.waiting() - machine.parked().size();
  expect_told_in_steps();
}

TEST_F(ManyWaiters, NobodyIsToldBeforeThereIsMemoryForIt) {
  push();
  const auto lease = start();
  wait_for(wait_of({1}, false));
  gauge.set_budget(kMebibyte);
  gauge.held(0, kMebibyte);
  ack(lease, value);
  next_step();
  EXPECT_EQ(told, 0U);
  EXPECT_FALSE(has_more) << "it goes on when somebody reads";
  gauge.set_budget(100 * kMebibyte);
  expect_told_in_steps();
}

TEST_F(ManyWaiters, ReadersOfEventsAreToldInSteps) {
  Request& begin = make(core::EventRead{.cursor = "$"}, 5);
  turn(begin);
  const std::string cursor = cursor_of(begin);
  wait_for(core::EventRead{.cursor = cursor, .count = 10'000, .block_ms = 5'000});
  machine.begin(now);
  for (int i = 0; i < 5'000; ++i) machine.apply(make(push_of()));
  machine.take_answered();
  expect_told_in_steps();
}

TEST_F(ManyWaiters, ReadersWhoseTimeIsUpFindNoMoreRoomThanOthers) {
  Request& begin = make(core::EventRead{.cursor = "$"}, 5);
  turn(begin);
  const std::string cursor = cursor_of(begin);
  wait_for(core::EventRead{.cursor = cursor, .count = 10'000, .block_ms = 5'000});
  now.engine += base::Duration{5'000};
  machine.begin(now);
  for (int i = 0; i < 5'000; ++i) machine.apply(make(push_of()));
  machine.take_answered();
  machine.feed();
  machine.expire_waiting();
  const auto answered = machine.take_answered();
  EXPECT_EQ(answered.size(), kWaiters);
  EXPECT_LE(machine.reply_bytes(), 9 * kMebibyte);
  EXPECT_EQ(cursor_of(*waiters.back()), cursor) << "it goes on where it was";
}

}  // namespace
}  // namespace engine
