#include <algorithm>
#include <functional>
#include <tuple>

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

TEST_F(ApplyFetch, TwoThatChooseInTurnNeverGetTheSame) {
  fill("a", 2);
  fill("b", 4);
  Fetch by_weight = fetch_of({"a", "b"}, 10);
  by_weight.weighted = true;
  by_weight.weights = {1, 1};
  const Fetch strict = fetch_of({"a", "b"}, 10);
  FetchChoice first(state, by_weight);
  FetchChoice second(state, strict);
  Context step = context();
  Answer answer;
  const size_t mark = open_leases(answer);
  std::string queues;
  const auto take = [&](FetchChoice& choice) {
    if (!grant_next(step, choice, answer)) return false;
    queues += state.find(answer.grants.back().first)->queue->name;
    return true;
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(take(second));
    ASSERT_TRUE(take(first));
  }
  EXPECT_FALSE(take(first));
  EXPECT_FALSE(take(second));
  close_leases(answer, mark);
  EXPECT_EQ(queues, "aabbbb");
}

TEST_F(ApplyFetch, OfManyTypesOnlyThoseItNamesAreGiven) {
  std::vector<std::string> names;
  for (int i = 0; i < 40; ++i) names.push_back("t" + std::to_string(i));
  for (const std::string& name : names) {
    PushSpec of_type = spec("a");
    of_type.type = name;
    push(of_type);
  }
  Fetch fetch = fetch_of({"empty", "a"}, 100);
  fetch.types = {"t7", "never", "t31", "t0"};
  const Answer answer = run(fetch);
  std::vector<std::string> types;
  for (const auto& [id, token] : answer.grants) types.push_back(state.find(id)->type->name);
  EXPECT_EQ(types, (std::vector<std::string>{"t0", "t7", "t31"}));
}

class ApplyFetchAged : public ApplyFetch {
 protected:
  // Ageing of one for each second.
  void age(std::string_view queue) {
    run(QueueSet{.queue = queue, .numbers = {{QueueNumber::kAgeMs, 1'000}}, .backoff = {}});
  }
  uint64_t push_with(int64_t priority) {
    PushSpec push_spec = spec();
    push_spec.priority = priority;
    return push(push_spec).id.value;
  }
  // Ids of the jobs that a fetch of so many gets.
  std::vector<uint64_t> fetch_ids(int64_t count) {
    last_ = run(fetch_of({"q"}, count));
    std::vector<uint64_t> ids;
    for (const auto& [id, token] : last_.grants) ids.push_back(id.value);
    return ids;
  }
  Answer last_;
};

TEST_F(ApplyFetchAged, WhatHasWaitedLongGoesBeforeWhatIsMoreUrgent) {
  const uint64_t low = push_with(0);
  pass(5'999);
  const uint64_t high = push_with(6);
  EXPECT_EQ(fetch_ids(1), std::vector<uint64_t>{high}) << "without ageing";
  age("q");
  const uint64_t second = push_with(6);
  EXPECT_EQ(fetch_ids(1), std::vector<uint64_t>{second}) << "0 has grown to 5";
  push_with(6);
  pass(1);
  EXPECT_EQ(fetch_ids(1), std::vector<uint64_t>{low});
}

TEST_F(ApplyFetchAged, ARetryIsYoungAndAReleasedJobAsOldAsBefore) {
  age("q");
  push_with(0);
  pass(5'000);
  const auto lease = start();
  run(Release{lease.first, lease.second, {}});
  push_with(5);
  EXPECT_EQ(fetch_ids(1), std::vector<uint64_t>{1}) << "5 both, and it was ready before";
  Fail fail;
  std::tie(fail.job, fail.token) = names(last_.grants.at(0));
  fail.retry_in_ms = 0;
  run(fail);
  EXPECT_EQ(fetch_ids(2), (std::vector<uint64_t>{2, 1}));
}

TEST_F(ApplyFetchAged, ReadsTheFirstRecordOfEachPriorityBeforeItDecides) {
  age("q");
  push_with(1);
  push_with(1);
  pass(9'000);
  push_with(8);
  push_with(8);
  make_cold();
  std::vector<uint64_t> read;
  std::vector<uint64_t> ids = fetch_ids(1);
  for (int i = 0; i < 10 && ids.empty(); ++i) {
    EXPECT_TRUE(last_.misses);
    for (const uint64_t id : read_wants()) read.push_back(id);
    ids = fetch_ids(1);
  }
  EXPECT_EQ(ids, std::vector<uint64_t>{1});
  EXPECT_NE(std::ranges::find(read, uint64_t{3}), read.end());
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
