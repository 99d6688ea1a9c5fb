// JOB.PUSH and JOB.MPUSH.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

size_t meta_bytes(const PushSpec& spec) {
  size_t bytes = 0;
  for (const auto& [field, value] : spec.meta) bytes += field.size() + value.size();
  return bytes;
}

Status check_label(std::string_view field, std::string_view text) {
  return check_range(field, static_cast<int64_t>(text.size()),
                     {1, static_cast<int64_t>(limits::kNameBytesMax)});
}

// Whether the push may be applied at all, apart from what is in the state.
Status check_push(const PushSpec& spec) {
  TRY(check_name("queue", spec.queue));
  TRY(check_name("type", spec.type));
  TRY(check_range("PRIORITY", spec.priority, {limits::kPriorityMin, limits::kPriorityMax}));
  TRY(check_options(spec));
  if (spec.request_for_ms) {
    TRY(check_range("FOR", *spec.request_for_ms, {1, limits::kRequestMsMax}));
  }
  if (spec.has_request && spec.has_producer) {
    return base::fail(ErrorCode::kBadReq, "field=REQSEQ REQUEST and REQSEQ exclude each other");
  }
  if (spec.has_key) TRY(check_label("KEY", spec.key));
  if (spec.has_request) TRY(check_label("REQUEST", spec.request));
  if (spec.has_producer) TRY(check_label("REQSEQ", spec.producer));
  TRY(check_bytes("args", spec.args.size(), limits::kArgsBytesMax));
  TRY(check_bytes("META", meta_bytes(spec), limits::kMetaBytesMax));
  if (!spec.not_built.empty()) {
    return base::fail(ErrorCode::kNotYet, "{} is known but not built yet; nothing was pushed",
                      spec.not_built);
  }
  return {};
}

void set_meta(JobExtras& extras, const PushSpec& spec) {
  for (const auto& [field, value] : spec.meta) {
    const auto same = [&](const auto& pair) { return pair.first == field; };
    const auto found = std::ranges::find_if(extras.meta, same);
    if (found != extras.meta.end()) {
      found->second = value;
    } else {
      extras.meta.emplace_back(field, value);
    }
  }
}

// The job as the push describes it, without id and place.
JobPut job_of(const PushSpec& spec, const Context& context) {
  JobPut put;
  put.queue = spec.queue;
  put.type = spec.type;
  put.job.priority = static_cast<uint8_t>(spec.priority) & kPriorityMask;
  put.job.record = std::make_unique<JobRecord>();
  JobRecord& record = *put.job.record;
  record.args = spec.args;
  static const QueueSettings kNone;
  const Queue* queue = context.state.find_queue(spec.queue);
  const QueueSettings& defaults = queue != nullptr ? queue->settings : kNone;
  const auto said = [&](const std::optional<int64_t>& value, QueueNumber number) {
    return value ? value : defaults.of(number);
  };
  if (const auto attempts = said(spec.attempts, QueueNumber::kAttempts)) {
    record.attempts_max = static_cast<uint32_t>(*attempts);
  }
  if (const auto crashes = said(spec.crashes, QueueNumber::kCrashes)) {
    record.crashes_max = static_cast<uint32_t>(*crashes);
  }
  record.timeout_ms = said(spec.timeout_ms, QueueNumber::kTimeoutMs).value_or(record.timeout_ms);
  record.lease_ms = said(spec.lease_ms, QueueNumber::kLeaseMs).value_or(record.lease_ms);
  record.keep_ms = said(spec.keep_ms, QueueNumber::kKeepMs).value_or(record.keep_ms);
  if (spec.soft_timeout_ms) record.soft_timeout_ms = *spec.soft_timeout_ms;
  if (spec.expire_ms) record.expires_at = context.now.engine + base::Duration{*spec.expire_ms};
  if (spec.has_key) extras_of(record).key = spec.key;
  if (!spec.meta.empty()) set_meta(extras_of(record), spec);
  if (const auto& backoff = spec.backoff ? spec.backoff : defaults.backoff) {
    extras_of(record).backoff = *backoff;
    extras_of(record).has_backoff = true;
  }
  record.pushed = context.now.wall;
  record.ready_at = context.now.engine;
  put.job.state = JobState::kReady;
  if (const std::optional<RunAt> run_at = run_at_of(context, spec)) {
    put.job.state = JobState::kScheduled;
    record.run_at_ms = run_at->ms;
    record.run_at_is_wall = run_at->is_wall;
  }
  return put;
}

