// JOB.PUSH and JOB.MPUSH: limits, repeated pushes, keys, new jobs.
#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kRequestForMs = 600'000;
constexpr int64_t kSeqWindow = 1'024;
constexpr size_t kMetaBytesMax = 8'192;
constexpr size_t kLabelBytesMax = 128;

bool valid_label(const std::string& label) {
  return !label.empty() && label.size() <= kLabelBytesMax;
}

bool bad_numbers(const Push& push) {
  return outside(push.priority, 0, 9) || outside(push.delay_ms, 0, kDurationMsMax) ||
         outside(push.at_wall_ms, 0, INT64_MAX) || outside(push.attempts, 1, kRunsMax) ||
         outside(push.timeout_ms, 0, kDurationMsMax) ||
         outside(push.soft_timeout_ms, 0, kDurationMsMax) || outside(push.lease_ms, 1, kDayMs) ||
         outside(push.expire_ms, 1, kDurationMsMax) || outside(push.crashes, 1, kRunsMax) ||
         outside(push.keep_ms, 0, kDurationMsMax) || outside(push.request_for_ms, 1, kDayMs);
}

bool bad_labels(const Push& push) {
  return (push.key && !valid_label(*push.key)) || (push.request && !valid_label(*push.request)) ||
         (push.producer && !valid_label(*push.producer)) ||
         (push.producer && push.producer_seq < 0);
}

}  // namespace

std::optional<std::string> push_refusal(const Push& push) {
  if (!valid_name(push.queue) || !valid_name(push.type)) return "BADREQ";
  if (bad_numbers(push) || bad_labels(push)) return "BADREQ";
  if (push.delay_ms && push.at_wall_ms) return "BADREQ";
  if (push.request && push.producer) return "BADREQ";
  if (push.request_for_ms && !push.request) return "BADREQ";
  if (push.backoff && !parse_backoff(*push.backoff)) return "BADREQ";
  size_t meta_bytes = 0;
  for (const auto& [field, value] : push.meta) meta_bytes += field.size() + value.size();
  if (push.args.size() > kArgsBytesMax || meta_bytes > kMetaBytesMax) return "TOOBIG";
  if (push.unique || !push.limits.empty() || push.fair) return "NOTYET";
  return std::nullopt;
}

Reply Step::push(const Push& push, const Reply* seen) {
  if (const auto code = push_refusal(push)) return error_reply(*code);
  if (push.producer) {
    const auto known = w_.producers.find(*push.producer);
    if (known != w_.producers.end() &&
        push.producer_seq <= known->second.highest_seq - kSeqWindow) {
      return error_reply("BADREQ");
    }
  }
  Reply reply;
  if (const PushAnswer* before = remembered(push)) {
    reply.kind = Reply::Kind::kPushed;
    reply.id = before->id;
    reply.created = before->created;
  } else {
    const auto holder = push.key ? w_.keys.find(*push.key) : w_.keys.end();
    reply = holder == w_.keys.end() ? create(push, seen)
                                    : duplicate(push, *find_job(w_, holder->second));
    if (reply.kind == Reply::Kind::kError) return reply;
    remember(push, PushAnswer{reply.id, *reply.created});
  }
  if (push.on_duplicate != OnDuplicate::kReport) reply.created.reset();
  return reply;
}

Reply Step::mpush(const MPush& mpush, const Reply* seen) {
  if (!within(static_cast<int64_t>(mpush.items.size()), 1, kItemsMax)) return error_reply("BADREQ");
  std::string refusals;  // Any of them may be told: words are read before anything is applied.
  for (const Push& item : mpush.items) {
    const std::optional<std::string> code = push_refusal(item);
    if (code) refusals += (refusals.empty() ? "" : "|") + *code;
  }
  if (!refusals.empty()) return error_reply(refusals);
  World copy = w_;
  Step dry(copy, conn_);
  for (const Push& item : mpush.items) {
    Reply reply = dry.push(item, nullptr);
    if (reply.kind == Reply::Kind::kError) {
      // A duplicate of an item of this very MPUSH has no id yet that could be told.
      if (!reply.id.empty() && w_.jobs.count(reply.id) == 0) reply.id.clear();
      return reply;
    }
  }
  std::vector<Reply> items;
  for (size_t i = 0; i < mpush.items.size(); ++i) {
    const bool shown = seen != nullptr && i < seen->items.size();
    items.push_back(push(mpush.items[i], shown ? &seen->items[i] : nullptr));
  }
  return array_reply(std::move(items));
}

Reply Step::create(const Push& push, const Reply* seen) {
  if (const auto refusal = full(push.queue)) return *refusal;
  Job job = job_from(push);
  std::string id = id_after(w_.highest_id);  // Only in a dry run.
  if (seen != nullptr && seen->kind == Reply::Kind::kPushed) {
    id = seen->id;
    if (!valid_id(id)) throw Mismatch{"a new job's id is not well-formed: '" + id + "'"};
    if (id <= w_.highest_id) {
      throw Mismatch{"a new job's id must be above " + w_.highest_id + ", got " + id};
    }
  }
  w_.highest_id = id;
  job.view.id = id;
  place(job, push.delay_ms, push.at_wall_ms);
  if (push.key) w_.keys[*push.key] = id;
  ++w_.queues[push.queue].pushed;
  w_.jobs[id] = std::move(job);
  Reply reply;
  reply.kind = Reply::Kind::kPushed;
  reply.id = id;
  reply.created = true;
  return reply;
}

