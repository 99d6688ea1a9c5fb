#include "model/puppet.h"

#include "model/step.h"

namespace model {

Puppet::Puppet(Now start, uint64_t seed, int64_t keys_bytes_max) : random_(seed * 2 + 1) {
  world_.now = start;
  world_.keys_bytes_max = keys_bytes_max;
}

Puppet::Seen Puppet::perform(const Op& op, Now now) {
  world_.granted.clear();
  Step step(world_, op.conn);
  step.observe_clocks(now);
  Seen seen;
  seen.reply = step.apply(op, nullptr);
  settle_times(seen.reply);
  finish_reply(seen.reply);
  seen.answers = step.serve_waiters(nullptr, std::holds_alternative<Advance>(op.verb));
  for (WaiterAnswer& answer : seen.answers) finish_reply(answer.reply);
  return seen;
}

Snapshot Puppet::snapshot() const {
  Snapshot snapshot;
  for (const auto& [id, job] : world_.jobs) snapshot.jobs.push_back(job.view);
  for (const auto& [name, queue] : world_.queues) {
    snapshot.queues.push_back(queue_view(world_, name));
  }
  for (const auto& [name, key] : world_.stored) {
    if (!is_over(world_, key)) snapshot.keys.push_back(key_view(name, key));
  }
  snapshot.type_pauses.emplace();
  for (const auto& [name, reason] : world_.type_pauses) {
    snapshot.type_pauses->push_back(TypePauseView{name.first, name.second, reason});
  }
  snapshot.workers = worker_views(world_);
  return snapshot;
}

int64_t Puppet::choose(const Range& range) {
  random_ = random_ * 6364136223846793005U + 1442695040888963407U;
  const auto width = static_cast<uint64_t>(range.high - range.low + 1);
  return range.low + static_cast<int64_t>((random_ >> 33) % width);
}

// Draws the times that the model left open. A FAIL whose answer told the lower end keeps it.
void Puppet::settle_times(Reply& reply) {
  for (auto& [id, job] : world_.jobs) {
    if (job.deadline_range) job.view.lease->deadline_engine_ms = choose(*job.deadline_range);
    const bool told = reply.kind == Reply::Kind::kFailed || reply.kind == Reply::Kind::kArray;
    if (job.run_at_range && !told) job.view.run_at.ms = choose(*job.run_at_range);
    job.run_at_range.reset();
    job.deadline_range.reset();
  }
}

// Makes of the model's expectation what a server would show.
void Puppet::finish_reply(Reply& reply) const {
  for (JobView& job : reply.job) {
    if (job.lease) job.lease->token.clear();
  }
  for (QueueView& queue : reply.queue) queue = queue_view(world_, queue.name);
  const size_t either = reply.code.find('|');
  if (either != std::string::npos) reply.code.resize(either);
  const size_t either_inner = reply.inner_code.find('|');
  if (either_inner != std::string::npos) reply.inner_code.resize(either_inner);
  for (Reply& item : reply.items) finish_reply(item);
}

}  // namespace model
