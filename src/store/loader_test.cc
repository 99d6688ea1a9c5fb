#include "store/loader.h"

#include <gtest/gtest.h>

#include <map>

#include "store/change_set.h"
#include "store/job_codec.h"
#include "store/memory/memory_tables.h"
#include "store/test_patience.h"

namespace store {
namespace {

using base::ErrorCode;
using core::JobId;

// Collects what arrives.
class LoaderHeard {
 public:
  Loader::Callbacks callbacks(Loader& loader) {
    loader_ = &loader;
    return {
        .arrived = [this] { tell([this] { ++arrivals_; }); },
        .failed = [this](const base::Error& error) { tell([&] { errors_.push_back(error); }); }};
  }
  // Takes until `count` jobs have come; returns one group of them per `take` that gave some.
  std::vector<std::vector<Loader::Loaded>> wait_for(size_t count) {
    std::vector<std::vector<Loader::Loaded>> takes;
    size_t got = 0;
    uint64_t seen = 0;
    while (got < count) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, kPatience, [&] { return arrivals_ > seen; })) break;
        seen = arrivals_;
      }
      std::vector<Loader::Loaded> loaded = loader_->take();
      got += loaded.size();
      if (!loaded.empty()) takes.push_back(std::move(loaded));
    }
    return takes;
  }
  bool wait_for_arrival() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return arrivals_ > 0; });
  }
  std::optional<base::Error> wait_for_failure() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [&] { return !errors_.empty(); })) return std::nullopt;
    EXPECT_EQ(errors_.size(), 1U);
    return errors_[0];
  }

 private:
  void tell(const std::function<void()>& what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_all();
  }

  Loader* loader_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t arrivals_ = 0;
  std::vector<base::Error> errors_;
};

// A reader that notes what it is asked for, waits for a test, and can fail as a whole.
class GatedReader final : public TablesReader {
 public:
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool open = true;
    bool fail = false;
    std::vector<std::vector<JobId>> asked;

    void let_go() {
      const std::lock_guard lock(mutex);
      open = true;
      changed.notify_all();
    }
    bool wait_for_ask(size_t count) {
      std::unique_lock lock(mutex);
      return changed.wait_for(lock, kPatience, [&] { return asked.size() >= count; });
    }
  };

  GatedReader(std::unique_ptr<TablesReader> reader, Gate& gate)
      : reader_(std::move(reader)), gate_(gate) {}

  base::Status read(std::span<const JobId> ids, const RowVisitor& visit) override {
    {
      std::unique_lock lock(gate_.mutex);
      gate_.asked.emplace_back(ids.begin(), ids.end());
      gate_.changed.notify_all();
      gate_.changed.wait(lock, [this] { return gate_.open; });
      if (gate_.fail) return base::fail(ErrorCode::kIo, "as the test said");
    }
    return reader_->read(ids, visit);
  }
  base::Status scan_lanes(const HeaderVisitor& visit) override {
    return reader_->scan_lanes(visit);
  }
  base::Status scan_rest(const RowVisitor& visit) override { return reader_->scan_rest(visit); }
  base::Status scan_side(const SideVisitor& visit) override { return reader_->scan_side(visit); }
  base::Result<std::optional<JobId>> verify(JobId from, const DamageVisitor& damaged) override {
    return reader_->verify(from, damaged);
  }
  base::Status verify_rest(const DamageVisitor& damaged) override {
    return reader_->verify_rest(damaged);
  }

 private:
  std::unique_ptr<TablesReader> reader_;
  Gate& gate_;
};

// About three rows to a view, and twenty that may belong together.
constexpr Loader::Bounds kSmall{.view_bytes_max = 24, .together_bytes_max = 300};

class LoaderTest : public testing::Test {
 protected:
  // Tables that hold jobs 1 to `count`, and a loader over them.
  void begin(uint64_t count, const Loader::Bounds& bounds = {}) {
    ASSERT_TRUE(tables_.open());
    ChangeSet set;
    for (uint64_t id = 1; id <= count; ++id) {
      JobHeader header;
      header.id = JobId{id};
      header.ready_seq = id;
      set.put(header, record_bytes(id), "args " + std::to_string(id));
    }
    ASSERT_TRUE(tables_.apply(set.finish(1)));
    auto reader = tables_.make_reader();
    ASSERT_TRUE(reader);
    loader_ =
        std::make_unique<Loader>(std::make_unique<GatedReader>(*std::move(reader), gate_), bounds);
    loader_->start(heard_.callbacks(*loader_));
  }
  void TearDown() override {
    loader_->stop();
    loader_.reset();
    ASSERT_TRUE(tables_.close());
  }
  void request(const std::vector<JobId>& ids) { loader_->request(ids); }
  void request_together(const std::vector<JobId>& ids) { loader_->request_together(ids); }

