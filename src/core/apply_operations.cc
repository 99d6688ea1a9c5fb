// OP.* and the verbs that become operations (core/operations.h).
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

// How often an operation with a RATE does some of its jobs.
constexpr uint64_t kRateSlicesPerSecond = 10;
// How long an edit rests while nothing may grow: the disk is nearly full, or flushes fall behind.
constexpr base::Duration kRefusedRest{1'000};

Event event_of(OperationVerb verb, bool force) {
  switch (verb) {
    case OperationVerb::kRetry:
      return Event::kRetry;
    case OperationVerb::kCancel:
      return force ? Event::kForceCancel : Event::kCancel;
    case OperationVerb::kEdit:
      return Event::kEdit;
    case OperationVerb::kDelete:
    case OperationVerb::kPurge:
    case OperationVerb::kDeleteQueue:
      return Event::kDelete;
  }
  ASSERT(false, "no such verb");
  return Event::kDelete;
}

// What it names may be new, and have come to its bound since the operation began.
Status edit(Context& context, const JobChanges& changes, const Job& job) {
  TRY(check_changes(context.state, changes));
  return edit_job(context, changes, job);
}

// Returns whether the job was changed.
bool change(Context& context, const Operation& operation, Job& job) {
  switch (operation.verb) {
    case OperationVerb::kRetry:
      return retry_job(context, job).has_value();
    case OperationVerb::kCancel:
      return cancel_job(context, job, operation.force).has_value();
    case OperationVerb::kEdit:
      return edit(context, operation.changes, job).has_value();
    case OperationVerb::kDelete:
    case OperationVerb::kPurge:
    case OperationVerb::kDeleteQueue:
      return delete_job(context, job).has_value();
  }
  return false;
}

uint64_t slice_jobs(const Operation& operation) {
  uint64_t most = limits::kOperationSliceJobs;
  if (operation.rate != 0) {
    most = std::min(most, std::max<uint64_t>(operation.rate / kRateSlicesPerSecond, 1));
  }
  if (operation.jobs_most != 0) most = std::min(most, operation.jobs_most - operation.done);
  if (operation.changes.args && !operation.changes.args->empty()) {
    most = std::min<uint64_t>(most, limits::kOperationSliceBytes / operation.changes.args->size());
  }
  return most;
}

void end(Context& context, Operation& operation, OperationState state) {
  operation.state = state;
  operation.ended = context.now.wall;
  if (operation.changes.args) operation.changes.args.emplace();
  if (state != OperationState::kDone || operation.verb != OperationVerb::kDeleteQueue) return;
  // What was pushed meanwhile keeps it.
  const Queue* queue = context.state.find_queue(operation.queue);
  const bool is_empty =
      queue != nullptr && std::ranges::all_of(queue->jobs, [](uint64_t jobs) { return jobs == 0; });
  if (is_empty) emit(context, QueuePut{.name = operation.queue, .is_forgotten = true});
}

Status check_start(const Context& context, const OperationStart& start) {
  TRY(check_range("LIMIT", start.jobs_most.value_or(1), {1, INT64_MAX}));
  TRY(check_range("RATE", start.rate.value_or(1), {1, limits::kOperationRateMax}));
  if (start.verb == OperationVerb::kEdit) {
    TRY(check_changes(context.state, start.changes));
    const size_t bytes = start.changes.args ? start.changes.args->size() : 0;
    TRY(check_bytes("ARGS with WHERE", bytes, limits::kOperationArgsBytesMax));
    if (context.push_refusal != nullptr) return tl::unexpected(*context.push_refusal);
  }
  if (start.verb != OperationVerb::kPurge && start.verb != OperationVerb::kDeleteQueue) return {};
  TRY(check_name("queue", start.queue));
  const Queue* queue = context.state.find_queue(start.queue);
  if (queue == nullptr || !queue->is_known()) {
    return base::fail(ErrorCode::kNotFound, "there is no queue '{}'", start.queue);
  }
  if (start.verb == OperationVerb::kDeleteQueue) {
    TRY(check_not_deleted(context.state, start.queue));
  }
  const uint64_t running = queue->jobs[static_cast<size_t>(JobState::kRunning)];
  if (start.verb == OperationVerb::kDeleteQueue && running != 0) {
    return base::fail(ErrorCode::kBadState,
                      "state=running {} jobs of queue '{}' run: pause it and wait for them, or "
                      "cancel them with FORCE",
                      running, start.queue);
  }
  return {};
}

Operation operation_of(const Context& context, const OperationStart& start, uint64_t picked) {
  Operation operation;
  operation.number = context.state.operations().number_next();
  operation.verb = start.verb;
  operation.force = start.force;
  operation.queue = start.queue;
  operation.changes = start.changes;
  operation.query = start.query;
  operation.jobs_most = static_cast<uint64_t>(start.jobs_most.value_or(0));
  operation.rate = static_cast<uint64_t>(start.rate.value_or(0));
  operation.matched = picked;
  operation.last = JobId{context.state.id_next().value - 1};
  operation.started = context.now.wall;
  return operation;
}

void write_operation(Reply& reply, const Operation& operation) {
  uint32_t pairs = 0;
  const size_t mark = reply.map_begin();
  const auto text = [&](std::string_view field, std::string_view value) {
    reply.bulk(field);
    reply.bulk(value);
    ++pairs;
  };
  const auto number = [&](std::string_view field, uint64_t value) {
    reply.bulk(field);
    reply.integer(static_cast<int64_t>(value));
    ++pairs;
  };
  text("op", operation_text(operation.number));
  text("verb", operation_verb_name(operation.verb));
  if (!operation.queue.empty()) text("queue", operation.queue);
  text("query", operation.query.text);
  if (!operation.changes.empty()) text("changes", changes_text(operation.changes));
  text("state", operation_state_name(operation.state));
  number("matched", operation.matched);
  number("done", operation.done);
  number("skipped", operation.skipped);
  if (operation.jobs_most != 0) number("limit", operation.jobs_most);
  if (operation.rate != 0) number("rate", operation.rate);
  number("started_ms", static_cast<uint64_t>(operation.started.ms));
  if (!operation.is_running()) number("ended_ms", static_cast<uint64_t>(operation.ended.ms));
  reply.close(mark, pairs);
}

}  // namespace

