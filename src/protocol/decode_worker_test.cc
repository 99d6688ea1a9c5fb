#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

TEST(DecodeWorker, ReadsBeatsInAnyOrder) {
  for (const std::string_view line : {"WORKER.BEAT w LEASES 2 $id $token key:x bad INFO {}",
                                      "worker.beat w info {} leases 2 $id $token key:x bad"}) {
    const auto beat = body_of<core::WorkerBeat>(line);
    EXPECT_EQ(beat.worker, "w");
    EXPECT_EQ(beat.info, "{}");
    ASSERT_EQ(beat.leases.size(), 2U);
    EXPECT_EQ(core::job_id_text(beat.leases[0].job.id), kTestId);
    EXPECT_TRUE(beat.leases[0].token.valid);
    EXPECT_EQ(beat.leases[1].job.key, "x");
    EXPECT_FALSE(beat.leases[1].token.valid);
  }
  EXPECT_TRUE(body_of<core::WorkerBeat>("WORKER.BEAT w LEASES 0").leases.empty());
}

TEST(DecodeWorker, ReadsBye) {
  const auto bye = body_of<core::WorkerBye>("WORKER.BYE w LEASES 1 $id $token");
  EXPECT_EQ(bye.worker, "w");
  EXPECT_EQ(bye.leases.size(), 1U);
  EXPECT_TRUE(body_of<core::WorkerBye>("WORKER.BYE w LEASES 0").leases.empty());
}

TEST(DecodeQueue, ReadsNamesAndReason) {
  EXPECT_TRUE(std::holds_alternative<core::QueueList>(decode_line("QUEUE.LIST").value().body));
  EXPECT_EQ(body_of<core::QueueStats>("QUEUE.STATS q").queue, "q");
  EXPECT_EQ(body_of<core::QueuePause>("QUEUE.PAUSE q").queue, "q");
  EXPECT_EQ(body_of<core::QueuePause>("QUEUE.PAUSE q REASON fire").reason, "fire");
  EXPECT_EQ(body_of<core::QueueResume>("QUEUE.RESUME q").queue, "q");
}

TEST(DecodeType, ReadsQueueAndReason) {
  const auto pause = body_of<core::TypePause>("TYPE.PAUSE t REASON fire QUEUE q");
  EXPECT_EQ(pause.type, "t");
  EXPECT_EQ(pause.queue, "q");
  EXPECT_EQ(pause.reason, "fire");
  EXPECT_EQ(body_of<core::TypePause>("TYPE.PAUSE t").queue, "");
  EXPECT_EQ(body_of<core::TypeResume>("TYPE.RESUME t QUEUE q").queue, "q");
  EXPECT_EQ(body_of<core::TypeResume>("TYPE.RESUME t").type, "t");
}

TEST(DecodeWorker, ReadsWhatAWorkerIsToldToDo) {
  EXPECT_EQ(body_of<core::WorkerTell>("WORKER.QUIET w").order, core::WorkerOrder::kQuiet);
  EXPECT_EQ(body_of<core::WorkerTell>("WORKER.STOP w").order, core::WorkerOrder::kStop);
  EXPECT_EQ(body_of<core::WorkerTell>("WORKER.STOP w").worker, "w");
}

TEST(DecodeWorker, NamesEveryFault) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"WORKER.BEAT w", "ERR wrong number of arguments for 'worker.beat' command"},
      {"WORKER.BEAT w INFO x", "BADREQ field=LEASES is missing"},
      {"WORKER.BYE w LEASES 1 $id",
       "BADREQ field=LEASES counts 1 items of 2 words, but only 1 words follow"},
      {"WORKER.BYE w LEASES 10001 $id",
       "BADREQ field=LEASES must count 0 to 10000 items, got 10001"},
      {"WORKER.BEAT w LEASES 1 x $token",
       "BADREQ field=id must be the 13 characters of a job's id, or key:<name>; got 'x'"},
      {"WORKER.BYE w LEASES 0 INFO x",
       "BADREQ field=OPTION unknown option 'INFO'; there are LEASES"},
      {"WORKER.BEAT w LEASES 0 INFO", "BADREQ field=INFO needs a value behind it"},
      {"WORKER.BEAT w LEASE 0", "BADREQ field=OPTION unknown option 'LEASE'; did you mean LEASES?"},
      {"QUEUE.PAUSE q REASON", "BADREQ field=REASON needs a value behind it"},
      {"QUEUE.PAUSE q WHY x", "BADREQ field=OPTION unknown option 'WHY'; there are REASON"},
      {"TYPE.PAUSE t QUEUE ", "BADREQ field=QUEUE must not be empty: leave it out for all queues"},
      {"TYPE.PAUSE t REASON", "BADREQ field=REASON needs a value behind it"},
      {"TYPE.RESUME t REASON x", "BADREQ field=OPTION unknown option 'REASON'; there are QUEUE"},
      {"WORKER.QUIET", "ERR wrong number of arguments for 'worker.quiet' command"},
      {"WORKER.LIST x", "ERR wrong number of arguments for 'worker.list' command"},
      {"QUEUE.STATS", "ERR wrong number of arguments for 'queue.stats' command"},
      {"QUEUE.STATS q x", "ERR wrong number of arguments for 'queue.stats' command"},
      {"QUEUE.LIST x", "ERR wrong number of arguments for 'queue.list' command"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
}

}  // namespace
}  // namespace protocol
