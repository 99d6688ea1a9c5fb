// What State keeps while a group of effects may still be taken back (EXEC): the jobs, counters and
// numbers as they were before.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/state.h"

namespace core {

struct State::Saved {
  JobId id;
  // As it was, but for its places in the indexes. Its record is null if the group made the job.
  std::unique_ptr<JobRecord> record;
  Queue* queue = nullptr;
  TypeName* type = nullptr;
  uint64_t ready_seq = 0;
  JobState state = JobState::kReady;
  uint8_t priority = 0;
};

struct State::SavedProducer {
  std::string name;
  uint64_t seq = 0;
  base::EngineTime used;  // Before.
};

struct State::Group {
  uint64_t sequence_next = 0;
  uint64_t ready_seq_next = 0;
  size_t queues_made = 0;
  std::vector<Queue*> remembered;  // Queues that had been deleted.
  std::vector<Saved> jobs;         // In order of the first touch.
  std::unordered_set<uint64_t> touched;
  std::unordered_map<Queue*, QueueCounters> counters;
  std::vector<std::string> requests;
  std::vector<SavedProducer> producers;
};

}  // namespace core
