#include "store/lane.h"

#include <gtest/gtest.h>

#include <memory>

#include "base/random.h"

namespace store {
namespace {

constexpr uint64_t kBlock = 3;

JobHeader lane_header(uint64_t index, uint64_t ready_seq, uint32_t queue = 1) {
  JobHeader header;
  header.id = core::JobId{kBlock * Lane::kIds + index};
  header.in_lane = true;
  header.priority = 5;
  header.queue = queue;
  header.type = 2;
  header.ready_seq = ready_seq;
  return header;
}

std::vector<JobHeader> jobs_of(const Lane& lane) {
  std::vector<JobHeader> jobs;
  lane.visit([&](const JobHeader& header) { jobs.push_back(header); });
  return jobs;
}

class LaneTest : public testing::Test {
 protected:
  LaneTest() { lane_.reset(kBlock); }

  void expect_same_after_decode() {
    Lane read;
    const auto done = read.decode(kBlock, lane_.encode());
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(jobs_of(read), jobs_of(lane_));
    EXPECT_EQ(read.count(), lane_.count());
  }

  Lane lane_;
};

TEST_F(LaneTest, WithoutJobsIsNoBytes) {
  EXPECT_EQ(lane_.encode(), "");
  lane_.put(lane_header(7, 1));
  lane_.erase(lane_header(7, 1).id);
  EXPECT_EQ(lane_.encode(), "");
  expect_same_after_decode();
}

TEST_F(LaneTest, TakesTwoBytesForEachIdThatCountsAlong) {
  for (uint64_t i = 0; i < Lane::kIds; ++i) lane_.put(lane_header(i, 100'000 + i));
  EXPECT_LT(lane_.encode().size(), 2 * Lane::kIds + 20);
  expect_same_after_decode();
}

TEST_F(LaneTest, KeepsEveryReadySequence) {
  lane_.put(lane_header(0, UINT64_MAX));
  lane_.put(lane_header(1, 0));
  lane_.put(lane_header(2, 1));
  lane_.put(lane_header(4'095, kBlock * Lane::kIds));
  expect_same_after_decode();
}

TEST_F(LaneTest, KeepsAsManyKindsAsThereAreIds) {
  for (uint64_t i = 0; i < Lane::kIds; ++i) lane_.put(lane_header(i, i, static_cast<uint32_t>(i)));
  expect_same_after_decode();
}

TEST_F(LaneTest, KeepsRandomJobs) {
  base::SeededRandom random(1);
  for (int round = 0; round < 50; ++round) {
    for (int i = 0; i < 500; ++i) {
      JobHeader header = lane_header(random.below(Lane::kIds), random.next());
      header.queue = static_cast<uint32_t>(random.next());
      header.priority = static_cast<uint8_t>(random.below(10));
      if (random.below(3) == 0) {
        lane_.erase(header.id);
      } else {
        lane_.put(header);
        EXPECT_TRUE(lane_.holds(header));
      }
    }
    expect_same_after_decode();
  }
}

TEST_F(LaneTest, RefusesEveryPartOfItself) {
  for (uint64_t i = 0; i < 50; ++i) lane_.put(lane_header(i, i * 7, static_cast<uint32_t>(i % 3)));
  const std::string bytes = lane_.encode();
  Lane read;
  for (size_t size = 1; size < bytes.size(); size += size < 200 ? 1 : 997) {
    EXPECT_FALSE(read.decode(kBlock, bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(read.decode(kBlock, bytes + "x"));
}

TEST_F(LaneTest, RefusesACodeThatStandsForNothing) {
  lane_.put(lane_header(4'095, 1));
  std::string bytes = lane_.encode();
  bytes[bytes.size() - 2] = 9;
  Lane read;
  EXPECT_FALSE(read.decode(kBlock, bytes));
}

}  // namespace
}  // namespace store