  // Of a job that was pushed at the wall time `id`.
  static std::string record_bytes(uint64_t id) {
    core::Job job;
    job.record = std::make_unique<core::JobRecord>();
    job.record->pushed.ms = static_cast<int64_t>(id);
    std::string bytes;
    ByteWriter out(bytes);
    encode_record(out, job);
    return bytes;
  }
  static std::vector<uint64_t> ids_of(const std::vector<Loader::Loaded>& loaded) {
    std::vector<uint64_t> ids;
    for (const Loader::Loaded& one : loaded) ids.push_back(one.id.value);
    return ids;
  }

  MemoryRows disk_;
  MemoryTables tables_{disk_};
  GatedReader::Gate gate_;
  LoaderHeard heard_;
  std::unique_ptr<Loader> loader_;
};

TEST_F(LoaderTest, BringsWhatWasAskedFor) {
  begin(10);
  request({{7}, {2}, {3}});
  const auto takes = heard_.wait_for(3);
  ASSERT_EQ(takes.size(), 1U);
  EXPECT_EQ(ids_of(takes[0]), (std::vector<uint64_t>{2, 3, 7}));
  for (const Loader::Loaded& loaded : takes[0]) {
    ASSERT_TRUE(loaded.record) << loaded.record.error().message;
    EXPECT_EQ((*loaded.record)->pushed.ms, static_cast<int64_t>(loaded.id.value));
    EXPECT_EQ((*loaded.record)->args, "args " + std::to_string(loaded.id.value));
  }
  EXPECT_EQ(loader_->take().size(), 0U);
}

TEST_F(LoaderTest, ReadsWhatCameMeanwhileTogetherEachIdOnce) {
  begin(10);
  gate_.open = false;
  request({{1}});
  ASSERT_TRUE(gate_.wait_for_ask(1));
  request({{5}, {4}, {5}});
  request({{9}, {4}});
  gate_.let_go();
  const auto takes = heard_.wait_for(4);
  EXPECT_EQ(ids_of(takes.back()).back(), 9U);
  const std::lock_guard lock(gate_.mutex);
  ASSERT_EQ(gate_.asked.size(), 2U);
  EXPECT_EQ(gate_.asked[1], (std::vector<JobId>{{4}, {5}, {9}}));
}

TEST_F(LoaderTest, ReadsNoMoreWhileNobodyTakesWhatArrived) {
  begin(100, kSmall);
  std::vector<JobId> ids;
  for (uint64_t id = 1; id <= 100; ++id) ids.push_back(JobId{id});
  request(ids);
  ASSERT_TRUE(heard_.wait_for_arrival());
  loader_->stop();
  EXPECT_LT(loader_->take().size(), 10U);
  const std::lock_guard lock(gate_.mutex);
  EXPECT_EQ(gate_.asked.size(), 1U);
}

TEST_F(LoaderTest, AnIdWithoutRowIsAnErrorOfThatIdAlone) {
  begin(3);
  request({{2}, {3}, {4}});
  const auto takes = heard_.wait_for(3);
  ASSERT_EQ(takes.size(), 1U);
  EXPECT_TRUE(takes[0][0].record);
  EXPECT_TRUE(takes[0][1].record);
  ASSERT_FALSE(takes[0][2].record);
  EXPECT_EQ(takes[0][2].record.error().code, ErrorCode::kNotFound);
}

