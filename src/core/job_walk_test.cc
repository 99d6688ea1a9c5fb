#include "core/job_walk.h"

#include <gtest/gtest.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using Ids = std::vector<uint64_t>;
using Order = JobWalk::Order;
using Step = JobWalk::Step;

constexpr JobWalk::Scope kAll{.first = {0}, .last = {UINT64_MAX >> 1}};

class JobWalkTest : public ApplyFixture {
 protected:
  static Query of_queue(std::string queue) {
    return {.terms = {{.field = QueryField::kQueue, .texts = {std::move(queue)}}}};
  }
  static Query of_state(JobState state) {
    return {.terms = {{.field = QueryField::kState, .number = 1 << static_cast<int>(state)}}};
  }
  static Query of_args(std::string path, std::string value) {
    return {
        .terms = {
            {.field = QueryField::kArgs, .path = std::move(path), .texts = {std::move(value)}}}};
  }
  Job& push_to(std::string_view queue, std::string_view args = "{}") {
    PushSpec push_spec = spec(queue);
    push_spec.args = args;
    return push(push_spec);
  }
  // All that it picks, in steps of `most` ids; records are read between two.
  Ids all(const Query& query, Order order, size_t most = 1'000, JobWalk::Scope scope = kAll) {
    JobWalk walk(query, order, scope);
    Ids ids;
    for (int steps = 0; steps < 100'000; ++steps) {
      const Step step = walk.step(state, now, most, [&](Job& job) {
        ids.push_back(job.id.value);
        return true;
      });
      if (step == Step::kDone) return ids;
      if (step == Step::kMisses) {
        EXPECT_FALSE(read_wants().empty());
      }
    }
    ADD_FAILURE() << "the walk does not end";
    return ids;
  }
};

TEST_F(JobWalkTest, GoesOverTheJobsOfAQueueUpAndDown) {
  for (int i = 0; i < 10; ++i) push_to(i % 2 == 0 ? "a" : "b");
  EXPECT_EQ(all(of_queue("a"), Order::kUp), (Ids{1, 3, 5, 7, 9}));
  EXPECT_EQ(all(of_queue("b"), Order::kDown), (Ids{10, 8, 6, 4, 2}));
  EXPECT_EQ(all(of_queue("*"), Order::kUp, 1).size(), 10U);
  EXPECT_EQ(all(of_queue("c"), Order::kUp), Ids());
}

TEST_F(JobWalkTest, KeepsToItsScope) {
  for (int i = 0; i < 10; ++i) push_to("a");
  EXPECT_EQ(all({}, Order::kUp, 2, {.first = {3}, .last = {5}}), (Ids{3, 4, 5}));
  EXPECT_EQ(all({}, Order::kDown, 2, {.first = {3}, .last = {5}}), (Ids{5, 4, 3}));
  EXPECT_EQ(all({}, Order::kUp, 2, {.first = {6}, .last = {5}}), Ids());
}

TEST_F(JobWalkTest, PassesOverBlocksWithoutAJobThatMayFit) {
  for (uint64_t i = 0; i < (uint64_t{5} << IdBlocks::kBits); ++i) push_to("many");
  push_to("few");
  run(Bulk{BulkVerb::kCancel, false, {JobRef{JobId{3}, {}, {}}}});
  const Query query = of_state(JobState::kCancelled);
  JobWalk walk(query, Order::kDown, kAll);
  Ids ids;
  walk.step(state, now, 100'000, [&](Job& job) {
    ids.push_back(job.id.value);
    return true;
  });
  EXPECT_TRUE(walk.is_done());
  EXPECT_EQ(ids, Ids{3});
  constexpr uint64_t kPassedOver = 5;  // Each counts as one.
  EXPECT_LE(walk.ids(), (uint64_t{1} << IdBlocks::kBits) + kPassedOver);
}

