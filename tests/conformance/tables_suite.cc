#include "tests/conformance/tables_suite.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

namespace conformance {

using base::ErrorCode;
using core::JobId;
using core::JobState;
using store::JobHeader;
using store::JobRow;

namespace {

std::vector<JobId> ids_between(uint64_t first, uint64_t end) {
  std::vector<JobId> ids;
  for (uint64_t id = first; id < end; ++id) ids.push_back(JobId{id});
  return ids;
}

}  // namespace

TablesSuite::TablesSuite() : world_(GetParam().make_world()) {}

void TablesSuite::open() {
  tables_ = world_->make_tables();
  const auto opened = tables_->open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  summary_ = *opened;
  EXPECT_EQ(summary_.applied_seq, applied_seq_);
  EXPECT_EQ(summary_.rows, rows_.size());
  EXPECT_EQ(summary_.side_records, side_.size());
  auto reader = tables_->make_reader();
  ASSERT_TRUE(reader.has_value()) << reader.error().message;
  reader_ = *std::move(reader);
}

void TablesSuite::close() {
  reader_.reset();
  const auto closed = tables_->close();
  EXPECT_TRUE(closed.has_value()) << closed.error().message;
  tables_.reset();
}

base::Status TablesSuite::try_apply(const Batch& batch) {
  std::vector<JobRow> rows;
  for (const auto& [id, row] : batch.rows) rows.push_back({row.header, row.record, row.args});
  std::vector<JobId> erased;
  for (const auto& [id, unused] : batch.erased) erased.push_back(id);
  std::vector<store::SideRecord> side;
  for (const auto& [key, value] : batch.side) side.push_back({key, value});
  return tables_->apply(
      {.rows = rows, .erased = erased, .side = side, .applied_seq = applied_seq_ + 1});
}

void TablesSuite::apply(const Batch& batch) {
  const auto applied = try_apply(batch);
  ASSERT_TRUE(applied.has_value()) << applied.error().message;
  applied_seq_ += 1;
  for (const auto& [id, unused] : batch.erased) rows_.erase(id);
  for (const auto& [id, row] : batch.rows) {
    Row& expected = rows_[id];
    auto args = row.args ? row.args : expected.args;
    expected = row;
    expected.args = std::move(args);
  }
  for (const auto& [key, value] : batch.side) {
    side_.erase(key);
    if (value) side_[key] = *value;
  }
}

void TablesSuite::expect_all() {
  expect_rows();
  expect_lanes();
  expect_rest();
  expect_side();
  EXPECT_EQ(damages(), std::vector<std::string>());
}

void TablesSuite::expect_rows() {
  std::vector<JobId> ids = ids_between(1, next_id_ + 2);
  for (const auto& [id, row] : rows_) {
    if (id.value >= next_id_ + 2) ids.push_back(id);
  }
  size_t place = 0;
  const auto read = reader_->read(ids, [&](JobId id, const auto& row) -> base::Status {
    EXPECT_EQ(id, ids.at(place++)) << "each is visited, in the order asked for";
    const auto expected = rows_.find(id);
    if (expected == rows_.end()) {
      EXPECT_EQ(row.has_value() ? ErrorCode::kInternal : row.error().code, ErrorCode::kNotFound);
      return {};
    }
    EXPECT_TRUE(row.has_value()) << row.error().message;
    if (!row) return {};
    EXPECT_EQ(row->header, expected->second.header) << "job " << id.value;
    EXPECT_EQ(row->record, expected->second.record) << "job " << id.value;
    EXPECT_EQ(row->args, expected->second.args) << "job " << id.value;
    return {};
  });
  EXPECT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(place, ids.size());
}

void TablesSuite::expect_lanes() {
  std::vector<JobHeader> expected;
  for (const auto& [id, row] : rows_) {
    if (row.header.in_lane) expected.push_back(row.header);
  }
  std::sort(expected.begin(), expected.end(),
            [](const auto& a, const auto& b) { return a.ready_seq < b.ready_seq; });
  std::vector<JobHeader> seen;
  const auto scan = reader_->scan_lanes([&](const JobHeader& header) { seen.push_back(header); });
  EXPECT_TRUE(scan.has_value()) << scan.error().message;
  EXPECT_TRUE(seen == expected) << "saw " << seen.size() << ", expected " << expected.size();
}

void TablesSuite::expect_rest() {
  std::map<std::pair<JobState, JobId>, Row> expected;
  for (const auto& [id, row] : rows_) {
    if (row.header.in_lane) continue;
    expected[{row.header.state, id}] = {row.header, row.record, std::nullopt};
  }
  auto next = expected.begin();
  const auto scan = reader_->scan_rest([&](JobId id, const auto& row) -> base::Status {
    if (next == expected.end()) return base::fail(ErrorCode::kInternal, "more than there are");
    EXPECT_EQ(id, next->first.second);
    EXPECT_TRUE(row.has_value()) << row.error().message;
    if (row) {
      EXPECT_EQ(row->header, next->second.header);
      EXPECT_EQ(row->record, next->second.record);
    }
    ++next;
    return {};
  });
  EXPECT_TRUE(scan.has_value()) << scan.error().message;
  EXPECT_TRUE(next == expected.end());
}

void TablesSuite::expect_side() {
  std::map<std::string, std::string> seen;
  const auto scan = reader_->scan_side([&](auto key, auto value) -> base::Status {
    seen.emplace(key, value);
    return {};
  });
  EXPECT_TRUE(scan.has_value()) << scan.error().message;
  EXPECT_EQ(seen, side_);
}

std::vector<std::string> TablesSuite::damages() {
  std::vector<std::string> found;
  std::optional<JobId> from = JobId{0};
  while (from) {
    const auto next =
        reader_->verify(*from, [&](const base::Error& error) { found.push_back(error.message); });
    EXPECT_TRUE(next.has_value()) << next.error().message;
    if (!next) break;
    EXPECT_TRUE(!*next || **next > *from) << "it goes on";
    from = *next;
  }
  return found;
}

TablesSuite::Row TablesSuite::ready_row(uint64_t id, uint64_t ready_seq) {
  Row row;
  row.header.id = JobId{id};
  row.header.in_lane = true;
  row.header.priority = 5;
  row.header.ready_seq = ready_seq;
  row.record = "record of " + std::to_string(id);
  row.args = "args of " + std::to_string(id);
  return row;
}

TablesSuite::Row TablesSuite::random_row(uint64_t id) {
  Row row = ready_row(id, next_seq_++);
  row.header.queue = static_cast<uint32_t>(random_.below(3) == 0 ? random_.next() : id % 5);
  row.header.type = static_cast<uint32_t>(random_.below(4));
  row.header.priority = static_cast<uint8_t>(random_.below(10));
  if (random_.below(3) == 0) {
    row.header.in_lane = false;
    row.header.state = static_cast<JobState>(random_.below(core::kJobStateCount));
  }
  row.record.resize(random_.below(100), 'r');
  // Now and then more than a page holds.
  row.args->resize(random_.below(50) == 0 ? 40'000 : random_.below(300), 'a');
  if (rows_.contains(JobId{id}) && random_.below(2) == 0) row.args.reset();
  return row;
}

TablesSuite::Batch TablesSuite::random_batch() {
  Batch batch;
  const uint64_t fresh = random_.below(3) == 0 ? random_.below(6'000) : random_.below(50);
  for (uint64_t i = 0; i < fresh; ++i) {
    const uint64_t id = next_id_++;
    // Most that are pushed are gone before they come here.
    if (random_.below(4) != 0) batch.rows[JobId{id}] = random_row(id);
  }
  for (uint64_t i = random_.below(200); i > 0; --i) {
    const uint64_t id = 1 + random_.below(next_id_);
    if (id < next_id_) batch.rows[JobId{id}] = random_row(id);
  }
  const uint64_t begin = random_.below(next_id_);
  for (uint64_t id = begin; id < begin + random_.below(3'000); ++id) {
    if (!batch.rows.contains(JobId{id})) batch.erased[JobId{id}] = true;
  }
  for (uint64_t i = random_.below(4); i > 0; --i) {
    const std::string key = "key " + std::to_string(random_.below(20));
    if (random_.below(3) == 0) {
      batch.side[key] = std::nullopt;
    } else {
      batch.side[key] = std::string(random_.below(2'000), 'v');
    }
  }
  return batch;
}

TEST_P(TablesSuite, AreEmptyAtFirst) {
  open();
  EXPECT_EQ(summary_.applied_seq, 0U);
  expect_all();
  close();
}

TEST_P(TablesSuite, HoldWhatAReferenceHolds) {
  open();
  for (int step = 0; step < 60; ++step) {
    apply(random_batch());
    if (HasFatalFailure()) return;
    if (step % 7 == 0) {
      close();
      open();
    }
    if (step % 5 == 0) expect_all();
  }
  expect_all();
  close();
}

TEST_P(TablesSuite, RememberWhatWasAppliedEvenIfNothingChanged) {
  open();
  apply({});
  apply({});
  close();
  open();
  EXPECT_EQ(summary_.applied_seq, 2U);
  close();
}

TEST_P(TablesSuite, GiveLanesInReadyOrder) {
  open();
  Batch batch;
  for (uint64_t id = 1; id <= 10'000; ++id) batch.rows[JobId{id}] = ready_row(id, id);
  apply(batch);
  // Retried: ready once more behind all others, the first of them last.
  Batch retried;
  for (uint64_t id = 1; id < 10'000; id += 37) {
    retried.rows[JobId{id}] = ready_row(id, 30'000 - id);
    retried.rows[JobId{id}].args.reset();
  }
  apply(retried);
  Batch later;
  for (uint64_t id = 10'001; id <= 11'000; ++id) later.rows[JobId{id}] = ready_row(id, 30'000 + id);
  apply(later);
  next_id_ = 11'001;
  expect_all();
  close();
  open();
  expect_lanes();
  close();
}

TEST_P(TablesSuite, TakeAnErasedIdAgain) {
  open();
  apply({.rows = {{JobId{7}, ready_row(7, 1)}}, .erased = {}, .side = {}});
  next_id_ = 8;
  apply({.rows = {}, .erased = {{JobId{7}, true}, {JobId{9}, true}}, .side = {}});
  expect_all();
  apply({.rows = {{JobId{7}, ready_row(7, 2)}}, .erased = {}, .side = {}});
  expect_all();
  close();
}

TEST_P(TablesSuite, DoNothingIfArgsAreToStayOfAJobWithoutRow) {
  open();
  apply({.rows = {{JobId{1}, ready_row(1, 1)}, {JobId{9}, ready_row(9, 2)}},
         .erased = {},
         .side = {}});
  next_id_ = 30;
  for (const uint64_t id : {5U, 20U}) {
    Batch batch;
    batch.rows[JobId{id}] = ready_row(id, 3);
    batch.rows[JobId{id}].args.reset();
    batch.rows[JobId{9}] = ready_row(9, 4);
    batch.erased[JobId{1}] = true;
    const auto applied = try_apply(batch);
    ASSERT_FALSE(applied.has_value());
    EXPECT_EQ(applied.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(applied.error().message.find("id " + std::to_string(id)), std::string::npos)
        << applied.error().message;
    expect_all();
  }
  close();
}

TEST_P(TablesSuite, KeepTheIdsOfEveryShard) {
  for (const uint64_t shard : {0U, 5U, 4'095U}) {
    world_ = GetParam().make_world();
    rows_.clear();
    applied_seq_ = 0;
    open();
    Batch batch;
    for (uint64_t i = 1; i < 5'000; ++i) {
      const JobId id = core::make_job_id(shard, i);
      batch.rows[id] = ready_row(id.value, i);
    }
    apply(batch);
    expect_all();
    Batch batch_after;
    batch_after.erased[core::make_job_id(shard, 4'096)] = true;
    batch_after.rows[core::make_job_id(shard, 17)] =
        ready_row(core::make_job_id(shard, 17).value, 9'000);
    apply(batch_after);
    close();
    open();
    expect_all();
    close();
  }
}

TEST_P(TablesSuite, NameADamagedRowAndReadTheOthers) {
  open();
  Batch batch;
  for (uint64_t id = 1; id <= 100; ++id) batch.rows[JobId{id}] = ready_row(id, id);
  apply(batch);
  close();
  world_->damage(JobId{40});
  open();
  uint64_t sound = 0;
  const auto read =
      reader_->read(ids_between(1, 101), [&](JobId id, const auto& row) -> base::Status {
        if (row) {
          sound += 1;
          return {};
        }
        EXPECT_EQ(id, JobId{40});
        EXPECT_EQ(row.error().code, ErrorCode::kCorrupt);
        EXPECT_NE(row.error().message.find("table job, id 40"), std::string::npos)
            << row.error().message;
        return {};
      });
  EXPECT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(sound, 99U);
  const auto found = damages();
  ASSERT_FALSE(found.empty());
  EXPECT_NE(found[0].find("table job, id 40"), std::string::npos) << found[0];
  // It can be erased, and nothing of it is left.
  apply({.rows = {}, .erased = {{JobId{40}, true}}, .side = {}});
  next_id_ = 101;
  expect_all();
  close();
}

TEST_P(TablesSuite, EndAReadingWithTheVisitorsError) {
  open();
  apply({.rows = {{JobId{1}, ready_row(1, 1)}, {JobId{2}, ready_row(2, 2)}},
         .erased = {},
         .side = {{"a", "b"}}});
  const base::Error error{ErrorCode::kCorrupt, "enough"};
  int visits = 0;
  const auto refuse = [&](JobId, const auto&) -> base::Status {
    visits += 1;
    return tl::unexpected(error);
  };
  const auto read = reader_->read(ids_between(1, 3), refuse);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error(), error);
  EXPECT_EQ(visits, 1);
  EXPECT_FALSE(
      reader_->scan_side([&](auto, auto) -> base::Status { return tl::unexpected(error); }));
  next_id_ = 3;
  expect_all();
  close();
}

TEST_P(TablesSuite, ShowAReaderOneView) {
  open();
  constexpr uint64_t kRows = 500;
  const auto generation = [](uint64_t number) {
    Batch batch;
    for (uint64_t id = 1; id <= kRows; ++id) {
      batch.rows[JobId{id}] = ready_row(id, number * kRows + id);
      batch.rows[JobId{id}].record = std::to_string(number);
    }
    return batch;
  };
  apply(generation(0));
  std::atomic<bool> done{false};
  std::thread other([&] {
    const std::vector<JobId> ids = ids_between(1, kRows + 1);
    while (!done) {
      std::optional<std::string> first;
      const auto read = reader_->read(ids, [&](JobId, const auto& row) -> base::Status {
        EXPECT_TRUE(row.has_value());
        if (!row) return {};
        if (!first) first = row->record;
        EXPECT_EQ(*first, row->record);
        return {};
      });
      EXPECT_TRUE(read.has_value()) << read.error().message;
    }
  });
  for (uint64_t number = 1; number <= 50; ++number) apply(generation(number));
  done = true;
  other.join();
  next_id_ = kRows + 1;
  expect_all();
  close();
}

}  // namespace conformance
