// A flush: brings what has changed since the last one into the tables, so that the journal before
// it can go. It takes the state of one moment, between two turns, a slice a turn; then another
// thread applies it.
//
// What is no job lies in side records, each of which is effects, as the journal has them, that make
// it what it was. A start reads them in the order of their keys: a queue and the names of types
// come before the types' pauses, the fields of a hash before its end.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/state.h"
#include "store/change_set.h"
#include "store/effect_codec.h"

namespace engine {

// Threading: one thread at a time, the one that runs a turn.
class Flush {
 public:
  // Of one slice, so that a turn stays short.
  static constexpr size_t kSliceJobsMost = 2'048;

  // Whether `begin` was called, and `done` not yet.
  bool running() const { return running_; }
  // Whether there is something left to take.
  bool taking() const { return set_ != nullptr; }

  // Freezes the state. `now`: of the last effects in it.
  void begin(core::State& state, base::Now now);
  // Takes a slice of at most that many jobs. Returns the whole when it was the last one.
  std::unique_ptr<store::ChangeSet> slice(core::State& state, size_t jobs_most);
  // The tables have it. Records leave memory down to `memory_max`.
  void done(core::State& state, uint64_t memory_max);

  // At recovery: a side record of the ledger.
  void restore_chunk(uint64_t number, base::EngineTime until);

 private:
  void put_side(std::string_view key, const core::Effect& effect);
  void put_queue(const core::Queue& queue);
  void put_type_pauses(const core::TypeName& type);
  void take_keys(core::Keys& keys);
  void take_side(core::State& state);
  bool take_ledger();
  void take_job(const core::Job& job);

  bool running_ = false;
  base::Now now_;
  std::unique_ptr<store::ChangeSet> set_;
  store::EffectEncoder encoder_;
  std::string record_;  // Of one job; kept for its room.
  size_t types_written_ = 0;
  core::RequestTokens::Changes tokens_;
  size_t tokens_taken_ = 0;
  std::vector<core::LedgerEntry> ledger_;
  size_t ledger_taken_ = 0;
  size_t ledger_soon_ = 0;  // The first so many are over soon.
  // Side records of the ledger, oldest first, with the time after which each can go.
  std::deque<std::pair<uint64_t, base::EngineTime>> chunks_;
  uint64_t chunk_next_ = 1;
};

// Keys of side records: a letter, then a number in big-endian or a name.
std::string side_key(char kind, uint64_t number);
std::string side_key(char kind, std::string_view name);
// Of the field of a hash: the letter, the length of the key's name, name and field.
std::string field_key(std::string_view name, std::string_view field);

}  // namespace engine