TEST_F(JobWalkTest, SeesEachJobAsItIsWhenItsTurnComes) {
  for (int i = 0; i < 6; ++i) push_to("a");
  const Query query = of_state(JobState::kReady);
  JobWalk walk(query, Order::kUp, kAll);
  Ids ids;
  const auto visit = [&](Job& job) {
    ids.push_back(job.id.value);
    return ids.size() % 2 != 0;
  };
  EXPECT_EQ(walk.step(state, now, 100, visit), Step::kMore);
  EXPECT_EQ(ids, (Ids{1, 2}));
  run(Bulk{BulkVerb::kDelete, false, {JobRef{JobId{3}, {}, {}}}});
  run(Bulk{BulkVerb::kCancel, false, {JobRef{JobId{4}, {}, {}}}});
  while (!walk.is_done()) walk.step(state, now, 100, visit);
  EXPECT_EQ(ids, (Ids{1, 2, 5, 6}));
}

TEST_F(JobWalkTest, TheVisitorMayRemoveTheJob) {
  for (int i = 0; i < 4; ++i) push_to("a");
  const Query query;
  JobWalk walk(query, Order::kUp, kAll);
  walk.step(state, now, 100, [&](Job& job) {
    run(Bulk{BulkVerb::kDelete, false, {JobRef{job.id, {}, {}}}});
    return true;
  });
  EXPECT_EQ(state.jobs().size(), 0U);
  EXPECT_TRUE(state.blocks().blocks().empty());
}

TEST_F(JobWalkTest, ReadsRecordsForTermsThatNeedThem) {
  for (int i = 0; i < 20; ++i) push_to("a", i % 5 == 0 ? R"({"user":7})" : R"({"user":8})");
  make_cold();
  EXPECT_EQ(all(of_args("user", "7"), Order::kUp), (Ids{1, 6, 11, 16}));
  make_cold();
  EXPECT_EQ(all(of_args("user", "7"), Order::kDown, 3), (Ids{16, 11, 6, 1}));
}

TEST_F(JobWalkTest, TakesIdsThatAreNamedAlone) {
  for (int i = 0; i < 50; ++i) push_to("a");
  Query query;
  query.terms = {
      {.field = QueryField::kId,
       .texts = {job_id_text(JobId{40}), job_id_text(JobId{2}), job_id_text(JobId{99})}}};
  JobWalk walk(query, Order::kUp, kAll);
  walk.step(state, now, 1'000, [](Job&) { return true; });
  EXPECT_LE(walk.ids(), 3U);
  EXPECT_EQ(all(query, Order::kUp), (Ids{2, 40}));
  EXPECT_EQ(all(query, Order::kDown, 1), (Ids{40, 2}));
}

TEST_F(JobWalkTest, FitsTermsOfTheRecord) {
  PushSpec push_spec = spec("q", "Send");
  push_spec.meta = {{"tags", "red,blue"}, {"team", "ops"}};
  push_spec.attempts = 1;
  push(push_spec);
  push();
  const auto [job, token] = start();
  run(Fail{job, token, "Net", "Timed out after 3 s", {}, {}, false});
  const auto picks = [&](QueryTerm term) {
    Query query;
    query.terms.push_back(std::move(term));
    return all(query, Order::kUp);
  };
  EXPECT_EQ(picks({.field = QueryField::kError, .texts = {"timed OUT"}}), Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kError, .texts = {"refused", "net"}}), Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kTag, .texts = {"blue"}}), Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kTag, .texts = {"ops"}}), Ids());
  EXPECT_EQ(picks({.field = QueryField::kMeta, .path = "team", .texts = {"o*"}}), Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kWorker, .texts = {"w"}}), Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kAttempt, .compare = Compare::kAtLeast, .number = 1}),
            Ids{1});
  EXPECT_EQ(picks({.field = QueryField::kType, .texts = {"Se*", "x"}}), Ids{1});
  pass(5'000);
  push();
  EXPECT_EQ(picks({.field = QueryField::kAge, .compare = Compare::kBelow, .number = 5'000}),
            Ids{3});
}

}  // namespace
}  // namespace core
