#include "repair/mender.h"

#include <type_traits>
#include <utility>
#include <variant>

namespace repair {
namespace {

using core::JobState;

// Ids that lost pushes may have been given are not given again.
constexpr uint64_t kIdsSkipped = 1'000'000;

// The job that an effect changes; nothing for one that is about no job, or brings its record.
std::optional<core::JobId> subject_of(const core::Effect& effect) {
  return std::visit(
      [](const auto& body) -> std::optional<core::JobId> {
        using Body = std::decay_t<decltype(body)>;
        if constexpr (std::is_same_v<Body, core::PushSeen>) return std::nullopt;
        if constexpr (requires { body.id; }) return body.id;
        return std::nullopt;
      },
      effect);
}

}  // namespace

void Mender::gap() {
  if (!lost_from_) lost_from_ = state_.id_next();
}

base::Status Mender::take(core::Effect&& effect, base::Now now) {
  if (const auto* seen = std::get_if<core::PushSeen>(&effect); seen && is_of_lost_push(*seen)) {
    ++left_out_;
    return {};
  }
  const auto id = subject_of(effect);
  if (id && state_.find(*id) == nullptr) {
    // Its record may still come, in a checkpoint; then this was nothing that is missed.
    if (std::holds_alternative<core::JobRemoved>(effect)) {
      waiting_.erase(id->value);
    } else {
      ++waiting_[id->value];
    }
    return {};
  }
  TRY(prepare(effect, now));
  return state_.enact(std::move(effect), now);
}

base::Status Mender::finish() {
  for (const auto& [id, effects] : waiting_) left_out_ += effects;
  if (lost_from_ || left_out_ > 0) {
    const core::StatePut numbers = state_.image();
    const core::StatePut skipped{numbers.sequence_next + kIdsSkipped, numbers.ready_seq_next};
    TRY(state_.enact(core::Effect(skipped), {}));
  }
  return state_.end_recovery();
}

// The answer to a push that comes again must not name a job that is not there.
bool Mender::is_of_lost_push(const core::PushSeen& seen) const {
  return lost_from_ && seen.id >= *lost_from_ && state_.find(seen.id) == nullptr;
}

base::Status Mender::prepare(core::Effect& effect, base::Now now) {
  if (const auto* put = std::get_if<core::JobPut>(&effect)) return prepare_put(*put, now);
  const auto id = subject_of(effect);
  if (!id || std::holds_alternative<core::JobRemoved>(effect)) return {};
  const core::Job& job = *state_.find(*id);
  if (const auto* moved = std::get_if<core::JobMoved>(&effect)) {
    TRY(to_not_running(job, now));
    return moved->new_generation ? base::Status() : to_unfinished(job, now);
  }
  if (std::holds_alternative<core::JobGranted>(effect) ||
      std::holds_alternative<core::JobEdited>(effect)) {
    TRY(to_not_running(job, now));
    return to_unfinished(job, now);
  }
  return to_running(job, now);  // Ended, ungranted, progressed, logged, to be cancelled.
}

base::Status Mender::prepare_put(const core::JobPut& put, base::Now now) {
  waiting_.erase(put.job.id.value);
  if (!put.job.record->has_key()) return {};
  // A key names one job: who has it still must have gone before.
  const core::Job* holder = state_.find_key(put.job.record->extras->key);
  if (holder == nullptr || holder->id == put.job.id) return {};
  return supply(core::JobRemoved{holder->id, false}, now);
}

base::Status Mender::to_unfinished(const core::Job& job, base::Now now) {
  if (!core::is_finished(job.state)) return {};
  return supply(core::JobMoved{job.id, JobState::kReady, state_.ready_seq_next(), true}, now);
}

base::Status Mender::to_running(const core::Job& job, base::Now now) {
  if (job.state == JobState::kRunning) return {};
  TRY(to_unfinished(job, now));
  core::JobGranted granted{.id = job.id};
  random_.fill(std::as_writable_bytes(std::span(granted.secret)));
  return supply(std::move(granted), now);
}

// How the attempt ended is not known: it costs nothing.
base::Status Mender::to_not_running(const core::Job& job, base::Now now) {
  if (job.state != JobState::kRunning) return {};
  core::JobEnded ended;
  ended.id = job.id;
  ended.outcome = core::Outcome::kReleased;
  ended.after = JobState::kReady;
  ended.ready_seq = job.ready_seq;
  return supply(std::move(ended), now);
}

base::Status Mender::supply(core::Effect&& effect, base::Now now) {
  ++supplied_;
  return state_.enact(std::move(effect), now);
}

}  // namespace repair
