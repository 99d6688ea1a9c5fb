#include "store/change_set.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "base/random.h"

namespace store {
namespace {

using core::JobId;

JobHeader header_of(uint64_t id, uint64_t ready_seq = 0) {
  JobHeader header;
  header.id = JobId{id};
  header.ready_seq = ready_seq;
  return header;
}

TEST(ChangeSet, IsEmptyAtFirst) {
  ChangeSet set;
  EXPECT_EQ(set.bytes(), 0U);
  const Changes changes = set.finish(7);
  EXPECT_TRUE(changes.rows.empty());
  EXPECT_TRUE(changes.erased.empty());
  EXPECT_TRUE(changes.side.empty());
  EXPECT_EQ(changes.applied_seq, 7U);
}

TEST(ChangeSet, OwnsWhatItWasGiven) {
  ChangeSet set;
  {
    std::string record = "record";
    std::string args = "args";
    std::string key = "key";
    std::string value = "value";
    set.put(header_of(1, 5), record, args);
    set.put_side(key, value);
    record = args = key = value = "overwritten";
  }
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.rows.size(), 1U);
  EXPECT_EQ(changes.rows[0].header, header_of(1, 5));
  EXPECT_EQ(changes.rows[0].record, "record");
  EXPECT_EQ(changes.rows[0].args, "args");
  ASSERT_EQ(changes.side.size(), 1U);
  EXPECT_EQ(changes.side[0].key, "key");
  EXPECT_EQ(changes.side[0].value, "value");
}

TEST(ChangeSet, SortsByIdWhateverCameFirst) {
  ChangeSet set;
  for (const uint64_t id : {9U, 3U, 5U}) set.put(header_of(id), "r", "a");
  for (const uint64_t id : {8U, 2U, 4U, 10U}) set.erase(JobId{id});
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.rows.size(), 3U);
  EXPECT_EQ(changes.rows[0].header.id, JobId{3});
  EXPECT_EQ(changes.rows[1].header.id, JobId{5});
  EXPECT_EQ(changes.rows[2].header.id, JobId{9});
  EXPECT_EQ((std::vector<JobId>(changes.erased.begin(), changes.erased.end())),
            (std::vector<JobId>{{2}, {4}, {8}, {10}}));
}

TEST(ChangeSet, TheLastWordOfAJobWins) {
  ChangeSet set;
  set.put(header_of(1), "first", "a");
  set.put(header_of(2), "erased", "a");
  set.put(header_of(1), "second", "b");
  set.erase(JobId{2});
  set.erase(JobId{3});
  set.put(header_of(3), "put again", "c");
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.rows.size(), 2U);
  EXPECT_EQ(changes.rows[0].record, "second");
  EXPECT_EQ(changes.rows[0].args, "b");
  EXPECT_EQ(changes.rows[1].record, "put again");
  ASSERT_EQ(changes.erased.size(), 1U);
  EXPECT_EQ(changes.erased[0], JobId{2});
}

TEST(ChangeSet, WithoutArgsThoseOfTheEarlierPutStay) {
  ChangeSet set;
  set.put(header_of(1), "first", "args");
  set.put(header_of(1), "second", std::nullopt);
  set.put(header_of(1), "third", std::nullopt);
  set.put(header_of(2), "of a row in the tables", std::nullopt);
  set.put(header_of(3), "without any", "");
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.rows.size(), 3U);
  EXPECT_EQ(changes.rows[0].record, "third");
  EXPECT_EQ(changes.rows[0].args, "args");
  EXPECT_EQ(changes.rows[1].args, std::nullopt);
  EXPECT_EQ(changes.rows[2].args, "");
}

TEST(ChangeSet, TheLastWordOfASideKeyWins) {
  ChangeSet set;
  set.put_side("b", "1");
  set.put_side("a", "1");
  set.put_side("b", "2");
  set.erase_side("a");
  set.erase_side("c");
  set.put_side("c", "3");
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.side.size(), 3U);
  EXPECT_EQ(changes.side[0].key, "a");
  EXPECT_EQ(changes.side[0].value, std::nullopt);
  EXPECT_EQ(changes.side[1].key, "b");
  EXPECT_EQ(changes.side[1].value, "2");
  EXPECT_EQ(changes.side[2].key, "c");
  EXPECT_EQ(changes.side[2].value, "3");
}

TEST(ChangeSet, KeepsItemsOfEverySize) {
  ChangeSet set;
  const std::vector<size_t> sizes = {0, 1, 1'000, 300'000, (1U << 20U) - 1, 1U << 20U, 5'000'000};
  size_t bytes = 0;
  for (uint64_t id = 0; id < 100; ++id) {
    const size_t size = sizes[id % sizes.size()];
    set.put(header_of(id), std::string(size, static_cast<char>('a' + id % 26)), std::to_string(id));
    bytes += size;
  }
  EXPECT_GE(set.bytes(), bytes);
  EXPECT_LE(set.bytes(), bytes + 100 * 200);
  const Changes changes = set.finish(1);
  ASSERT_EQ(changes.rows.size(), 100U);
  for (uint64_t id = 0; id < 100; ++id) {
    const size_t size = sizes[id % sizes.size()];
    EXPECT_EQ(changes.rows[id].record, std::string(size, static_cast<char>('a' + id % 26)));
    EXPECT_EQ(changes.rows[id].args, std::to_string(id));
  }
}

TEST(ChangeSet, AgreesWithAMap) {
  base::SeededRandom random(3);
  for (int round = 0; round < 50; ++round) {
    ChangeSet set;
    std::map<JobId, std::optional<std::string>> expected;
    for (uint64_t step = random.below(400); step > 0; --step) {
      const JobId id{random.below(60)};
      if (random.below(3) == 0) {
        set.erase(id);
        expected[id] = std::nullopt;
      } else {
        const std::string record = std::to_string(random.next());
        set.put(header_of(id.value), record, "args of " + record);
        expected[id] = record;
      }
    }
    const Changes changes = set.finish(1);
    std::map<JobId, std::optional<std::string>> found;
    for (const JobRow& row : changes.rows) {
      EXPECT_TRUE(found.emplace(row.header.id, std::string(row.record)).second);
      EXPECT_EQ(row.args, "args of " + std::string(row.record));
    }
    for (const JobId id : changes.erased) EXPECT_TRUE(found.emplace(id, std::nullopt).second);
    EXPECT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace store
