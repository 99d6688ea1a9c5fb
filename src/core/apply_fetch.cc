// JOB.FETCH: which job starts next, and its lease.
#include <algorithm>
#include <functional>

#include "base/base32.h"
#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

size_t WeightedTurns::next(const Fetch& fetch, const std::vector<bool>& eligible) {
  // Sets of weights that are remembered; beyond that all begin anew, which costs no promise.
  constexpr size_t kSetsMax = 1'024;
  std::string name;
  for (size_t i = 0; i < fetch.queues.size(); ++i) {
    name.append(fetch.queues[i]).append("=").append(std::to_string(fetch.weights[i])).append(" ");
  }
  if (credit_.size() >= kSetsMax && !credit_.contains(name)) credit_.clear();
  std::vector<int64_t>& credit = credit_[name];
  credit.resize(fetch.queues.size());
  // Smooth weighted round robin: each eligible queue earns its weight, the richest pays for all.
  int64_t total = 0;
  size_t richest = fetch.queues.size();
  for (size_t i = 0; i < eligible.size(); ++i) {
    if (!eligible[i]) continue;
    credit[i] += fetch.weights[i];
    total += fetch.weights[i];
    if (richest == eligible.size() || credit[i] > credit[richest]) richest = i;
  }
  ASSERT(richest < eligible.size(), "no queue is eligible");
  credit[richest] -= total;
  return richest;
}

namespace {

Status check_fetch(const Fetch& fetch) {
  constexpr auto kLabelMax = static_cast<int64_t>(limits::kNameBytesMax);
  constexpr auto kQueuesMax = static_cast<int64_t>(limits::kFetchQueuesMax);
  constexpr auto kTypesMax = static_cast<int64_t>(limits::kFetchTypesMax);
  constexpr Range kAny{0, std::numeric_limits<int64_t>::max()};
  TRY(check_range("worker", static_cast<int64_t>(fetch.worker.size()), {1, kLabelMax}));
  TRY(check_range("COUNT", fetch.count, {1, limits::kFetchCountMax}));
  TRY(check_range("HOLDING", fetch.holding, kAny));
  if (fetch.block_ms) TRY(check_range("BLOCK", *fetch.block_ms, kAny));
  TRY(check_range("QUEUES", static_cast<int64_t>(fetch.queues.size()), {1, kQueuesMax}));
  TRY(check_range("TYPES", static_cast<int64_t>(fetch.types.size()), {0, kTypesMax}));
  for (const std::string_view queue : fetch.queues) TRY(check_name("QUEUES", queue));
  for (const std::string_view type : fetch.types) TRY(check_name("TYPES", type));
  if (!fetch.weighted) return {};
  if (fetch.weights.size() != fetch.queues.size()) {
    return base::fail(ErrorCode::kBadReq, "field=WEIGHTS {} weights for {} queues",
                      fetch.weights.size(), fetch.queues.size());
  }
  for (const int64_t weight : fetch.weights) {
    TRY(check_range("WEIGHTS", weight, {1, limits::kWeightMax}));
  }
  return {};
}

bool takes_suspects(const Fetch& fetch) {
  return fetch.count == 1 && fetch.holding == 0;
}

void write_granted_meta(Reply& reply, const JobRecord& record) {
  reply.bulk("meta");
  if (!record.extras) return reply.map(0);
  reply.map(static_cast<uint32_t>(record.extras->meta.size()));
  for (const auto& [field, value] : record.extras->meta) {
    reply.bulk(field);
    reply.bulk(value);
  }
}

void write_lease(Reply& reply, const Job& job) {
  const JobRecord& record = *job.record;
  const auto number = [&](std::string_view field, int64_t value) {
    reply.bulk(field);
    reply.integer(value);
  };
  const auto text = [&](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
  };
  uint32_t pairs = 13;
  const size_t mark = reply.map_begin();
  text("id", base::base32_encode(job.id.value).view());
  text("token", lease_token_text(record.attempt_last.token));
  number("fence", record.fence);
  text("queue", job.queue->name);
  text("type", job.type->name);
  text("args", record.args);
  number("attempt", record.attempt);
  number("max_attempts", record.attempts_max);
  number("priority", job.priority);
  number("lease_ms", record.lease_ms);
  number("timeout_ms", record.timeout_ms);
  number("soft_timeout_ms", record.soft_timeout_ms);
  number("pushed_ms", record.pushed.ms);
  write_granted_meta(reply, record);
  ++pairs;
  if (record.has_key()) {
    text("key", record.extras->key);
    ++pairs;
  }
  if (record.extras && record.extras->has_progress) {
    text("progress", record.extras->progress);
    ++pairs;
  }
  reply.close(mark, pairs);
}

}  // namespace