TEST_F(LoaderTest, ADamagedRowIsAnErrorOfThatIdAlone) {
  begin(3);
  disk_.damage(JobId{2});
  request({{1}, {2}, {3}});
  const auto takes = heard_.wait_for(3);
  ASSERT_EQ(takes.size(), 1U);
  EXPECT_TRUE(takes[0][0].record);
  ASSERT_FALSE(takes[0][1].record);
  EXPECT_EQ(takes[0][1].record.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(takes[0][1].record.error().message.find("table job, id 2"), std::string::npos);
  EXPECT_TRUE(takes[0][2].record);
}

TEST_F(LoaderTest, ARowThatCannotBeDecodedIsAnErrorOfThatIdAlone) {
  begin(3);
  ChangeSet set;
  set.put(JobHeader{.id = JobId{2}}, "no record", "args");
  ASSERT_TRUE(tables_.apply(set.finish(2)));
  request({{1}, {2}});
  const auto takes = heard_.wait_for(2);
  ASSERT_EQ(takes.size(), 1U);
  EXPECT_TRUE(takes[0][0].record);
  ASSERT_FALSE(takes[0][1].record);
  EXPECT_EQ(takes[0][1].record.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(takes[0][1].record.error().message,
            "table job, id 2: job 0000000000002: its record cannot be decoded");
}

TEST_F(LoaderTest, AFailedReadIsToldOnceAndEndsIt) {
  begin(3);
  gate_.fail = true;
  request({{1}, {2}});
  const auto error = heard_.wait_for_failure();
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error->code, ErrorCode::kIo);
  EXPECT_EQ(error->message, "read 2 jobs: as the test said");
  request({{3}});
  loader_->stop();
  EXPECT_EQ(loader_->take().size(), 0U);
}

TEST_F(LoaderTest, HandsOverWhatIsReadBeforeItReadsOn) {
  begin(100, kSmall);
  std::vector<JobId> ids;
  for (uint64_t id = 1; id <= 30; ++id) ids.push_back(JobId{id});
  request(ids);
  std::map<uint64_t, size_t> take_of;
  const auto takes = heard_.wait_for(30);
  for (size_t i = 0; i < takes.size(); ++i) {
    for (const uint64_t id : ids_of(takes[i])) {
      EXPECT_TRUE(take_of.emplace(id, i).second) << "job " << id << " arrived twice";
    }
  }
  EXPECT_EQ(take_of.size(), 30U);
  const std::lock_guard lock(gate_.mutex);
  EXPECT_GE(gate_.asked.size(), 8U);
}

TEST_F(LoaderTest, WhatBelongsTogetherArrivesAsAWholeThoughItIsLargerThanAView) {
  begin(100, kSmall);
  std::vector<JobId> ids;
  for (uint64_t id = 1; id <= 12; ++id) ids.push_back(JobId{id});
  request_together(ids);
  const auto takes = heard_.wait_for(12);
  ASSERT_EQ(takes.size(), 1U);
  ASSERT_EQ(takes[0].size(), 12U);
  for (const Loader::Loaded& loaded : takes[0]) EXPECT_TRUE(loaded.record);
}

TEST_F(LoaderTest, WhatIsTooLargeTogetherArrivesWithoutRecordsAndTheNextOnesAreRead) {
  begin(100, kSmall);
  gate_.open = false;
  request({{1}});
  ASSERT_TRUE(gate_.wait_for_ask(1));
  std::vector<JobId> ids;
  for (uint64_t id = 1; id <= 90; ++id) ids.push_back(JobId{id});
  request_together(ids);
  request({{95}});
  request_together({{95}, {96}});
  gate_.let_go();
  std::map<uint64_t, size_t> with_record;
  size_t given_up = 0;
  for (const auto& take : heard_.wait_for(94)) {
    for (const Loader::Loaded& loaded : take) {
      if (loaded.record) {
        ++with_record[loaded.id.value];
      } else {
        EXPECT_EQ(loaded.record.error().code, ErrorCode::kTooBig);
        ++given_up;
      }
    }
  }
  EXPECT_EQ(given_up, 90U);
  EXPECT_EQ(with_record, (std::map<uint64_t, size_t>{{1, 1}, {95, 2}, {96, 1}}));
}

TEST_F(LoaderTest, StopLeavesWhatIsNotRead) {
  begin(100, kSmall);
  gate_.open = false;
  request({{1}});
  ASSERT_TRUE(gate_.wait_for_ask(1));
  request({{2}});
  std::thread stopper([this] { loader_->stop(); });
  gate_.let_go();
  stopper.join();
  EXPECT_LE(loader_->take().size(), 2U);
}

}  // namespace
}  // namespace store
