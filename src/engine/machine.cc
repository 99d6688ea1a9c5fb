#include "engine/machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/assert.h"
#include "base/log.h"
#include "core/limits.h"
#include "store/job_codec.h"

namespace engine {
namespace {

// Heavy replies that a session owes; beyond it its commands wait until it has passed some on. Less
// while all sessions together owe much.
constexpr uint64_t kSessionReplyBytesMax = uint64_t{8} << 20;
constexpr uint64_t kSessionReplyBytesYellow = uint64_t{1} << 20;

// What those who wait are told in one step, beside the answers to what came in it. The rest comes
// when this is on its way.
constexpr size_t kToldBytesMax = size_t{8} << 20;

// What lists that are not complete have so far. Beyond it only the oldest of them go on.
constexpr size_t kPagesBytesMax = size_t{16} << 20;

// What can be asked again later at no loss, and may be large.
bool is_large_read(const core::Command& command) {
  const core::CommandBody& body = command.body;
  return std::holds_alternative<core::Get>(body) || std::holds_alternative<core::Wait>(body) ||
         std::holds_alternative<core::KeyGet>(body) ||
         std::holds_alternative<core::KeysGet>(body) ||
         std::holds_alternative<core::KeyScan>(body) ||
         std::holds_alternative<core::HashAll>(body) ||
         std::holds_alternative<core::HashGetMany>(body) ||
         std::holds_alternative<core::ListJobs>(body) ||
         std::holds_alternative<core::EventRead>(body) ||
         std::holds_alternative<core::WorkerList>(body) ||
         std::holds_alternative<core::OperationList>(body) ||
         std::holds_alternative<core::QueueList>(body);
}

// Whether it goes over jobs in steps.
bool is_walk(const core::Command& command) {
  const auto* count = std::get_if<core::CountJobs>(&command.body);
  return (count != nullptr && !count->query.is_counted()) ||
         std::holds_alternative<core::ListJobs>(command.body) ||
         std::holds_alternative<core::OperationStart>(command.body);
}

// Whether it would only be answered, and nobody is there for the answer.
bool is_read_in_vain(const Request& request) {
  return request.lane == Lane::kRead && request.order != nullptr &&
         request.order->gone.load(std::memory_order_relaxed) &&
         !std::holds_alternative<core::Exec>(request.command.body);
}

bool is_of(const store::JobHeader& header, const core::Job& job) {
  // Of a finished job it is something else.
  const bool same_place = job.state != core::JobState::kReady || header.ready_seq == job.ready_seq;
  return header.state == job.state && header.priority == job.priority && same_place &&
         header.queue == job.queue->index && header.type == job.type->index;
}

}  // namespace

base::Status Machine::begin_recovery(store::TablesReader* tables, uint64_t applied_seq) {
  tables_ = tables;
  applied_seq_ = applied_seq;
  state_.begin_recovery(tables != nullptr);
  if (tables == nullptr) return {};
  recovered_now_ = TRY(restore(*tables, state_, flush_)).now;
  return {};
}

// Reads the records that the frame's effects change.
base::Status Machine::bring_in_for(std::string_view frame) {
  std::vector<core::JobId> ids;
  const auto need = [&](core::JobId id) {
    const core::Job* job = state_.find(id);
    if (job != nullptr && !job->record) ids.push_back(id);
  };
  TRY(store::decode_effects(frame, [&](core::Effect&& effect, base::Now) -> base::Status {
    std::visit(
        [&](const auto& body) {
          if constexpr (requires { body.id; }) need(body.id);
          if constexpr (requires { body.job; }) need(body.job.id);
        },
        effect);
    return {};
  }));
  if (ids.empty()) return {};
  std::ranges::sort(ids);
  const auto same = std::ranges::unique(ids);
  ids.erase(same.begin(), same.end());
  return tables_->read(ids, [&](core::JobId id, const base::Result<store::JobRow>& row) {
    if (row) {
      bring_in(id, store::decode_row(*row));
    } else {
      bring_in(id, tl::unexpected(row.error()));
    }
    return base::Status();
  });
}

base::Status Machine::begin_journal(uint64_t first_seq) {
  journal_first_seq_ = first_seq;
  return tables_fit(applied_seq_, first_seq, UINT64_MAX);
}

base::Status Machine::replay(std::string_view frame) {
  if (tables_ != nullptr) TRY(bring_in_for(frame));
  return store::decode_effects(frame, [&](core::Effect&& effect, base::Now now) -> base::Status {
    const auto* flushed = std::get_if<core::Flushed>(&effect);
    // Where the journal has all that the tables have not, as in a backup, nothing is missing.
    const bool may_miss = journal_first_seq_ > applied_seq_ + 1;
    if (flushed != nullptr && may_miss && flushed->needed_seq > applied_seq_ + 1) {
      return base::fail(base::ErrorCode::kCorrupt,
                        "tables.db is missing or older than the journal, which says that the "
                        "tables have frame {}; their last one is {}",
                        flushed->needed_seq - 1, applied_seq_);
    }
    recovered_now_ = now;
    return state_.enact(std::move(effect), now);
  });
}

base::Status Machine::end_recovery(base::Now now) {
  TRY(state_.end_recovery());
  tables_ = nullptr;
  state_.credit_leases(now.engine);
  return {};
}

core::Context Machine::context() {
  return core::Context{state_, now_, random_, effects_, turns_, push_refusal_, &events_};
}

void Machine::begin(base::Now now, const base::Error* push_refusal) {
  ASSERT(now.engine >= now_.engine, "engine time steps back from {} to {}", now_.engine,
         now.engine);
  now_ = now;
  push_refusal_ = push_refusal;
  reply_bytes_ = 0;
  waiting_.set_room(is_full() ? 0 : kToldBytesMax);
  effects_.begin(now);
  state_.watch_wall_clock(now);
  walks_before_ = std::exchange(walks_, 0);
  pages_bytes_ = 0;
  has_more_to_walk_ = false;
}

void Machine::close_session(Request& request) {
  std::vector<Request*> left = parked_.remove_session(request.session);
  if (Request* waiter = waiting_.remove_session(request.session)) left.push_back(waiter);
  for (Request* unanswered : left) {
    unanswered->answer = {};
    answer(*unanswered);
  }
}

void Machine::answer(Request& request) {
  answered_.push_back(&request);
  count_answers();
}

// What a session owes has to be known before its next command; the waiting are answered elsewhere.
void Machine::count_answers() {
  for (; answers_counted_ < answered_.size(); ++answers_counted_) {
    const Request& request = *answered_[answers_counted_];
    const size_t size = request.answer.reply.tape().size();
    reply_bytes_ += size;
    if (request.heavy) request.order->reply_bytes.fetch_add(size, std::memory_order_relaxed);
  }
}

// Whether connections hold all that they may.
bool Machine::is_full() const {
  return gauge_ != nullptr && gauge_->used() + reply_bytes_ >= gauge_->budget();
}

std::vector<Request*> Machine::take_answered() {
  count_answers();
  answers_counted_ = 0;
  return std::exchange(answered_, {});
}

// Gives a command back to a session that owes too much, or refuses a large read for what all owe.
// What comes behind a command that was given back is given back too: so they keep their order.
bool Machine::is_turned_away(Request& request) {
  request.given_back = false;
  if (request.kind == Request::Kind::kClose) return false;
  SessionOrder* order = request.order;
  const bool follows_one = order != nullptr && order->gives_back;
  if (!request.heavy && !follows_one) return false;
  const uint64_t used = gauge_ == nullptr ? 0 : gauge_->used() + reply_bytes_;
  const uint64_t budget = gauge_ == nullptr ? UINT64_MAX : gauge_->budget();
  const Pressure pressure = pressure_of(used, budget);
  if (order != nullptr) {
    const uint64_t owed = order->reply_bytes.load(std::memory_order_relaxed);
    const uint64_t most =
        pressure == Pressure::kNone ? kSessionReplyBytesMax : kSessionReplyBytesYellow;
    if (request.heavy && owed >= most) order->gives_back = true;
    if (order->gives_back) {
      request.given_back = true;
      request.answer.clear();
      answer(request);
      return true;
    }
  }
  const bool is_fetch = std::holds_alternative<core::Fetch>(request.command.body);
  const bool refused =
      is_fetch ? used >= budget : pressure == Pressure::kRed && is_large_read(request.command);
  if (!refused) return false;
  request.answer = {};
  request.answer.reply.error(
      base::ErrorCode::kOverloaded,
      fmt::format("retry_ms=200 limit={} got={} bytes are held for connections, most of them for "
                  "peers that do not read: ask again",
                  budget, used));
  answer(request);
  return true;
}

void Machine::apply(Request& request) {
  if (request.kind == Request::Kind::kClose) close_session(request);
  if (is_read_in_vain(request)) {
    request.answer = {};
    return answer(request);
  }
  const bool waits_its_turn = parked_.holds(request.session);
  if (waits_its_turn || !try_to_apply(request)) parked_.add(request);
}

// Returns false if records that it needs are being read; then nothing was done.
bool Machine::try_to_apply(Request& request) {
  if (is_turned_away(request)) return true;
  if (walks_rest_ && is_walk(request.command)) {
    has_more_to_walk_ = true;
    return false;
  }
  // In the order in which they came: the first end, and then the next go on.
  if (is_walk(request.command) && pages_bytes_ >= kPagesBytesMax) return false;
  core::Context step = context();
  request.answer.clear();
  // They share what one turn may look at. Of those to come it is not known; each gets less than the
  // one before.
  if (is_walk(request.command)) ++walks_;
  step.walk_ids_most = core::limits::kWalkIdsPerTurn / std::max({walks_before_, walks_, size_t{1}});
  if (quiet_ && std::holds_alternative<core::Fetch>(request.command.body)) {
    request.answer.reply.array(0);
    answer(request);
    return true;
  }
  if (core::reads_too_much(state_, request.command)) {
    request.answer.reply.error(core::reads_too_much_error());
    answer(request);
    return true;
  }
  if (!core::ready_to_apply(state_, request.command)) return false;
  core::apply(step, request.command, request.answer);
  if (request.answer.walk) {
    has_more_to_walk_ = has_more_to_walk_ || request.answer.walk->can_go_on;
    pages_bytes_ += request.answer.walk->jobs.tape().size();
    return false;
  }
  if (!request.answer.blocks) {
    if (request.answer.misses && request.answer.grants.empty()) return false;
    answer(request);
    return true;
  }
  wait_for(request);
  return true;
}

void Machine::wait_for(Request& request) {
  if (const auto* wait = std::get_if<core::Wait>(&request.command.body)) {
    auto jobs = core::resolve_wait(state_, *wait);
    ASSERT(jobs.has_value(), "a wait that blocks has jobs");
    waiting_.add_wait(request, *std::move(jobs), now_.engine);
  } else if (const auto* ends = std::get_if<core::OperationWait>(&request.command.body)) {
    const auto number = core::resolve_operation(state_, ends->operation);
    ASSERT(number.has_value(), "a wait that blocks has an operation");
    waiting_.add_operation_wait(request, *number, now_.engine);
  } else if (std::holds_alternative<core::EventRead>(request.command.body)) {
    waiting_.add_event_read(request, now_.engine);
  } else {
    waiting_.add_fetch(request, now_.engine);
  }
}

void Machine::bring_in(core::JobId id, base::Result<std::unique_ptr<core::JobRecord>> record) {
  if (record) {
    state_.bring_in(id, *std::move(record));
  } else {
    LOG(kError, "a job's row cannot be read; the job is set aside", {"job", core::job_id_text(id)},
        {"error", record.error().message});
    state_.set_aside(id, record.error());
  }
}

void Machine::bring_in(store::Loader::Loaded&& loaded) {
  core::Job* job = state_.find(loaded.id);
  if (!loaded.record && loaded.record.error().code == base::ErrorCode::kTooBig) {
    if (job != nullptr) state_.residency().give_up(*job);
    return;
  }
  const bool waits = job != nullptr && !job->record && loaded.record.has_value();
  if (waits && !is_of(loaded.header, *job)) {
    loaded.record =
        base::fail(base::ErrorCode::kCorrupt,
                   "tables.db: table job, id {}: the row is of an earlier state", loaded.id.value);
  }
  bring_in(loaded.id, std::move(loaded.record));
}

void Machine::retry_parked() {
  const auto apply_again = [&](Request& request) { return try_to_apply(request); };
  const auto tell = [&](Request& request, const std::vector<core::JobId>& jobs) {
    if (!waiting_.has_room()) return false;
    const bool too_much = core::tells_too_much(state_, jobs);
    if (!too_much && !core::ready_to_tell(state_, jobs)) return false;
    if (too_much) {
      request.answer.reply.error(core::reads_too_much_error());
    } else {
      const core::Sight sight = core::sight_of(std::get<core::Wait>(request.command.body));
      core::write_wait(request.answer.reply, state_, jobs, sight, now_);
    }
    waiting_.take_room(request.answer.reply.tape().size());
    answer(request);
    return true;
  };
  parked_.retry(apply_again, tell);
  state_.residency().forget_given_up();
}

void Machine::flush_done(uint64_t memory_max, uint64_t needed_seq) {
  flush_.done(state_, memory_max);
  effects_.put(core::Flushed{needed_seq});
}

bool Machine::apply_due(size_t most) {
  core::Context step = context();
  state_.expire_memory(now_.engine);
  events_.expire(now_.engine);
  return core::apply_due(step, most) == core::Due::kMore;
}

void Machine::advance_operations() {
  core::Context step = context();
  core::advance_operations(step);
}

bool Machine::feed() {
  core::Context step = context();
  // Over the budget nobody is given more; their queues stay woken.
  const bool was_full = is_full();
  if (was_full) waiting_.set_room(0);
  if (!quiet_) waiting_.feed(step, answered_);
  const std::vector<core::JobId> ended = state_.take_ended();
  if (waiting_.has_waits() && !ended.empty()) waiting_.finish(step, ended, answered_, parked_);
  waiting_.tell_events(events_, answered_);
  const std::vector<uint64_t> over = state_.operations().take_ended();
  for (const uint64_t number : over) waiting_.finish_operation(step, number, answered_);
  state_.residency().trim_pool(core::limits::kPoolBytesMax);  // What came has served by now.
  return !was_full && !waiting_.has_room();
}

void Machine::expire_waiting() {
  core::Context step = context();
  waiting_.expire(step, quiet_, answered_, parked_);
}

base::EngineTime Machine::next_due() const {
  return std::min(core::next_due(state_, now_), waiting_.next_deadline());
}

}  // namespace engine
