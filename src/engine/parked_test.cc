#include "engine/parked.h"

#include <gtest/gtest.h>

#include <set>

namespace engine {
namespace {

using Requests = std::vector<Request*>;

class ParkedTest : public testing::Test {
 protected:
  Request& add(uint64_t session) {
    Request& request = requests.emplace_back();
    request.session = session;
    parked.add(request);
    return request;
  }
  // Tries all again; those in `missing` have to wait on. Returns what was tried with success.
  Requests retry() {
    Requests done;
    const auto can_go_on = [&](Request& request) {
      ++tries;
      if (missing.contains(&request)) return false;
      done.push_back(&request);
      return true;
    };
    parked.retry(can_go_on, [&](Request& request, const std::vector<core::JobId>&) {
      return can_go_on(request);
    });
    return done;
  }

  std::deque<Request> requests;
  std::set<const Request*> missing;
  int tries = 0;
  Parked parked;
};

TEST_F(ParkedTest, CommandsOfASessionKeepTheirOrder) {
  Request& first = add(1);
  Request& second = add(1);
  Request& third = add(1);
  EXPECT_EQ(parked.size(), 3U);
  missing = {&second};
  EXPECT_EQ(retry(), Requests{&first});
  EXPECT_TRUE(parked.holds(1));
  missing = {&third};
  EXPECT_EQ(retry(), Requests{&second});
  missing = {};
  EXPECT_EQ(retry(), Requests{&third});
  EXPECT_FALSE(parked.holds(1));
  EXPECT_TRUE(parked.empty());
}

TEST_F(ParkedTest, WhatCannotGoOnHoldsBackItsOwnSessionAlone) {
  Request& held = add(1);
  add(1);
  Request& other = add(2);
  Request& next = add(2);
  missing = {&held};
  EXPECT_EQ(retry(), (Requests{&other, &next}));
  EXPECT_EQ(tries, 3) << "what stands behind it is not tried";
  EXPECT_FALSE(parked.holds(2));
  EXPECT_EQ(parked.size(), 2U);
}

TEST_F(ParkedTest, SessionsAreTriedInTheOrderInWhichTheyCame) {
  Request& second = add(9);
  Request& third = add(3);
  Request& fourth = add(3);
  Request& last = add(5);
  Request& behind = add(9);
  EXPECT_EQ(retry(), (Requests{&second, &behind, &third, &fourth, &last}));
}

TEST_F(ParkedTest, AnAnswerThatWaitsForRecordsHoldsNothingBack) {
  Request& wait = requests.emplace_back();
  wait.session = 1;
  parked.add_wait(wait, {core::JobId{1}});
  EXPECT_FALSE(parked.holds(1));
  EXPECT_FALSE(parked.empty());
  missing = {&wait};
  EXPECT_TRUE(retry().empty());
  missing = {};
  EXPECT_EQ(retry(), Requests{&wait});
  EXPECT_TRUE(parked.empty());
}

TEST_F(ParkedTest, AClosedSessionLeavesNothingBehind) {
  Request& first = add(1);
  Request& other = add(2);
  Request& second = add(1);
  Request& wait = requests.emplace_back();
  wait.session = 1;
  parked.add_wait(wait, {core::JobId{1}});
  EXPECT_EQ(parked.remove_session(1), (Requests{&first, &second, &wait}));
  EXPECT_TRUE(parked.remove_session(1).empty());
  EXPECT_EQ(retry(), Requests{&other});
}

}  // namespace
}  // namespace engine