Status check_not_deleted(const State& state, std::string_view queue) {
  if (state.operations().running() == 0) return {};
  for (const auto& [number, operation] : state.operations().all()) {
    const bool deletes = operation.is_running() && operation.verb == OperationVerb::kDeleteQueue;
    if (!deletes || operation.queue != queue) continue;
    return base::fail(ErrorCode::kBadState,
                      "state=deleting queue '{}' is being deleted by {}: wait for it, or cancel it",
                      queue, operation_text(number));
  }
  return {};
}

uint8_t states_for(OperationVerb verb) {
  uint8_t states = 0;
  for (size_t i = 0; i < kJobStateCount; ++i) {
    const auto state = static_cast<JobState>(i);
    const Cell::Kind kind = lifecycle(state, event_of(verb, false)).kind;
    const bool stays = kind == Cell::Kind::kStay && state == JobState::kRunning;  // It is marked.
    if (kind == Cell::Kind::kMove || kind == Cell::Kind::kGone || stays) {
      states |= static_cast<uint8_t>(1U << i);
    }
  }
  return states;
}

void apply_operation_start(Context& context, const OperationStart& start, Answer& answer) {
  const Status fits = check_start(context, start);
  if (!fits) {
    answer.walk.reset();  // What stood in the way may have come since the step before.
    return answer.reply.error(fits.error());
  }
  const auto counted = count_picked(context, start.query, states_for(start.verb), answer);
  if (!counted) return answer.reply.error(counted.error());
  if (!*counted) return;  // In another step.
  const uint64_t most = static_cast<uint64_t>(start.jobs_most.value_or(INT64_MAX));
  const uint64_t matched = std::min(**counted, most);
  if (!start.dry_run && context.state.operations().running() >= limits::kOperationsRunningMax) {
    return answer.reply.error(ErrorCode::kOverloaded,
                              fmt::format("retry_ms=1000 limit={} operations run: wait for one, or "
                                          "cancel one (OP.LIST)",
                                          limits::kOperationsRunningMax));
  }
  answer.reply.map(start.dry_run ? 1 : 2);
  if (!start.dry_run) {
    Operation operation = operation_of(context, start, matched);
    answer.reply.bulk("op");
    answer.reply.bulk(operation_text(operation.number));
    emit(context, OperationPut{std::move(operation)});
  }
  answer.reply.bulk("matched");
  answer.reply.integer(static_cast<int64_t>(matched));
}

