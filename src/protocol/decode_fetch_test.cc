#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/decode_fixture.h"

namespace protocol {
namespace {

using testing::ElementsAre;

core::Fetch fetch(std::string_view line) {
  return body_of<core::Fetch>(line);
}

TEST(DecodeFetch, NeedsOnlyAWorkerAndQueues) {
  const core::Fetch plain = fetch("JOB.FETCH host:1 QUEUES 2 a b");
  EXPECT_EQ(plain.worker, "host:1");
  EXPECT_THAT(plain.queues, ElementsAre("a", "b"));
  EXPECT_EQ(plain.count, 1);
  EXPECT_FALSE(plain.block_ms.has_value());
  EXPECT_EQ(plain.holding, 0);
  EXPECT_TRUE(plain.types.empty());
  EXPECT_FALSE(plain.weighted);
}

TEST(DecodeFetch, ReadsOptionsInAnyOrder) {
  for (const std::string_view line :
       {"JOB.FETCH w COUNT 10 BLOCK 0 HOLDING 3 TYPES 1 t WEIGHTS 2 5 1 QUEUES 2 a b",
        "job.fetch w queues 2 a b weights 2 5 1 types 1 t holding 3 block 0 count 10"}) {
    const core::Fetch all = fetch(line);
    EXPECT_EQ(all.count, 10);
    EXPECT_EQ(all.block_ms, 0);
    EXPECT_EQ(all.holding, 3);
    EXPECT_THAT(all.types, ElementsAre("t"));
    EXPECT_TRUE(all.weighted);
    EXPECT_THAT(all.weights, ElementsAre(5, 1));
    EXPECT_THAT(all.queues, ElementsAre("a", "b"));
  }
  EXPECT_FALSE(fetch("JOB.FETCH w STRICT QUEUES 1 a").weighted);
}

// A name may look like an option: the counts decide.
TEST(DecodeFetch, CountsDecideWhatIsAName) {
  EXPECT_THAT(fetch("JOB.FETCH w QUEUES 2 COUNT BLOCK COUNT 2").queues,
              ElementsAre("COUNT", "BLOCK"));
}

TEST(DecodeFetch, NamesEveryFault) {
  constexpr std::pair<std::string_view, std::string_view> kCases[] = {
      {"JOB.FETCH w QUEUES 1", "ERR wrong number of arguments for 'job.fetch' command"},
      {"JOB.FETCH w COUNT 1 STRICT", "BADREQ field=QUEUES is missing"},
      {"JOB.FETCH w QUEUES 2 a",
       "BADREQ field=QUEUES counts 2 items of 1 words, but only 1 words follow"},
      {"JOB.FETCH w QUEUES 1 a b",
       "BADREQ field=OPTION unknown option 'b'; there are COUNT, BLOCK, "
       "HOLDING, TYPES, STRICT, WEIGHTS, QUEUES"},
      {"JOB.FETCH w QUEUES 1 a WEIGHTS 2 1 1",
       "BADREQ field=WEIGHTS must be one for each queue: 2 weights, 1 queues"},
      {"JOB.FETCH w QUEUES 1 a WEIGHTS 1 x",
       "BADREQ field=WEIGHTS must be a whole number, got 'x'"},
      {"JOB.FETCH w QUEUES 1 a STRICT WEIGHTS 1 1",
       "BADREQ field=WEIGHTS and STRICT exclude each other"},
      {"JOB.FETCH w QUEUES 1 a QUEUES 1 b", "BADREQ field=QUEUES stands there twice"},
      {"JOB.FETCH w QUEUES 1 a BLOK 5",
       "BADREQ field=OPTION unknown option 'BLOK'; did you mean BLOCK?"},
      {"JOB.FETCH w QUEUES 1 a BLOCK", "BADREQ field=BLOCK needs a value behind it"},
      {"JOB.FETCH w QUEUES 1 a COUNT many",
       "BADREQ field=COUNT must be a whole number, got 'many'"},
      {"JOB.FETCH w QUEUES 1 a HOLDING x", "BADREQ field=HOLDING must be a whole number, got 'x'"},
  };
  for (const auto& [line, fault] : kCases) EXPECT_EQ(fault_of(line), fault) << line;
}

TEST(DecodeFetch, BoundsItsLists) {
  const size_t queues = core::limits::kFetchQueuesMax;
  const size_t types = core::limits::kFetchTypesMax;
  const auto fault = [](std::string_view option, size_t most, size_t got) {
    return fmt::format("BADREQ field={} must count 1 to {} items, got {}", option, most, got);
  };
  EXPECT_EQ(fault_of("JOB.FETCH w QUEUES 0 a"), fault("QUEUES", queues, 0));
  EXPECT_EQ(fault_of(fmt::format("JOB.FETCH w QUEUES {} a", queues + 1)),
            fault("QUEUES", queues, queues + 1));
  EXPECT_EQ(fault_of("JOB.FETCH w TYPES 0 QUEUES 1 a"), fault("TYPES", types, 0));
  EXPECT_EQ(fault_of(fmt::format("JOB.FETCH w QUEUES 1 a TYPES {} b", types + 1)),
            fault("TYPES", types, types + 1));
}

}  // namespace
}  // namespace protocol
