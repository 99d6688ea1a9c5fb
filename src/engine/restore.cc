#include "engine/restore.h"

#include "store/job_codec.h"

namespace engine {
namespace {

using base::ErrorCode;

class Restorer {
 public:
  Restorer(store::TablesReader& reader, core::State& state, Flush& flush)
      : reader_(reader), state_(state), flush_(flush) {}

  base::Result<Restored> run() {
    TRY(reader_.scan_side([&](std::string_view key, std::string_view value) {
      return base::with_context(side(key, value), fmt::format("side record '{}'", key));
    }));
    TRY(reader_.scan_rest(
        [&](core::JobId id, const base::Result<store::JobRow>& row) { return rest(id, row); }));
    TRY(running());
    base::Status fits;
    TRY(reader_.scan_lanes([&](const store::JobHeader& header) {
      base::Result<core::Job> job = job_of(header);
      if (job) job = not_twice(*std::move(job));
      if (job) {
        state_.restore(*std::move(job));
      } else if (fits) {
        fits = tl::unexpected(job.error());
      }
    }));
    TRY(std::move(fits));
    state_.end_restore();
    return restored_;
  }

 private:
  base::Status side(std::string_view key, std::string_view value) {
    if (key.empty()) return base::fail(ErrorCode::kCorrupt, "it has no key");
    if (key[0] == 't') {
      state_.restore_type(value);
      return {};
    }
    const bool is_ledger = key[0] == 'l';
    const bool is_newest = key[0] == 'n';  // The one that every flush writes.
    return store::decode_effects(value, [&](core::Effect&& effect, base::Now now) {
      if (is_newest) restored_.now = now;
      if (is_ledger) note_chunk(key, std::get_if<core::LedgerPut>(&effect));
      return state_.enact(std::move(effect), now);
    });
  }

  void note_chunk(std::string_view key, const core::LedgerPut* put) {
    if (put == nullptr) return;
    uint64_t number = 0;
    for (const char c : key.substr(1)) number = (number << 8) | static_cast<uint8_t>(c);
    base::EngineTime until;
    for (const core::LedgerEntry& entry : put->entries) until = std::max(until, entry.until);
    flush_.restore_chunk(number, until);
  }

  base::Result<core::Job> job_of(const store::JobHeader& header) const {
    if (header.queue >= state_.queues().size() || header.type >= state_.types().size()) {
      return base::fail(ErrorCode::kCorrupt, "job {}: there is no queue {} or no type {}",
                        core::job_id_text(header.id), header.queue, header.type);
    }
    core::Job job;
    job.id = header.id;
    job.state = header.state;
    job.priority = header.priority & core::kPriorityMask;
    job.set_ready_seq(header.ready_seq);
    job.queue = state_.queues()[header.queue].get();
    job.type = state_.types()[header.type].get();
    return job;
  }

  // A damaged index names one job twice, or one that is in a lane, instead of another.
  base::Result<core::Job> not_twice(core::Job job) const {
    if (state_.find(job.id) == nullptr && state_.damage_of(job.id) == nullptr) return job;
    return base::fail(ErrorCode::kCorrupt,
                      "tables.db: index job_rest: job {} stands there, and elsewhere too",
                      core::job_id_text(job.id));
  }

  base::Status rest(core::JobId id, const base::Result<store::JobRow>& row) {
    if (row && row->header.state == core::JobState::kRunning) {
      running_.push_back(id);  // Its args are needed with it.
      return {};
    }
    return with_record(id, row);
  }

  base::Status with_record(core::JobId id, const base::Result<store::JobRow>& row) {
    if (!row) return damaged(id, row.error());
    core::Job job = TRY(not_twice(TRY(job_of(row->header))));
    base::Result<std::unique_ptr<core::JobRecord>> record = store::decode_row(*row);
    if (!record) return damaged(id, record.error());
    job.record = *std::move(record);
    state_.restore(std::move(job));
    return {};
  }

  base::Status running() {
    return reader_.read(running_, [&](core::JobId id, const base::Result<store::JobRow>& row) {
      return with_record(id, row);
    });
  }

  // Nothing of the row can be trusted, its queue and state as little as the rest.
  base::Status damaged(core::JobId id, const base::Error& error) {
    core::Job job;
    job.id = id;
    TRY(not_twice(std::move(job)));
    ++restored_.damaged_rows;
    state_.set_aside(id, error);
    return {};
  }

  store::TablesReader& reader_;
  core::State& state_;
  Flush& flush_;
  Restored restored_;
  std::vector<core::JobId> running_;
};

}  // namespace

base::Result<Restored> restore(store::TablesReader& reader, core::State& state, Flush& flush) {
  return Restorer(reader, state, flush).run();
}

base::Status tables_fit(uint64_t applied_seq, uint64_t journal_first_seq,
                        uint64_t journal_last_seq) {
  if (journal_first_seq > applied_seq + 1 && applied_seq != 0) {
    return base::fail(ErrorCode::kCorrupt,
                      "tables.db is older than the journal: the tables end with frame {}, the "
                      "journal begins with {}",
                      applied_seq, journal_first_seq);
  }
  if (journal_last_seq < applied_seq) {
    return base::fail(ErrorCode::kCorrupt,
                      "the journal is older than tables.db: it ends with frame {}, the tables "
                      "have {}",
                      journal_last_seq, applied_seq);
  }
  return {};
}

}  // namespace engine