void advance_operations(Context& context) {
  Operations& operations = context.state.operations();
  const auto is_being_read = [&](JobId id) {
    const Job* job = context.state.find(id);
    return job != nullptr && !job->record && job->wanted;
  };
  const Operation* found = operations.take_turn(context.now.engine, is_being_read);
  if (found == nullptr) return;
  if (found->verb == OperationVerb::kEdit && context.push_refusal != nullptr) {
    return operations.rest(found->number, context.now.engine + kRefusedRest);
  }
  Operation operation = *found;
  const uint64_t most = slice_jobs(operation);
  uint64_t jobs = 0;
  JobWalk walk(operation.query, JobWalk::Order::kUp,
               {.first = operation.next,
                .last = operation.last,
                .states = states_for(operation.verb),
                .with_records = true});
  const JobWalk::Step step =
      walk.step(context.state, context.now, context.walk_ids_most, [&](Job& job) {
        change(context, operation, job) ? ++operation.done : ++operation.skipped;
        return ++jobs < most;
      });
  operation.next = walk.next();
  const bool is_over = step == JobWalk::Step::kDone ||
                       (operation.jobs_most != 0 && operation.done >= operation.jobs_most);
  if (is_over) end(context, operation, OperationState::kDone);
  if (step == JobWalk::Step::kMisses) operations.wait_for(operation.number, walk.next());
  if (operation.rate != 0) {
    const auto pause = base::Duration{static_cast<int64_t>(jobs * 1'000 / operation.rate)};
    operations.rest(operation.number, context.now.engine + pause);
  }
  if (jobs == 0 && !is_over) return operations.move_on(operation.number, operation.next);
  emit(context, OperationPut{std::move(operation)});
}

base::Result<uint64_t> resolve_operation(const State& state, std::string_view text) {
  const std::optional<uint64_t> number = parse_operation(text);
  if (number && state.operations().find(*number) != nullptr) return *number;
  return base::fail(ErrorCode::kNotFound, "there is no operation '{}', or it is long over",
                    text.substr(0, limits::kNameBytesMax));
}

void write_operation(Reply& reply, const State& state, uint64_t number) {
  const Operation* operation = state.operations().find(number);
  operation != nullptr ? write_operation(reply, *operation) : reply.nil();
}

void apply_operation_get(Context& context, const OperationGet& get, Answer& answer) {
  const auto number = resolve_operation(context.state, get.operation);
  if (!number) return answer.reply.error(number.error());
  write_operation(answer.reply, context.state, *number);
}

// The newest first.
void apply_operation_list(Context& context, Answer& answer) {
  const auto& all = context.state.operations().all();
  answer.reply.array(static_cast<uint32_t>(all.size()));
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    write_operation(answer.reply, entry->second);
  }
}

void apply_operation_cancel(Context& context, const OperationCancel& cancel, Answer& answer) {
  const auto number = resolve_operation(context.state, cancel.operation);
  if (!number) return answer.reply.error(number.error());
  Operation operation = *context.state.operations().find(*number);
  if (!operation.is_running()) {
    return answer.reply.error(
        ErrorCode::kBadState,
        fmt::format("state={} operation {} is over", operation_state_name(operation.state),
                    operation_text(*number)));
  }
  end(context, operation, OperationState::kCancelled);
  emit(context, OperationPut{std::move(operation)});
  answer.reply.ok();
}

void apply_operation_wait(Context& context, const OperationWait& wait, Answer& answer) {
  const auto number = resolve_operation(context.state, wait.operation);
  if (!number) return answer.reply.error(number.error());
  const Status fits = check_range("BLOCK", wait.block_ms, {0, INT64_MAX});
  if (!fits) return answer.reply.error(fits.error());
  if (!context.state.operations().find(*number)->is_running()) {
    return write_operation(answer.reply, context.state, *number);
  }
  answer.blocks = true;
}

}  // namespace core
