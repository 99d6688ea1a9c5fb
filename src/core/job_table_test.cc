#include "core/job_table.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "base/random.h"

namespace core {
namespace {

class JobTableTest : public testing::Test {
 protected:
  Job& add(uint64_t id) {
    Job job;
    job.id.value = id;
    job.record = std::make_unique<JobRecord>();
    job.record->args = std::to_string(id);
    return table.insert(std::move(job));
  }
  std::vector<uint64_t> all() const {
    std::vector<uint64_t> ids;
    table.for_each([&](const Job& job) { ids.push_back(job.id.value); });
    return ids;
  }

  JobTable table;
};

TEST_F(JobTableTest, FindsWhatIsThereAndNothingElse) {
  Job& job = add(100);
  EXPECT_EQ(table.find(JobId{100}), &job);
  EXPECT_EQ(table.find(JobId{101}), nullptr) << "of the same page";
  EXPECT_EQ(table.find(JobId{100'000}), nullptr) << "of a page that is not there";
  EXPECT_EQ(job.record->args, "100");
}

TEST_F(JobTableTest, WalksInOrderOfIds) {
  for (const uint64_t id : {700U, 3U, 64U, 63U, 5'000U}) add(id);
  EXPECT_EQ(all(), (std::vector<uint64_t>{3, 63, 64, 700, 5'000}));
  EXPECT_EQ(table.page_numbers().size(), 4U);
  size_t seen = 0;
  table.for_each_in_page(0, [&](const Job&) { ++seen; });
  table.for_each_in_page(99, [&](const Job&) { ++seen; });
  EXPECT_EQ(seen, 2U);
}

TEST_F(JobTableTest, AJobStaysWhereItIsWhateverComesAndGoes) {
  Job& job = add(1);
  for (uint64_t id = 2; id < 5'000; ++id) add(id);
  for (uint64_t id = 2; id < 5'000; id += 2) table.remove(*table.find(JobId{id}));
  EXPECT_EQ(table.find(JobId{1}), &job);
  EXPECT_EQ(job.record->args, "1");
}

TEST_F(JobTableTest, APlaceThatWasLeftIsUsedAgainForAnEmptyJob) {
  Job& first = add(1);
  first.set_ready_seq(9);
  first.is_keyed = true;
  table.remove(first);
  EXPECT_EQ(table.size(), 0U);
  EXPECT_TRUE(table.page_numbers().empty());
  Job fresh;
  fresh.id.value = 4'711;
  Job& second = table.insert(std::move(fresh));
  EXPECT_EQ(&second, &first);
  EXPECT_EQ(second.record, nullptr);
  EXPECT_EQ(second.ready_seq, 0U);
  EXPECT_FALSE(second.is_keyed);
  EXPECT_EQ(table.find(JobId{1}), nullptr);
}

TEST_F(JobTableTest, AgreesWithAMapUnderRandomChanges) {
  base::SeededRandom random(5);
  std::map<uint64_t, Job*> model;
  for (int step = 0; step < 30'000; ++step) {
    const uint64_t id = 1 + random.below(3'000);
    const auto found = model.find(id);
    ASSERT_EQ(table.find(JobId{id}), found == model.end() ? nullptr : found->second);
    if (found == model.end()) {
      model[id] = &add(id);
    } else {
      ASSERT_EQ(found->second->record->args, std::to_string(id));
      table.remove(*found->second);
      model.erase(found);
    }
    ASSERT_EQ(table.size(), model.size());
  }
  std::vector<uint64_t> ids;
  for (const auto& [id, job] : model) ids.push_back(id);
  EXPECT_EQ(all(), ids);
}

}  // namespace
}  // namespace core