Reply Step::duplicate(const Push& push, Job& holder) {
  const OnDuplicate way = push.on_duplicate.value_or(OnDuplicate::kReturn);
  if (way == OnDuplicate::kError || (way == OnDuplicate::kReplace && !may_replace(holder))) {
    Reply refusal = error_reply("DUPLICATE");
    refusal.id = holder.view.id;
    return refusal;
  }
  if (way == OnDuplicate::kReplace) {
    const auto refusal = push.queue == holder.view.queue ? std::nullopt : full(push.queue);
    if (refusal) return *refusal;
    replace(push, holder);
  }
  Reply reply;
  reply.kind = Reply::Kind::kPushed;
  reply.id = holder.view.id;
  reply.created = false;
  return reply;
}

bool Step::may_replace(const Job& holder) const {
  const State state = holder.view.state;
  return (state == State::kScheduled || state == State::kReady) && holder.view.fence == 0;
}

void Step::replace(const Push& push, Job& holder) {
  const Job old = holder;
  holder = job_from(push);
  holder.view.id = old.view.id;
  holder.view.generation = old.view.generation;
  holder.view.pushed_wall_ms = old.view.pushed_wall_ms;
  w_.queues[push.queue];  // It comes into being if it is new.
  place(holder, push.delay_ms, push.at_wall_ms);
  if (old.view.state == State::kReady && holder.view.state == State::kReady) {
    holder.ready_seq = old.ready_seq;
    holder.ready_since_ms = old.ready_since_ms;
  }
}

// The refusal if the queue has no room for one more job that waits.
std::optional<Reply> Step::full(const std::string& queue) const {
  const auto found = w_.queues.find(queue);
  if (found == w_.queues.end() || !found->second.settings.length_max) return std::nullopt;
  int64_t length = 0;
  for (const auto& [id, job] : w_.jobs) {
    const State state = job.view.state;
    if (job.view.queue == queue && (state == State::kScheduled || state == State::kReady)) ++length;
  }
  const int64_t most = *found->second.settings.length_max;
  if (length < most) return std::nullopt;
  Reply refusal = error_reply("QUEUEFULL");
  refusal.length = length;
  refusal.length_max = most;
  return refusal;
}

Job Step::job_from(const Push& push) const {
  const auto queue = w_.queues.find(push.queue);
  const QueueSettings set = queue == w_.queues.end() ? QueueSettings{} : queue->second.settings;
  Job job;
  JobView& view = job.view;
  view.queue = push.queue;
  view.type = push.type;
  view.args = push.args;
  view.priority = push.priority.value_or(view.priority);
  view.max_attempts = push.attempts.value_or(set.attempts.value_or(view.max_attempts));
  view.max_crashes = push.crashes.value_or(set.crashes.value_or(view.max_crashes));
  view.lease_ms = push.lease_ms.value_or(set.lease_ms.value_or(view.lease_ms));
  view.timeout_ms = push.timeout_ms.value_or(set.timeout_ms.value_or(view.timeout_ms));
  view.soft_timeout_ms = push.soft_timeout_ms.value_or(view.soft_timeout_ms);
  if (push.expire_ms) view.expires_at_engine_ms = w_.now.engine_ms + *push.expire_ms;
  view.keep_ms = push.keep_ms ? push.keep_ms : set.keep_ms;
  view.key = push.key;
  for (const auto& [field, value] : push.meta) view.meta[field] = value;
  view.pushed_wall_ms = w_.now.wall_ms;
  const std::string backoff = set.backoff.value_or("exponential:1000,2,3600000~10");
  job.backoff = *parse_backoff(push.backoff.value_or(backoff));
  return job;
}

void Step::place(Job& job, std::optional<int64_t> delay_ms, std::optional<int64_t> at_wall_ms) {
  JobView& view = job.view;
  if (delay_ms.value_or(0) > 0) {
    view.state = State::kScheduled;
    view.run_at = RunAt{false, w_.now.engine_ms + *delay_ms};
  } else if (at_wall_ms && (at_held(w_) || w_.now.wall_ms < *at_wall_ms)) {
    view.state = State::kScheduled;
    view.run_at = RunAt{true, *at_wall_ms};
  } else {
    make_ready(job);
  }
}

const PushAnswer* Step::remembered(const Push& push) const {
  if (push.request) {
    const auto token = w_.requests.find(*push.request);
    if (token != w_.requests.end() && w_.now.engine_ms < token->second.until_ms) {
      return &token->second.answer;
    }
  }
  if (push.producer) {
    const auto producer = w_.producers.find(*push.producer);
    if (producer == w_.producers.end()) return nullptr;
    const auto answer = producer->second.seen.find(push.producer_seq);
    if (answer != producer->second.seen.end()) return &answer->second;
  }
  return nullptr;
}

void Step::remember(const Push& push, const PushAnswer& answer) {
  if (push.request) {
    const int64_t until = w_.now.engine_ms + push.request_for_ms.value_or(kRequestForMs);
    w_.requests[*push.request] = RequestToken{answer, until};
  }
  if (push.producer) {
    Producer& producer = w_.producers[*push.producer];
    producer.highest_seq = std::max(producer.highest_seq, push.producer_seq);
    producer.seen[push.producer_seq] = answer;
    while (producer.seen.begin()->first <= producer.highest_seq - kSeqWindow) {
      producer.seen.erase(producer.seen.begin());
    }
  }
}

}  // namespace model
