#include "repair/state_digest.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/crc32c.h"
#include "repair/images.h"
#include "store/effect_codec.h"
#include "store/job_codec.h"

namespace repair {
namespace {

// Adds up what a checkpoint writes. A sum, because the order of hash tables is nobody's state.
class Digest final : public core::EffectSink {
 public:
  explicit Digest(const core::State& state) : state_(state) {}

  void put(const core::Effect& effect) override {
    if (const auto* ledger = std::get_if<core::LedgerPut>(&effect)) return put_entries(*ledger);
    if (const auto* job = std::get_if<core::JobPut>(&effect)) return put_job(*job);
    add(effect);
  }
  // A slice of the checkpoint asks how much it has written.
  size_t mark() const override { return bytes_; }
  void rewind(size_t /*mark*/) override {}

  uint64_t sum() const { return sum_; }

 private:
  void add(const core::Effect& effect) {
    store::EffectEncoder encoder;
    encoder.begin({});
    encoder.put(effect);
    const std::string text = encoder.take();
    const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
    bytes_ += bytes.size();
    sum_ += uint64_t{base::crc32c(bytes)} << 32U | base::crc32c(bytes, 1);
  }

  // Heartbeats extend a lease in memory alone: the tables know of some, the journal of none.
  void put_job(const core::JobPut& put) {
    core::JobPut same;
    same.why = put.why;
    same.job.id = put.job.id;
    same.job.state = put.job.state;
    same.job.priority = put.job.priority;
    same.job.ready_seq = put.job.ready_seq;
    same.job.record = core::clone_record(*put.job.record);
    core::Lease& lease = same.job.record->lease;
    lease.deadline = lease.granted + base::Duration{put.job.record->lease_ms};
    same.queue = put.queue;
    same.type = put.type;
    add(std::move(same));
  }

  // Which entries share a block, and how their times are rounded in it, depends on its history. And
  // what the ledger knows of a job that is kept, the job's own record says too; whether it knows
  // depends on which records were in memory.
  void put_entries(const core::LedgerPut& ledger) {
    for (core::LedgerEntry entry : ledger.entries) {
      if (state_.find(entry.id) != nullptr) continue;
      entry.until = {};
      core::LedgerPut one;
      one.entries.push_back(entry);
      add(std::move(one));
    }
  }

  const core::State& state_;
  size_t bytes_ = 0;
  uint64_t sum_ = 0;
};

// The row must be of the job as the state has it: an old row verifies as well.
base::Result<core::JobPut> job_of(const core::Job& job, const store::JobRow& row) {
  const store::JobHeader& header = row.header;
  const bool is_ready = job.state == core::JobState::kReady;
  if (header.state != job.state || header.queue != job.queue->index ||
      header.type != job.type->index || (is_ready && header.ready_seq != job.ready_seq)) {
    return base::fail(base::ErrorCode::kCorrupt, "tables.db: table job, id {}: job {}: an old row",
                      job.id.value, core::job_id_text(job.id));
  }
  core::JobPut put;
  put.why = core::JobPut::Why::kImage;
  put.job.id = job.id;
  put.job.state = job.state;
  put.job.priority = job.priority;
  if (is_ready) put.job.set_ready_seq(job.ready_seq);
  put.job.record = TRY(store::decode_row(row));
  put.queue = job.queue->name;
  put.type = job.type->name;
  return put;
}

base::Status put_absent(const core::State& state, store::TablesReader& tables, Digest& digest,
                        const UnreadVisitor& unread) {
  constexpr size_t kIdsAtOnce = 4096;
  std::vector<core::JobId> ids;
  state.jobs().for_each([&](const core::Job& job) {
    if (!job.record) ids.push_back(job.id);
  });
  std::ranges::sort(ids);
  const auto take = [&](core::JobId id, const base::Result<store::JobRow>& row) -> base::Status {
    auto put = row ? job_of(*state.find(id), *row) : tl::unexpected(row.error());
    if (!put) {
      unread(id, put.error());
      return {};
    }
    digest.put(*std::move(put));
    return {};
  };
  for (size_t at = 0; at < ids.size(); at += kIdsAtOnce) {
    TRY(tables.read(std::span(ids).subspan(at, std::min(kIdsAtOnce, ids.size() - at)), take));
  }
  return {};
}

}  // namespace

base::Result<uint64_t> digest_of(const core::State& state, store::TablesReader* tables,
                                 const UnreadVisitor& unread) {
  Digest digest(state);
  Images images;
  images.begin(state, 1);
  while (!images.slice(state, digest)) {
  }
  if (tables != nullptr) TRY(put_absent(state, *tables, digest, unread));
  return digest.sum();
}

}  // namespace repair
