#include "core/workers.h"

#include <gmock/gmock.h>

#include "core/apply_fixture.h"

namespace core {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

base::Now moment(int64_t ms) {
  return {base::EngineTime{ms}, base::WallTime{ms}};
}

TEST(Workers, AreForgottenWhenTheyAreSilent) {
  Workers workers;
  workers.hear("old", moment(0));
  workers.hear("young", moment(1));
  workers.hear("old", moment(2));
  workers.expire(base::EngineTime{1 + limits::kWorkerIdleMs});
  ASSERT_EQ(workers.size(), 1U);
  EXPECT_EQ(workers.all().front().name, "old");
  workers.expire(base::EngineTime{2 + limits::kWorkerIdleMs});
  EXPECT_EQ(workers.size(), 0U);
}

TEST(Workers, AreBoundedAndTheSilentOneGoes) {
  Workers workers;
  for (size_t i = 0; i <= limits::kWorkersMax; ++i) workers.hear(std::to_string(i), moment(1));
  EXPECT_EQ(workers.size(), limits::kWorkersMax);
  EXPECT_FALSE(workers.tell("0", WorkerOrder::kQuiet));
  EXPECT_TRUE(workers.tell("1", WorkerOrder::kQuiet));
}

TEST(Workers, WhatIsToldStopStaysSo) {
  Workers workers;
  workers.hear("w", moment(1));
  EXPECT_FALSE(workers.is_quiet("w"));
  workers.tell("w", WorkerOrder::kStop);
  workers.tell("w", WorkerOrder::kQuiet);
  EXPECT_EQ(workers.hear("w", moment(2)).worker.order, WorkerOrder::kStop);
  EXPECT_TRUE(workers.is_quiet("w"));
  EXPECT_FALSE(workers.is_quiet("other"));
  workers.forget("w");
  EXPECT_FALSE(workers.is_quiet("w"));
  EXPECT_EQ(workers.hear("w", moment(3)).worker.order, WorkerOrder::kRun);
}

class ApplyWorker : public ApplyFixture {
 protected:
  WorkerBeat beat_of(std::string_view info = "") {
    WorkerBeat beat;
    beat.worker = "w";
    beat.info = info;
    return beat;
  }
};

TEST_F(ApplyWorker, IsListedWithItsLeases) {
  EXPECT_EQ(show(WorkerList{}), "[]");
  push();
  push();
  const auto lease = start();
  start();
  pass(10);
  WorkerBeat other = beat_of(R"({"pid":7})");
  other.worker = "a";
  show(other);
  EXPECT_EQ(show(WorkerList{}),
            "[{worker a state run last_seen_ms 1700000000010 leases 0 info {\"pid\":7}} "
            "{worker w state run last_seen_ms 1700000000000 leases 2}]");
  show(Ack{{lease.first, lease.second, "", false}});
  EXPECT_THAT(show(WorkerList{}), HasSubstr("leases 1}"));
  show(beat_of());
  EXPECT_THAT(show(WorkerList{}), HasSubstr("info {\"pid\":7}")) << "it stays as it was told last";
}

TEST_F(ApplyWorker, AQuietOneHearsItInItsBeatAndIsGivenNothing) {
  push();
  EXPECT_THAT(show(WorkerTell{"w", WorkerOrder::kQuiet}), StartsWith("NOTFOUND no worker 'w'"));
  show(beat_of());
  EXPECT_EQ(show(WorkerTell{"w", WorkerOrder::kQuiet}), "OK");
  EXPECT_EQ(show(beat_of()), "{state quiet cancel [] lost []}");
  EXPECT_EQ(show(fetch_of({"q"})), "[]");
  Fetch waits = fetch_of({"q"});
  waits.block_ms = 1'000;
  EXPECT_TRUE(run(waits).blocks) << "it does not ask again and again";
  EXPECT_EQ(show(WorkerTell{"w", WorkerOrder::kStop}), "OK");
  EXPECT_EQ(show(beat_of()), "{state stop cancel [] lost []}");
  Fetch other = fetch_of({"q"});
  other.worker = "other";
  EXPECT_EQ(run(other).grants.size(), 1U);
}

TEST_F(ApplyWorker, AGoodbyeEndsWhatItWasTold) {
  show(beat_of());
  show(WorkerTell{"w", WorkerOrder::kStop});
  WorkerBye bye;
  bye.worker = "w";
  EXPECT_EQ(show(bye), "OK");
  EXPECT_EQ(show(WorkerList{}), "[]");
  EXPECT_EQ(show(beat_of()), "{state run cancel [] lost []}");
}

TEST_F(ApplyWorker, ALeaseThatIsLostIsCountedNoMore) {
  push();
  start();
  EXPECT_EQ(state.workers().leases_of("w"), 1U);
  pass(limits::kLeaseMsDefault);
  EXPECT_EQ(state.workers().leases_of("w"), 0U);
  EXPECT_THAT(show(WorkerList{}), HasSubstr("leases 0"));
  pass(limits::kWorkerIdleMs);
  EXPECT_EQ(show(WorkerList{}), "[]");
}

TEST_F(ApplyWorker, AListThatIsTooLongLeavesOutWhatTheRestTold) {
  const std::string info(limits::kWorkerInfoBytesMax, 'x');
  for (size_t i = 0; i < limits::kWorkersMax; ++i) {
    state.workers().hear(std::to_string(i), now).worker.info = info;
  }
  const Answer answer = run(WorkerList{});
  EXPECT_LT(answer.reply.tape().size(), limits::kReplyBytesMax * 5 / 4);
  const std::string list = shown(answer);
  EXPECT_THAT(list, StartsWith("[{worker 0 state run"));
  EXPECT_THAT(list,
              testing::EndsWith("{worker 9999 state run last_seen_ms 1700000000000 leases 0}]"));
}

TEST_F(ApplyWorker, RefusesWhatCannotBe) {
  EXPECT_THAT(show(WorkerTell{"", WorkerOrder::kQuiet}), StartsWith("BADREQ field=worker"));
  EXPECT_THAT(show(beat_of(std::string(limits::kWorkerInfoBytesMax + 1, 'x'))),
              StartsWith("TOOBIG limit=2048 got=2049 bytes of INFO"));
  EXPECT_EQ(show(WorkerList{}), "[]") << "a beat that is refused was not heard";
}

}  // namespace
}  // namespace core
