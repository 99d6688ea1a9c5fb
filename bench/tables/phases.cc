#include "bench/tables/phases.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "bench/tables/measure.h"
#include "store/sqlite/sqlite_tables.h"

namespace bench {

using core::JobId;
using core::JobState;

constexpr size_t kNoiseBytes = size_t{4} << 20U;
constexpr uint64_t kReadIds = 1'000;  // Of one prefetch.

TablesPhases::TablesPhases(TablesOptions options) : options_(std::move(options)) {
  noise_.resize(kNoiseBytes + options_.args_bytes + options_.record_bytes);
  random_.fill(std::as_writable_bytes(std::span(noise_)));
}

store::JobRow TablesPhases::make_row(uint64_t id) const {
  const std::string_view noise(noise_);
  store::JobRow row;
  row.header.id = JobId{id};
  row.header.priority = static_cast<uint8_t>(options_.queues == 1 ? 5 : (id * 7) % 10);
  row.header.in_lane = true;
  row.header.queue = static_cast<uint32_t>((id * 2'654'435'761U) % options_.queues);
  row.header.type = row.header.queue;
  row.header.ready_seq = id;
  row.record = noise.substr((id * 61) % kNoiseBytes, options_.record_bytes);
  row.args = noise.substr((id * 127) % kNoiseBytes, options_.args_bytes);
  return row;
}

base::Status TablesPhases::open() {
  tables_ = std::make_unique<store::SqliteTables>(
      files_, store::SqliteTablesOptions{.directory = options_.directory});
  applied_seq_ = TRY(tables_->open()).applied_seq;
  return {};
}

base::Status TablesPhases::apply(const Batch& batch, std::vector<double>& flush_ms) {
  const base::SystemClock clock;
  const base::MonoTime begin = clock.mono();
  TRY(tables_->apply(
      {.rows = batch.rows, .erased = batch.erased, .side = {}, .applied_seq = ++applied_seq_}));
  flush_ms.push_back(static_cast<double>((clock.mono() - begin).count()) / 1e6);
  return {};
}

base::Status TablesPhases::fill() {
  const Usage begin = usage_now();
  std::vector<double> flush_ms;
  Batch batch;
  while (next_ <= options_.rows) {
    batch.rows.clear();
    for (uint64_t i = 0; i < options_.flush_rows; ++i) batch.rows.push_back(make_row(next_++));
    TRY(apply(batch, flush_ms));
  }
  ready_seq_ = next_;
  report("fill", next_ - first_, begin, std::move(flush_ms));
  return {};
}

base::Status TablesPhases::start(bool cold) {
  TRY(tables_->close());
  if (cold) drop_cache(path());
  const Usage begin = usage_now();
  TRY(open());
  const auto reader = TRY(tables_->make_reader());
  uint64_t count = 0;
  uint64_t last_seq = 0;
  TRY(reader->scan_lanes([&](const store::JobHeader& header) {
    count += header.ready_seq > last_seq ? 1 : 0;
    last_seq = header.ready_seq;
  }));
  TRY(reader->scan_rest([&](JobId, const auto& row) -> base::Status {
    count += row.has_value() ? 1 : 0;
    return {};
  }));
  report(cold ? "start cold" : "start warm", count, begin, {});
  if (count == next_ - first_) return {};
  return base::fail(base::ErrorCode::kInternal, "{} of {} jobs", count, next_ - first_);
}

base::Status TablesPhases::read_back() {
  const auto reader = TRY(tables_->make_reader());
  const uint64_t ids_max = std::min<uint64_t>(next_ - first_, 1'000'000);
  const Usage begin = usage_now();
  std::vector<JobId> ids;
  uint64_t count = 0;
  for (uint64_t id = first_; id < first_ + ids_max; id += kReadIds) {
    ids.clear();
    for (uint64_t i = 0; i < kReadIds; ++i) ids.push_back(JobId{id + i});
    TRY(reader->read(ids, [&](JobId, const auto& row) -> base::Status {
      count += row.has_value() ? 1 : 0;
      return {};
    }));
  }
  report("read in order", count, begin, {});
  return {};
}

base::Status TablesPhases::steady() {
  const Usage begin = usage_now();
  std::vector<double> flush_ms;
  Batch batch;
  for (uint64_t flush = 0; flush < options_.steady_flushes; ++flush) {
    batch.rows.clear();
    batch.erased.clear();
    for (uint64_t i = 0; i < options_.flush_rows; ++i) {
      batch.erased.push_back(JobId{first_++});
      batch.rows.push_back(make_row(next_++));
      batch.rows.back().header.ready_seq = ready_seq_++;
    }
    TRY(apply(batch, flush_ms));
  }
  report("steady", options_.steady_flushes * options_.flush_rows, begin, std::move(flush_ms));
  return {};
}

// Half of them are scheduled again, half become ready late.
base::Status TablesPhases::scattered() {
  const Usage begin = usage_now();
  std::vector<double> flush_ms;
  Batch batch;
  for (uint64_t flush = 0; flush < options_.scattered_flushes; ++flush) {
    batch.rows.clear();
    std::set<uint64_t> ids;
    while (ids.size() < options_.flush_rows) ids.insert(first_ + random_.below(next_ - first_));
    for (const uint64_t id : ids) {
      store::JobRow row = make_row(id);
      row.args.reset();
      row.header.in_lane = id % 2 == 0;
      row.header.state = row.header.in_lane ? JobState::kReady : JobState::kScheduled;
      row.header.ready_seq = ready_seq_++;
      batch.rows.push_back(row);
    }
    TRY(apply(batch, flush_ms));
  }
  report("scattered", options_.scattered_flushes * options_.flush_rows, begin, std::move(flush_ms));
  return {};
}

base::Status TablesPhases::verify() {
  const auto reader = TRY(tables_->make_reader());
  const Usage begin = usage_now();
  uint64_t damages = 0;
  std::optional<JobId> from = JobId{0};
  while (from) from = TRY(reader->verify(*from, [&](const base::Error&) { damages += 1; }));
  report("verify", next_ - first_, begin, {});
  if (damages == 0) return {};
  return base::fail(base::ErrorCode::kCorrupt, "{} damages", damages);
}

base::Status TablesPhases::drain() {
  const uint64_t count = next_ - first_;
  const Usage begin = usage_now();
  std::vector<double> flush_ms;
  Batch batch;
  while (first_ < next_) {
    batch.erased.clear();
    for (uint64_t i = 0; i < options_.flush_rows && first_ < next_; ++i) {
      batch.erased.push_back(JobId{first_++});
    }
    TRY(apply(batch, flush_ms));
  }
  report("drain", count, begin, std::move(flush_ms));
  return {};
}

void TablesPhases::report_size(const char* when) const {
  fmt::print(
      "{{\"size\":\"{}\",\"file_bytes\":{},\"wal_bytes\":{},\"file_bytes_per_row\":{:.1f}}}\n",
      when, file_bytes(path()), file_bytes(path() + "-wal"),
      static_cast<double>(file_bytes(path())) /
          static_cast<double>(std::max<uint64_t>(next_ - first_, 1)));
}

}  // namespace bench
