#include <algorithm>
#include <functional>

#include "core/apply_fixture.h"

namespace core {
namespace {

class ApplyFetch : public ApplyFixture {
 protected:
  void fill(std::string_view queue, int jobs) {
    for (int i = 0; i < jobs; ++i) push(spec(queue));
  }
  // How many of the jobs that started came from each queue.
  std::vector<int> shares(const Fetch& fetch, int fetches) {
    std::vector<int> counts(fetch.queues.size());
    for (int i = 0; i < fetches; ++i) {
      for (const auto& [id, token] : run(fetch).grants) {
        const auto at = std::ranges::find(fetch.queues, state.find(id)->queue->name);
        ++counts[static_cast<size_t>(at - fetch.queues.begin())];
      }
    }
    return counts;
  }
};

TEST_F(ApplyFetch, WeightsShareAThousandGrantsExactly) {
  fill("a", 700);
  fill("b", 400);
  fill("c", 200);
  Fetch fetch = fetch_of({"a", "b", "c"});
  fetch.weighted = true;
  fetch.weights = {6, 3, 1};
  EXPECT_EQ(shares(fetch, 1'000), (std::vector<int>{600, 300, 100}));
}

TEST_F(ApplyFetch, AQueueWithoutWorkGivesItsShareToTheOthers) {
  fill("a", 100);
  fill("b", 100);
  Fetch fetch = fetch_of({"a", "empty", "b"});
  fetch.weighted = true;
  fetch.weights = {1, 1'000'000, 1};
  EXPECT_EQ(shares(fetch, 100), (std::vector<int>{50, 0, 50}));
}

TEST_F(ApplyFetch, StrictEmptiesTheFirstQueueFirst) {
  fill("a", 3);
  fill("b", 3);
  const Answer answer = run(fetch_of({"b", "a"}, 4));
  ASSERT_EQ(answer.grants.size(), 4U);
  EXPECT_EQ(state.find(answer.grants[2].first)->queue->name, "b");
  EXPECT_EQ(state.find(answer.grants[3].first)->queue->name, "a");
}

TEST_F(ApplyFetch, TokensOfTwoGrantsAreNeverTheSame) {
  push();
  const auto [job, token] = start();
  run(Release{job, token, std::nullopt});
  const auto [again, second] = start();
  EXPECT_EQ(job.id, again.id);
  EXPECT_EQ(second.token.fence, token.token.fence + 1);
  EXPECT_NE(second.token.secret, token.token.secret);
}

TEST_F(ApplyFetch, NothingThereBlocksOnlyIfAsked) {
  EXPECT_FALSE(run(fetch_of({"q"})).blocks);
  Fetch patient = fetch_of({"q"});
  patient.block_ms = 0;
  const Answer answer = run(patient);
  EXPECT_TRUE(answer.blocks);
  EXPECT_TRUE(answer.reply.empty());
}

TEST_F(ApplyFetch, WhatIsOutOfItsLimitsIsRefused) {
  const auto refused = [&](const std::function<void(Fetch&)>& spoil) {
    Fetch fetch = fetch_of({"q"});
    spoil(fetch);
    return error_of(run(fetch)).starts_with("BADREQ");
  };
  EXPECT_FALSE(refused([](Fetch&) {}));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.worker = ""; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.count = 0; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.count = limits::kFetchCountMax + 1; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.holding = -1; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.block_ms = -1; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.queues.clear(); }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.queues = {"a b"}; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.types = {""}; }));
  EXPECT_TRUE(refused([](Fetch& fetch) { fetch.weighted = true; }));
  EXPECT_TRUE(refused([](Fetch& fetch) {
    fetch.weighted = true;
    fetch.weights = {0};
  }));
}

}  // namespace
}  // namespace core