FetchChoice::FetchChoice(const State& state, const Fetch& fetch) : fetch_(&fetch) {
  for (const std::string_view name : fetch.types) {
    if (const TypeName* type = state.find_type(name)) types_.push_back(type);
  }
  std::ranges::sort(types_, std::less<>());
  is_over_ = types_.empty() && !fetch.types.empty();
}

Job* FetchChoice::first_of(const Context& context, std::string_view queue_name) const {
  const Queue* queue = context.state.find_queue(queue_name);
  if (queue == nullptr || queue->paused || queue->ready.empty()) return nullptr;
  const ReadyIndex::Wanted wanted{types_, takes_suspects(*fetch_)};
  const std::optional<int64_t>& age_ms = queue->settings.of(QueueNumber::kAgeMs);
  if (!age_ms) return queue->ready.first(wanted);
  return queue->ready.first_aged(wanted, base::Duration{*age_ms}, context.now.engine);
}

Job* FetchChoice::next(Context& context) {
  if (is_over_) return nullptr;
  if (fetch_->weighted) return next_by_weight(context);
  for (; at_ < fetch_->queues.size(); ++at_) {
    if (Job* job = first_of(context, fetch_->queues[at_])) return job;
  }
  is_over_ = true;
  return nullptr;
}

Job* FetchChoice::next_by_weight(Context& context) {
  const bool is_new = firsts_.empty();
  firsts_.resize(fetch_->queues.size());
  std::vector<bool> eligible;
  for (size_t i = 0; i < firsts_.size(); ++i) {
    // Whoever got the first one meanwhile, nothing else has changed.
    const bool is_gone = firsts_[i] != nullptr && firsts_[i]->state != JobState::kReady;
    if (is_new || is_gone) firsts_[i] = first_of(context, fetch_->queues[i]);
    eligible.push_back(firsts_[i] != nullptr);
  }
  is_over_ = std::ranges::find(eligible, true) == eligible.end();
  return is_over_ ? nullptr : firsts_[context.turns.next(*fetch_, eligible)];
}

size_t open_leases(Answer& answer) {
  return answer.reply.array_begin();
}

void close_leases(Answer& answer, size_t mark) {
  answer.reply.close(mark, static_cast<uint32_t>(answer.grants.size()));
}

bool grant_next(Context& context, FetchChoice& choice, Answer& answer) {
  if (answer.reply.tape().size() >= limits::kReplyBytesMax) return false;
  const Fetch& fetch = choice.fetch();
  if (context.state.workers().is_quiet(fetch.worker)) return false;
  Job* job = choice.next(context);
  if (job == nullptr) return false;
  if (!job->record) {
    context.state.residency().want(*job);
    context.state.look_ahead(*job);
    answer.misses = true;
    return false;
  }
  ASSERT(job->state == JobState::kReady && !job->queue->paused);
  ASSERT(!job->queue->ready.holds(*job->type), "a job of a paused type");
  JobGranted granted{.id = job->id, .worker = fetch.worker, .alone = takes_suspects(fetch)};
  context.random.fill(std::as_writable_bytes(std::span(granted.secret)));
  emit(context, granted);
  write_lease(answer.reply, *job);
  answer.grants.emplace_back(job->id, job->record->attempt_last.token);
  context.state.look_ahead(*job);
  return true;
}

void apply_fetch(Context& context, const Fetch& fetch, Answer& answer) {
  if (const Status fits = check_fetch(fetch); !fits) return answer.reply.error(fits.error());
  hear_worker(context, fetch.worker);
  const size_t mark = open_leases(answer);
  FetchChoice choice(context.state, fetch);
  for (int64_t i = 0; i < fetch.count && grant_next(context, choice, answer); ++i) {
  }
  close_leases(answer, mark);
  if (answer.grants.empty() && (fetch.block_ms || answer.misses)) {
    answer.reply.clear();
    answer.blocks = fetch.block_ms.has_value();
  }
}

void apply_undo_grants(Context& context, const UndoGrants& undo) {
  for (const auto& [id, token] : undo.grants) {
    Job* job = context.state.find(id);
    if (job == nullptr || job->state != JobState::kRunning) continue;
    if (!(job->record->attempt_last.token == token)) continue;
    const bool cancel = job->record->cancel_requested;
    emit(context, JobUngranted{.id = id});
    if (cancel) {
      emit(context, JobMoved{.id = id, .after = next_state(job->state, Event::kCancel)});
    }
  }
}

}  // namespace core
