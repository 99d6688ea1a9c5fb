// Writes all that a state holds in memory as effects, a slice at a time: the content of a new
// journal, or what two states are compared by. Jobs whose records are not in memory are left out.
// (Until the tables came, the server's own journal was kept short
// so.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/effect.h"
#include "core/state.h"

namespace repair {

class Images {
 public:
  bool running() const { return stage_ != Stage::kNone; }

  // `begin_seq`: the least sequence that effects put from now on can get.
  void begin(const core::State& state, uint64_t begin_seq);

  // Writes the next slice. Returns `begin_seq` when it was the last one: once that is durable, the
  // frames before it are needed no longer.
  std::optional<uint64_t> slice(const core::State& state, core::EffectSink& sink);

 private:
  enum class Stage : uint8_t { kNone, kJobs, kRequests, kProducers, kLedger, kKeys, kRest };

  void put_jobs(const core::State& state, core::EffectSink& sink);
  // Both walk the buckets of a hash table, and begin anew when it has grown meanwhile.
  void put_requests(const core::State& state, core::EffectSink& sink);
  void put_producers(const core::State& state, core::EffectSink& sink);
  void put_ledger(const core::State& state, core::EffectSink& sink);
  void put_keys(const core::State& state, core::EffectSink& sink);
  void put_rest(const core::State& state, core::EffectSink& sink);

  Stage stage_ = Stage::kNone;
  uint64_t begin_seq_ = 0;
  core::JobId jobs_next_;        // The first one not written yet.
  core::JobId jobs_end_;         // Jobs from here on were made while it runs.
  std::vector<uint64_t> pages_;  // Of the job table, still to be written; the next one last.
  size_t bucket_ = 0;
  size_t bucket_count_ = 0;
  uint64_t block_ = 0;  // Of the ledger; the next one to be written.
  uint64_t key_ = 0;    // The place of the next key to be written.
};

}  // namespace repair