JobId put_new(Context& context, const PushSpec& spec) {
  JobPut put = job_of(spec, context);
  const JobId id = context.state.id_next();
  put.why = JobPut::Why::kPushed;
  put.job.id = id;
  if (put.job.state == JobState::kReady) put.job.set_ready_seq(context.state.ready_seq_next());
  emit(context, std::move(put));
  return id;
}

// ONDUP replace: the holder keeps id, key, place and time of push, and takes the rest anew.
void put_instead(Context& context, const PushSpec& spec, const Job& holder) {
  JobPut put = job_of(spec, context);
  put.why = JobPut::Why::kReplaced;
  put.job.id = holder.id;
  put.job.record->generation = holder.record->generation;
  put.job.record->pushed = holder.record->pushed;
  if (put.job.state == JobState::kReady) {
    const bool keeps_place = holder.state == JobState::kReady;
    put.job.set_ready_seq(keeps_place ? holder.ready_seq : context.state.ready_seq_next());
    if (keeps_place) put.job.record->ready_at = holder.record->ready_at;
  }
  emit(context, std::move(put));
}

// What the same push was answered before, if it is known.
base::Result<std::optional<PushAnswer>> seen_before(Context& context, const PushSpec& spec) {
  const base::EngineTime now = context.now.engine;
  if (spec.has_request) {
    if (const auto known = context.state.requests().find(spec.request, now)) return known;
    if (context.state.requests().full()) {
      return base::fail(ErrorCode::kOverloaded, "retry_ms=5000 limit={} request tokens are held",
                        limits::kRequestTokensMax);
    }
  }
  if (spec.has_producer) {
    const Producers::Answer answer =
        context.state.producers().look_up(spec.producer, spec.producer_seq);
    if (answer.seen == Producers::Seen::kKnown) return answer.push;
    if (answer.seen == Producers::Seen::kTooOld) {
      return base::fail(ErrorCode::kBadReq,
                        "field=REQSEQ {} lies below the window, which begins at {}: whether it was "
                        "pushed is not known any more",
                        spec.producer_seq, answer.oldest);
    }
    if (answer.seen == Producers::Seen::kNoRoom) {
      return base::fail(ErrorCode::kOverloaded, "retry_ms=60000 limit={} producers are active",
                        limits::kProducersMax);
    }
  }
  return std::optional<PushAnswer>{};
}

void note_seen(Context& context, const PushSpec& spec, PushAnswer answer) {
  if (!spec.has_request && !spec.has_producer) return;
  PushSeen seen{.id = answer.id, .created = answer.created};
  if (spec.has_request) {
    seen.request = spec.request;
    seen.until = context.now.engine +
                 base::Duration{spec.request_for_ms.value_or(limits::kRequestMsDefault)};
  } else {
    seen.producer = spec.producer;
    seen.producer_seq = spec.producer_seq;
  }
  emit(context, seen);
}

// Pushes onto the holder of the key: answers it, or replaces it.
base::Result<PushAnswer> meet_holder(Context& context, const PushSpec& spec, const Job& holder) {
  if (!spec.sight.sees(holder.queue->name)) {
    return base::fail(
        ErrorCode::kNoPerm,
        "need=enqueue key={} is held by a job of a queue that this token may not push "
        "to: choose another KEY",
        spec.key);
  }
  const bool replace = spec.on_duplicate == OnDuplicate::kReplace;
  const bool untouched = replace && holder.record->fence == 0 &&
                         lifecycle(holder.state, Event::kReplace).kind == Cell::Kind::kMove;
  if (spec.on_duplicate == OnDuplicate::kError || (replace && !untouched)) {
    return base::fail(ErrorCode::kDuplicate, "{} holds the key '{}' and is {}",
                      job_id_text(holder.id), spec.key, job_state_name(holder.state));
  }
  const PushAnswer answer{holder.id, false};
  if (replace && holder.queue->name != spec.queue) {
    TRY(check_room(context.state.find_queue(spec.queue)));
  }
  if (replace) put_instead(context, spec, holder);
  return answer;
}

