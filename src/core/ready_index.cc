#include "core/ready_index.h"

#include <algorithm>
#include <bit>
#include <functional>

#include "base/assert.h"
#include "core/queue.h"

namespace core {
namespace {

// Of two jobs, either null, the one that became ready first.
Job* earlier(Job* a, Job* b) {
  if (a == nullptr) return b;
  if (b == nullptr) return a;
  return a->ready_seq < b->ready_seq ? a : b;
}

}  // namespace

ReadyIndex::Ring* ReadyIndex::find(Level& level, const TypeName* type) {
  for (Ring& ring : level.rings) {
    if (ring.type == type) return &ring;
  }
  return nullptr;
}

void ReadyIndex::insert(Job& job) {
  Level& level = levels_[job.priority];
  Ring* ring = find(level, job.type);
  if (ring == nullptr) {
    level.rings.push_back(Ring{.type = job.type});
    ring = &level.rings.back();
  }
  if (!job.record) {
    ++ring->absent;
    ring->seen_all = false;
  }
  (job.is_suspect ? ring->suspects : ring->plain).insert_by_ready_seq(job);
  ++level.count;
  priorities_ |= 1U << job.priority;
}

void ReadyIndex::remove(Job& job) {
  Level& level = levels_[job.priority];
  Ring* ring = find(level, job.type);
  ASSERT(ring != nullptr && level.count > 0, "job {} is not ready here", job.id.value);
  (job.is_suspect ? ring->suspects : ring->plain).remove(job);
  if (!job.record) --ring->absent;
  if (ring->seen > 0) --ring->seen;
  --level.count;
  if (level.count == 0) priorities_ &= ~(1U << job.priority);
  if (level.rings.size() > 1 && ring->plain.empty() && ring->suspects.empty()) {
    *ring = level.rings.back();  // A type that is not used now costs no look.
    level.rings.pop_back();
  }
}

Job* ReadyIndex::first_of(const Level& level, const Wanted& wanted) const {
  Job* best = nullptr;
  for (const Ring& ring : level.rings) {
    const auto& types = wanted.types;
    const bool is_wanted =
        types.empty() || std::ranges::binary_search(types, ring.type, std::less<>());
    if (!is_wanted) continue;
    if (holds(*ring.type)) continue;
    best = earlier(best, ring.plain.front());
    if (wanted.alone) best = earlier(best, ring.suspects.front());
  }
  return best;
}

Job* ReadyIndex::first(const Wanted& wanted) const {
  uint32_t left = priorities_;
  while (left != 0) {
    const int priority = static_cast<int>(std::bit_width(left)) - 1;
    left &= ~(1U << priority);
    if (Job* best = first_of(levels_[static_cast<size_t>(priority)], wanted)) return best;
  }
  return nullptr;
}

// Among jobs of one priority the order is that of becoming ready, so the first of each is enough.
Job* ReadyIndex::first_aged(const Wanted& wanted, base::Duration step, base::EngineTime now) const {
  Job* best = nullptr;
  int64_t best_priority = 0;
  for (const Level& level : levels_) {
    Job* job = level.count == 0 ? nullptr : first_of(level, wanted);
    if (job == nullptr) continue;
    if (!job->record) return job;
    const int64_t grown = (now - job->record->ready_at) / step;
    const int64_t priority = std::min<int64_t>(job->priority + grown, limits::kPriorityMax);
    if (best == nullptr || priority > best_priority) {
      best = job;
      best_priority = priority;
    } else if (priority == best_priority) {
      best = earlier(best, job);
    }
  }
  return best;
}

void ReadyIndex::hold(const TypeName& type) {
  const auto place = std::ranges::lower_bound(held_, &type, std::less<>());
  if (place == held_.end() || *place != &type) held_.insert(place, &type);
}

void ReadyIndex::let_go(const TypeName& type) {
  std::erase(held_, &type);
}

bool ReadyIndex::holds(const TypeName& type) const {
  return type.paused || (!held_.empty() && std::ranges::binary_search(held_, &type, std::less<>()));
}

Job* ReadyIndex::oldest() const {
  Job* best = nullptr;
  for (const Level& level : levels_) {
    for (const Ring& ring : level.rings) {
      best = earlier(best, ring.plain.front());
      best = earlier(best, ring.suspects.front());
    }
  }
  return best;
}

void ReadyIndex::note_absent(const Job& job) {
  Ring* ring = find(levels_[job.priority], job.type);
  ASSERT(ring != nullptr, "job {} is not ready here", job.id.value);
  ++ring->absent;
  ring->seen = 0;
  ring->seen_all = false;
}

void ReadyIndex::note_present(const Job& job) {
  Ring* ring = find(levels_[job.priority], job.type);
  ASSERT(ring != nullptr && ring->absent > 0, "job {} is not missed here", job.id.value);
  --ring->absent;
}

std::vector<const Job*> ReadyIndex::in_order() const {
  std::vector<const Job*> jobs;
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    std::vector<const Job*> heads;
    for (const Ring& ring : level->rings) {
      for (const Job* head : {ring.plain.front(), ring.suspects.front()}) {
        if (head != nullptr) heads.push_back(head);
      }
    }
    while (!heads.empty()) {
      const auto next = std::ranges::min_element(
          heads, {}, [](const Job* job) { return uint64_t{job->ready_seq}; });
      jobs.push_back(*next);
      *next = (*next)->link_next;
      if (*next == nullptr) heads.erase(next);
    }
  }
  return jobs;
}

}  // namespace core
