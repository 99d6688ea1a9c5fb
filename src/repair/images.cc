#include "repair/images.h"

#include <algorithm>

#include "base/assert.h"

namespace repair {
namespace {

// Items of one slice: a turn must stay short. Jobs may be large, so bytes count as well.
constexpr size_t kSliceBytes = size_t{512} << 10;
constexpr size_t kSliceBuckets = 2'000;
constexpr size_t kSliceProducers = 50;
constexpr size_t kSliceKeys = 2'000;

}  // namespace

void Images::begin(const core::State& state, uint64_t begin_seq) {
  ASSERT(!running());
  begin_seq_ = begin_seq;
  jobs_next_ = {};
  jobs_end_ = state.id_next();
  pages_ = state.jobs().page_numbers();
  std::ranges::reverse(pages_);
  stage_ = Stage::kJobs;
}

void Images::put_jobs(const core::State& state, core::EffectSink& sink) {
  const size_t start = sink.mark();
  const auto full = [&] { return sink.mark() - start >= kSliceBytes; };
  while (!pages_.empty() && !full()) {
    // A job may be megabytes: the slice ends inside the page when it is full.
    bool cut = false;
    state.jobs().for_each_in_page(pages_.back(), [&](const core::Job& job) {
      if (job.id < jobs_next_ || job.id >= jobs_end_ || !job.record) return;
      cut = cut || full();
      if (cut) return;
      jobs_next_ = core::JobId{job.id.value + 1};
      core::JobPut put;
      put.why = core::JobPut::Why::kImage;
      put.job.id = job.id;
      put.job.state = job.state;
      put.job.priority = job.priority;
      // Of others it is no part of what they are.
      if (job.state == core::JobState::kReady) put.job.set_ready_seq(job.ready_seq);
      put.job.record = core::clone_record(*job.record);
      put.queue = job.queue->name;
      put.type = job.type->name;
      sink.put(std::move(put));
    });
    if (!cut) pages_.pop_back();
  }
  if (pages_.empty()) stage_ = Stage::kRequests;
}

void Images::put_requests(const core::State& state, core::EffectSink& sink) {
  const core::RequestTokens& requests = state.requests();
  if (bucket_count_ != requests.bucket_count()) bucket_ = 0;
  bucket_count_ = requests.bucket_count();
  const size_t end = std::min(bucket_ + kSliceBuckets, bucket_count_);
  requests.for_each_in(bucket_, end, [&](const core::PushSeen& seen) { sink.put(seen); });
  bucket_ = end;
  if (bucket_ < bucket_count_) return;
  bucket_ = bucket_count_ = 0;
  stage_ = Stage::kProducers;
}

void Images::put_producers(const core::State& state, core::EffectSink& sink) {
  const core::Producers& producers = state.producers();
  if (bucket_count_ != producers.bucket_count()) bucket_ = 0;
  bucket_count_ = producers.bucket_count();
  const size_t end = std::min(bucket_ + kSliceProducers, bucket_count_);
  producers.for_each_in(bucket_, end, [&](const core::ProducerPut& put) { sink.put(put); });
  bucket_ = end;
  if (bucket_ < bucket_count_) return;
  bucket_ = bucket_count_ = 0;
  block_ = 0;
  stage_ = Stage::kLedger;
}

void Images::put_ledger(const core::State& state, core::EffectSink& sink) {
  const core::Ledger& ledger = state.ledger();
  const std::optional<uint64_t> block = ledger.block_from(block_);
  if (!block) {
    key_ = 0;
    stage_ = Stage::kKeys;
    return;
  }
  sink.put(ledger.image_of(*block));
  block_ = *block + 1;
}

namespace {

void put_key(std::string_view name, const core::Keys::Entry& entry, core::EffectSink& sink) {
  if (!entry.hash) return sink.put(core::KeyPut{name, entry.value, entry.expiry});
  for (const auto& [field, value] : entry.hash->fields) {
    sink.put(core::HashFieldPut{name, field, value});
  }
  if (entry.expiry.is_set()) sink.put(core::KeyExpiryPut{name, entry.expiry});
}

void put_type_pauses(const core::TypeName& type, core::EffectSink& sink) {
  if (type.paused) {
    sink.put(core::TypePausePut{.type = type.name, .paused = true, .reason = type.pause_reason});
  }
  for (const core::TypeName::Pause& pause : type.paused_in) {
    sink.put(core::TypePausePut{
        .type = type.name, .queue = pause.queue->name, .paused = true, .reason = pause.reason});
  }
}

}  // namespace

// Those whose time is over as well: until they are removed they are part of the state.
void Images::put_keys(const core::State& state, core::EffectSink& sink) {
  const size_t start = sink.mark();
  size_t count = 0;
  key_ = state.keys().walk(key_, [&](std::string_view name, const core::Keys::Entry& entry) {
    put_key(name, entry, sink);
    return ++count < kSliceKeys && sink.mark() - start < kSliceBytes;
  });
  if (key_ == 0) stage_ = Stage::kRest;
}

void Images::put_rest(const core::State& state, core::EffectSink& sink) {
  for (const auto& queue : state.queues()) {
    sink.put(core::QueuePut{.name = queue->name,
                            .is_forgotten = queue->is_forgotten,
                            .paused = queue->paused,
                            .reason = queue->pause_reason,
                            .has_counters = true,
                            .counters = queue->counters,
                            .balance = queue->balance});
    if (queue->settings != core::QueueSettings{}) {
      sink.put(core::QueueSettingsPut{.name = queue->name, .settings = queue->settings});
    }
  }
  for (const auto& type : state.types()) put_type_pauses(*type, sink);
  for (const auto& [number, operation] : state.operations().all()) {
    sink.put(core::OperationPut{operation});
  }
  sink.put(state.image());
  sink.put(core::CheckpointDone{begin_seq_});
  stage_ = Stage::kNone;
}

std::optional<uint64_t> Images::slice(const core::State& state, core::EffectSink& sink) {
  switch (stage_) {
    case Stage::kNone:
      return std::nullopt;
    case Stage::kJobs:
      put_jobs(state, sink);
      return std::nullopt;
    case Stage::kRequests:
      put_requests(state, sink);
      return std::nullopt;
    case Stage::kProducers:
      put_producers(state, sink);
      return std::nullopt;
    case Stage::kLedger:
      put_ledger(state, sink);
      return std::nullopt;
    case Stage::kKeys:
      put_keys(state, sink);
      return std::nullopt;
    case Stage::kRest:
      put_rest(state, sink);
      return begin_seq_;
  }
  return std::nullopt;
}

}  // namespace repair