// Applies a push that passed check_push. On an error nothing has changed.
base::Result<PushAnswer> push_one(Context& context, const PushSpec& spec) {
  if (const std::optional<PushAnswer> known = TRY(seen_before(context, spec))) return *known;
  PushAnswer answer;
  const Job* holder = spec.has_key ? context.state.find_key(spec.key) : nullptr;
  if (holder != nullptr) {
    answer = TRY(meet_holder(context, spec, *holder));
  } else {
    TRY(check_room(context.state.find_queue(spec.queue)));
    answer = {put_new(context, spec), true};
  }
  note_seen(context, spec, answer);
  return answer;
}

void write_push(Reply& reply, const PushSpec& spec, PushAnswer answer) {
  if (spec.on_duplicate == OnDuplicate::kReport) {
    reply.array(2);
    reply.bulk(job_id_text(answer.id));
    reply.integer(answer.created ? 1 : 0);
  } else {
    reply.bulk(job_id_text(answer.id));
  }
}

// Whether a checked push may still be refused, so that a batch with it has to be taken back.
bool may_be_refused(const State& state, const PushSpec& spec) {
  if (spec.has_key || spec.has_request || spec.has_producer) return true;
  const Queue* queue = state.find_queue(spec.queue);
  return queue != nullptr && queue->settings.of(QueueNumber::kMaxlen).has_value();
}

Status check_batch(const Context& context, const PushMany& push) {
  TRY(check_range("n", static_cast<int64_t>(push.items.size()),
                  {1, static_cast<int64_t>(limits::kBatchItemsMax)}));
  size_t bytes = 0;
  for (size_t i = 0; i < push.items.size(); ++i) {
    const PushSpec& spec = push.items[i];
    base::Status fits = check_push(spec);
    if (fits) fits = check_queue_bound(context.state, spec.queue);
    if (fits) fits = check_type_bound(context.state, spec.type);
    if (!fits) {
      fits.error().message += fmt::format(" (item {}; nothing was pushed)", i);
      return fits;
    }
    bytes += spec.args.size() + meta_bytes(spec) + spec.key.size();
  }
  return check_bytes("args, meta and keys of one batch", bytes, limits::kBatchBytesMax);
}

}  // namespace

void apply_push(Context& context, const Push& push, Answer& answer) {
  Status fits = check_push(push.spec);
  if (fits) fits = check_queue_bound(context.state, push.spec.queue);
  if (fits) fits = check_type_bound(context.state, push.spec.type);
  if (fits && context.push_refusal != nullptr) fits = tl::unexpected(*context.push_refusal);
  if (!fits) return answer.reply.error(fits.error());
  const base::Result<PushAnswer> pushed = push_one(context, push.spec);
  if (!pushed) return answer.reply.error(pushed.error());
  write_push(answer.reply, push.spec, *pushed);
}

void apply_push_many(Context& context, const PushMany& push, Answer& answer) {
  Status fits = check_batch(context, push);
  if (fits && context.push_refusal != nullptr) fits = tl::unexpected(*context.push_refusal);
  if (!fits) return answer.reply.error(fits.error());
  // A batch inside EXEC belongs to that group.
  const bool group =
      !context.state.in_group() && std::ranges::any_of(push.items, [&](const PushSpec& spec) {
        return may_be_refused(context.state, spec);
      });
  const GroupMark mark = group_mark(context);
  if (group) context.state.begin_group();
  const size_t start = answer.reply.tape().size();
  answer.reply.array(static_cast<uint32_t>(push.items.size()));
  for (const PushSpec& spec : push.items) {
    const base::Result<PushAnswer> pushed = push_one(context, spec);
    if (!pushed) {
      if (group) context.state.end_group(false);
      if (group) rewind(context, mark);
      answer.reply.rewind(start);
      return answer.reply.error(pushed.error());
    }
    write_push(answer.reply, spec, *pushed);
  }
  if (group) context.state.end_group(true);
}

}  // namespace core
