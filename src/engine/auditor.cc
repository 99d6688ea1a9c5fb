#include "engine/auditor.h"

#include "base/log.h"

namespace engine {

void Auditor::start(const core::State& state, base::EngineTime now) {
  next_ = now + every_;
  unaccounted_ = core::unaccounted_jobs(state);
  counters_.unaccounted.store(unaccounted_, std::memory_order_relaxed);
  if (unaccounted_ == 0) return;
  LOG(kWarning, "jobs are not accounted for; damaged jobs that were deleted count here",
      {"jobs", unaccounted_});
}

bool Auditor::step(core::State& state, base::EngineTime now) {
  core::Audit& audit = state.audit();
  const bool begins = !audit.running() && now >= next_;
  if (begins) audit.begin(state);
  if (!audit.running()) return false;
  next_ = now;
  if (audit.step(state, kPlacesPerTurn)) {
    report(state);
    next_ = now + every_;
  }
  return begins;
}

void Auditor::report(const core::State& state) {
  const core::AuditReport& found = state.audit().report();
  uint64_t findings = found.findings;
  for (const std::string& text : found.texts) LOG(kError, "audit", {"finding", text});
  const int64_t unaccounted = core::unaccounted_jobs(state);
  counters_.unaccounted.store(unaccounted, std::memory_order_relaxed);
  if (unaccounted != unaccounted_) {
    ++findings;
    LOG(kError, "audit: jobs are not accounted for", {"before", unaccounted_},
        {"now", unaccounted});
  }
  counters_.findings.store(findings, std::memory_order_relaxed);
  counters_.audits.fetch_add(1, std::memory_order_release);
  LOG(kInfo, "audit done", {"jobs", found.jobs}, {"findings", findings});
}

}  // namespace engine
