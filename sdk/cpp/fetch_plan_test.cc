#include "sdk/cpp/fetch_plan.h"

#include <gtest/gtest.h>

namespace dray::detail {
namespace {

using namespace std::chrono_literals;
using Kind = FetchPlan::Kind;

constexpr base::MonoTime kStart{1'000'000'000};

WorkerOptions options(int concurrency) {
  WorkerOptions made;
  made.concurrency = concurrency;
  return made;
}

TEST(FetchPlan, EmptyWorkerAsksForOneAndSaysItHoldsNothing) {
  FetchPlanner planner(options(4), kStart);
  const FetchPlan plan = planner.plan({.now = kStart});
  EXPECT_EQ(plan.kind, Kind::kFetch);
  EXPECT_EQ(plan.count, 1);
  EXPECT_EQ(plan.holding, 0U);
  EXPECT_EQ(plan.block, 5s);
}

TEST(FetchPlan, AsksForNoMoreThanFreeThreads) {
  FetchPlanner planner(options(4), kStart);
  const FetchPlan plan = planner.plan({.held = 1, .busy = 1, .now = kStart});
  EXPECT_EQ(plan.count, 3);
  EXPECT_EQ(plan.holding, 1U);
}

TEST(FetchPlan, WaitsWhenAllThreadsAreBusy) {
  FetchPlanner planner(options(2), kStart);
  EXPECT_EQ(planner.plan({.held = 2, .busy = 2, .now = kStart}).kind, Kind::kWait);
  // A handler that ignores its time limit holds no lease, but it has a thread.
  EXPECT_EQ(planner.plan({.held = 0, .busy = 2, .now = kStart}).kind, Kind::kWait);
}

TEST(FetchPlan, WaitsWhenAnswersAreNotDelivered) {
  FetchPlanner planner(options(2), kStart);
  EXPECT_EQ(planner.plan({.held = 4, .busy = 0, .now = kStart}).kind, Kind::kWait);
}

TEST(FetchPlan, SingleThreadIsAlwaysAlone) {
  FetchPlanner planner(options(1), kStart);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 0, .now = kStart}).kind, Kind::kWait);
  EXPECT_EQ(planner.plan({.held = 0, .busy = 0, .now = kStart}).holding, 0U);
}

TEST(FetchPlan, GivesNoCompanyToAJobThatMayDie) {
  FetchPlanner planner(options(4), kStart);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .runs_alone = true, .now = kStart + 1h}).kind,
            Kind::kWait);
}

TEST(FetchPlan, QuietWorkerFetchesNothing) {
  FetchPlanner planner(options(4), kStart);
  EXPECT_EQ(planner.plan({.quiet = true, .now = kStart}).kind, Kind::kWait);
}

TEST(FetchPlan, BusyWorkerEmptiesItselfFromTimeToTime) {
  FetchPlanner planner(options(4), kStart);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 14s}).kind, Kind::kFetch);
  const FetchPlan pause = planner.plan({.held = 1, .busy = 1, .now = kStart + 15s});
  EXPECT_EQ(pause.kind, Kind::kWait);
  EXPECT_EQ(pause.until.time(), kStart + 16s);
  const FetchPlan alone = planner.plan({.now = kStart + 15'500ms});
  EXPECT_EQ(alone.kind, Kind::kFetch);
  EXPECT_EQ(alone.count, 1);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 16s}).kind, Kind::kFetch);
}

TEST(FetchPlan, PauseForASuspectIsBounded) {
  FetchPlanner planner(options(4), kStart);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 15s}).kind, Kind::kWait);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 15'999ms}).kind, Kind::kWait);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 16s}).kind, Kind::kFetch);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 30s}).kind, Kind::kFetch);
  EXPECT_EQ(planner.plan({.held = 1, .busy = 1, .now = kStart + 31s}).kind, Kind::kWait);
}

TEST(FetchPlan, JobMayDieWhenItsNextCrashIsTheLast) {
  JobRecord job;
  job.state = "running";
  job.max_crashes = 3;
  job.crashes = 1;
  EXPECT_FALSE(may_die_by_crash(job));
  job.crashes = 2;
  EXPECT_TRUE(may_die_by_crash(job));
  job.max_crashes = 9;
  EXPECT_FALSE(may_die_by_crash(job));
  job.suspect = true;
  EXPECT_TRUE(may_die_by_crash(job));
  job.state = "succeeded";
  EXPECT_FALSE(may_die_by_crash(job));
}

}  // namespace
}  // namespace dray::detail
