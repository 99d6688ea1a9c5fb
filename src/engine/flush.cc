#include "engine/flush.h"

#include <algorithm>

#include "base/assert.h"
#include "store/job_codec.h"

namespace engine {
namespace {

// Jobs may be large, so a slice also ends after so many bytes, which are looked at now and then.
constexpr size_t kLookJobs = 64;
constexpr size_t kSliceBytes = size_t{512} << 10;
constexpr size_t kSliceItems = 4'096;

}  // namespace

std::string side_key(char kind, uint64_t number) {
  std::string key(1, kind);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}

std::string side_key(char kind, std::string_view name) {
  return std::string(1, kind).append(name);
}

std::string field_key(std::string_view name, std::string_view field) {
  ASSERT(name.size() <= core::limits::kKeyNameBytesMax, "a name of {} bytes", name.size());
  std::string key(1, 'h');
  key.push_back(static_cast<char>(name.size() >> 8U));
  key.push_back(static_cast<char>(name.size()));
  return key.append(name).append(field);
}

void Flush::put_side(std::string_view key, const core::Effect& effect) {
  encoder_.begin(now_);
  encoder_.put(effect);
  set_->put_side(key, encoder_.take());
}

// A queue is one record, of what it is and of what it is set to.
void Flush::put_queue(const core::Queue& queue) {
  encoder_.begin(now_);
  encoder_.put(core::QueuePut{.name = queue.name,
                              .is_forgotten = queue.is_forgotten,
                              .paused = queue.paused,
                              .reason = queue.pause_reason,
                              .has_counters = true,
                              .counters = queue.counters,
                              .balance = queue.balance});
  if (queue.settings != core::QueueSettings{}) {
    encoder_.put(core::QueueSettingsPut{.name = queue.name, .settings = queue.settings});
  }
  set_->put_side(side_key('q', queue.index), encoder_.take());
}

// The pauses of a type are one record.
void Flush::put_type_pauses(const core::TypeName& type) {
  encoder_.begin(now_);
  if (type.paused) {
    encoder_.put(
        core::TypePausePut{.type = type.name, .paused = true, .reason = type.pause_reason});
  }
  for (const core::TypeName::Pause& pause : type.paused_in) {
    encoder_.put(core::TypePausePut{
        .type = type.name, .queue = pause.queue->name, .paused = true, .reason = pause.reason});
  }
  const std::string key = side_key('u', type.index);
  encoder_.empty() ? set_->erase_side(key) : set_->put_side(key, encoder_.take());
}

void Flush::take_keys(core::Keys& keys) {
  for (const std::string& name : keys.take_changed()) {
    const core::Keys::Entry* entry = keys.entry(name);
    const std::string key = side_key('k', name);
    if (entry != nullptr && !entry->hash) {
      put_side(key, core::KeyPut{name, entry->value, entry->expiry});
    } else if (entry != nullptr && entry->expiry.is_set()) {
      put_side(key, core::KeyExpiryPut{name, entry->expiry});
    } else {
      set_->erase_side(key);  // Its fields are all that there is of a hash without an end.
    }
  }
  for (const auto& [name, field] : keys.take_changed_fields()) {
    const core::Keys::Entry* entry = keys.entry(name);
    const std::string key = field_key(name, field);
    const std::string* value = entry == nullptr ? nullptr : entry->field(field);
    if (value != nullptr) {
      put_side(key, core::HashFieldPut{name, field, *value});
    } else {
      set_->erase_side(key);
    }
  }
}

void Flush::begin(core::State& state, base::Now now) {
  ASSERT(!running_);
  running_ = true;
  now_ = now;
  set_ = std::make_unique<store::ChangeSet>();
  take_side(state);
  const auto take = [this](const core::Job& job) { take_job(job); };
  for (const core::JobId id : state.residency().freeze(take)) set_->erase(id);
}

// What is small, or cannot wait since it may change: all but jobs, tokens and the ledger.
void Flush::take_side(core::State& state) {
  put_side(side_key('n', uint64_t{0}), state.image());
  for (; types_written_ < state.types().size(); ++types_written_) {
    set_->put_side(side_key('t', types_written_), state.types()[types_written_]->name);
  }
  for (const core::Queue* queue : state.take_changed_queues()) put_queue(*queue);
  for (const core::TypeName* type : state.type_pauses().take_changed()) put_type_pauses(*type);
  core::Producers::Changes producers = state.producers().take_changes();
  for (const std::string& name : producers.gone) set_->erase_side(side_key('p', name));
  for (core::ProducerPut& put : producers.put) {
    const std::string key = side_key('p', put.name);
    put_side(key, std::move(put));
  }
  take_keys(state.keys());
  for (const uint64_t number : state.operations().take_changed()) {
    const core::Operation* operation = state.operations().find(number);
    const std::string key = side_key('o', number);
    if (operation == nullptr) {
      set_->erase_side(key);
    } else {
      put_side(key, core::OperationPut{*operation});
    }
  }
  tokens_ = state.requests().take_changes();
  tokens_taken_ = 0;
  for (const std::string& token : tokens_.gone) set_->erase_side(side_key('r', token));
  ledger_ = state.ledger().take_added();
  ledger_taken_ = 0;
  // What lasts long does not keep what is soon over.
  const base::EngineTime soon = now_.engine + base::Duration{2 * core::limits::kLedgerMs};
  const auto lasting = std::ranges::stable_partition(
      ledger_, [&](const core::LedgerEntry& entry) { return entry.until <= soon; });
  ledger_soon_ = ledger_.size() - lasting.size();
  std::erase_if(chunks_, [&](const auto& chunk) {
    if (chunk.second > now_.engine) return false;
    set_->erase_side(side_key('l', chunk.first));
    return true;
  });
}

void Flush::take_job(const core::Job& job) {
  store::JobHeader header;
  header.id = job.id;
  header.state = job.state;
  header.priority = job.priority;
  header.in_lane = job.state == core::JobState::kReady && !job.is_suspect && !job.is_keyed &&
                   job.timer_place == 0;
  header.queue = job.queue->index;
  header.type = job.type->index;
  header.ready_seq = job.ready_seq;
  record_.clear();
  store::ByteWriter out(record_);
  store::encode_record(out, job);
  set_->put(header, record_, job.record->args);
}

// Returns whether there is nothing left of tokens and ledger.
bool Flush::take_ledger() {
  if (tokens_taken_ < tokens_.put.size()) {
    const size_t end = std::min(tokens_taken_ + kSliceItems, tokens_.put.size());
    for (; tokens_taken_ < end; ++tokens_taken_) {
      const core::RequestTokens::Put& put = tokens_.put[tokens_taken_];
      put_side(side_key('r', put.token), core::PushSeen{.id = put.answer.id,
                                                        .created = put.answer.created,
                                                        .request = put.token,
                                                        .until = put.until});
    }
    return false;
  }
  if (ledger_taken_ == ledger_.size()) return true;
  const size_t part = ledger_taken_ < ledger_soon_ ? ledger_soon_ : ledger_.size();
  const size_t end = std::min(ledger_taken_ + kSliceItems, part);
  core::LedgerPut chunk;
  base::EngineTime until;
  for (; ledger_taken_ < end; ++ledger_taken_) {
    const core::LedgerEntry& entry = ledger_[ledger_taken_];
    until = std::max(until, entry.until);
    chunk.entries.push_back(entry);
  }
  put_side(side_key('l', chunk_next_), std::move(chunk));
  restore_chunk(chunk_next_, until);
  return false;
}

void Flush::restore_chunk(uint64_t number, base::EngineTime until) {
  chunks_.emplace_back(number, until);
  chunk_next_ = std::max(chunk_next_, number + 1);
}

std::unique_ptr<store::ChangeSet> Flush::slice(core::State& state, size_t jobs_most) {
  ASSERT(taking() && jobs_most > 0);
  const size_t start = set_->bytes();
  size_t jobs = 0;
  while (jobs < jobs_most && set_->bytes() - start < kSliceBytes) {
    const size_t some = std::min(kLookJobs, jobs_most - jobs);
    jobs += some;
    if (!state.residency().take_some(some)) continue;
    if (!take_ledger()) return nullptr;
    tokens_ = {};
    ledger_ = {};
    return std::move(set_);
  }
  return nullptr;
}

void Flush::done(core::State& state, uint64_t memory_max) {
  ASSERT(running_ && !taking());
  running_ = false;
  state.residency().flush_done(memory_max);
}

}  // namespace engine
