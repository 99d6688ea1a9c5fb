#include "sim/server.h"

#include <algorithm>

#include "base/assert.h"
#include "sim/command_of.h"
#include "sim/reply_of.h"
#include "sim/snapshot.h"
#include "store/job_codec.h"

namespace sim {
namespace {

// One seed in so many goes over the wire format: it costs more than the rest of a step.
constexpr uint64_t kWireEach = 4;
constexpr uint64_t kFlushPercent = 6;
constexpr uint64_t kSlicePercent = 40;
constexpr uint64_t kApplyPercent = 40;
constexpr uint64_t kSyncPercent = 50;
constexpr uint64_t kTickPercent = 5;

base::Now now_of(model::Now now) {
  return {base::EngineTime{now.engine_ms}, base::WallTime{now.wall_ms}};
}

// What repeated commands are answered: from the ledger, or from the records while they are there.
void add_answers(const core::State& state, base::Now now, const RecordOf& record_of,
                 std::map<std::string, std::string>& parts) {
  std::map<std::pair<uint64_t, uint32_t>, core::LedgerEntry> answers;
  const auto add = [&](const core::LedgerEntry& entry) {
    if (entry.until <= now.engine) return;
    core::LedgerEntry& known = answers[{entry.id.value, entry.fence}];
    if (known.until < entry.until) known = entry;
  };
  const core::Ledger& ledger = state.ledger();
  for (auto block = ledger.block_from(0); block; block = ledger.block_from(*block + 1)) {
    std::ranges::for_each(ledger.image_of(*block).entries, add);
  }
  state.jobs().for_each([&](const core::Job& job) {
    const core::JobRecord& record = record_of(job);
    const auto add_attempt = [&](const core::Attempt& attempt) {
      if (attempt.ending == core::Ending::kNone && !attempt.cancelled) return;
      add({.id = job.id,
           .fence = attempt.token.fence,
           .secret_hash = core::secret_hash(attempt.token),
           .ending = attempt.ending,
           .cancelled = attempt.cancelled,
           .after = attempt.after,
           .attempt = attempt.ending == core::Ending::kFail ? attempt.number : 0,
           .run_at_ms = attempt.ending == core::Ending::kFail ? attempt.run_at_ms : 0,
           .until = core::repeatable_until(record, attempt)});
    };
    add_attempt(record.attempt_last);
    if (record.extras) std::ranges::for_each(record.extras->history, add_attempt);
  });
  for (const auto& [key, entry] : answers) {
    parts[fmt::format("answer {} {}", entry.id.value, entry.fence)] = fmt::format(
        "{} {} {} {} {} {} {}", entry.secret_hash, static_cast<int>(entry.ending), entry.cancelled,
        static_cast<int>(entry.after), entry.attempt, entry.run_at_ms, entry.until);
  }
}

template <typename Verb>
void count_if(Tally& tally, const char* name, const model::Op& op) {
  if (std::holds_alternative<Verb>(op.verb)) ++tally[name];
}

}  // namespace

Server::Server(uint64_t seed, model::Now start)
    : over_wire_(seed % kWireEach == 0),
      version_(seed % (2 * kWireEach) == 0 ? protocol::RespVersion::kResp2
                                           : protocol::RespVersion::kResp3),
      random_(seed),
      chance_(~seed),
      machine_(std::make_unique<engine::Machine>(random_, core::limits::kHistoryBytesMax)),
      now_(now_of(start)),
      tables_(std::make_unique<store::MemoryTables>(rows_)) {
  const base::Result<store::TablesSummary> opened = tables_->open();
  ASSERT(opened.has_value(), "{}", opened.error().message);
  reader_ = tables_->make_reader().value();
  machine_->state().keys().set_bytes_max(kKeysBytesMax);
  machine_->state().keys().watch_changes();
  machine_->begin(now_);
}

Server::Seen Server::perform(const model::Op& op, model::Now now) {
  Seen seen;
  if (std::holds_alternative<model::Restart>(op.verb)) {
    restart(now_of(now));
    return seen;
  }
  continue_flush();
  now_ = now_of(now);
  machine_->begin(now_);
  if (const auto* advance = std::get_if<model::Advance>(&op.verb)) {
    pass_time(advance->stall);
    take_answers(nullptr, seen);
  } else {
    send(op, seen);
    count_keys(op, seen.reply);
    count_said(op, seen.reply);
  }
  continue_audit();
  keep_effects();
  return seen;
}

// Audits follow one another, a few jobs a step, while the state changes under them.
void Server::continue_audit() {
  core::State& state = machine_->state();
  core::Audit& audit = state.audit();
  if (!audit.running()) audit.begin(state);
  if (!audit.step(state, 1 + static_cast<uint32_t>(chance_.below(20)))) return;
  ++tally_["audits"];
  for (const std::string& text : audit.report().texts) find_fault("audit: " + text);
  const int64_t unaccounted = core::unaccounted_jobs(state);
  if (unaccounted != 0) find_fault(fmt::format("audit: {} jobs not accounted for", unaccounted));
}

// So that a run that met none of it is found out.
void Server::count_keys(const model::Op& op, const model::Reply& reply) {
  if (const auto* set = std::get_if<model::KeySet>(&op.verb)) {
    if (reply.kind == model::Reply::Kind::kOk) ++tally_["keys set"];
    if (reply.kind == model::Reply::Kind::kNil && !set->get) ++tally_["keys not set"];
  }
  if (reply.code == "QUOTA") ++tally_["keys beyond the limit"];
  if (std::holds_alternative<model::KeyIncr>(op.verb) && reply.code == "ERR") {
    ++tally_["numbers refused"];
  }
  if (std::holds_alternative<model::KeyScan>(op.verb) && reply.text == "0") ++tally_["scans ended"];
  const auto* exec = std::get_if<model::Exec>(&op.verb);
  if (exec == nullptr || reply.code != "EXECABORT") return;
  for (int64_t i = 0; i < reply.index; ++i) {
    const model::Verb& verb = exec->members[static_cast<size_t>(i)].verb;
    if (std::holds_alternative<model::KeySet>(verb)) ++tally_["keys taken back"];
  }
}

// The same of what operators and workers say.
void Server::count_said(const model::Op& op, const model::Reply& reply) {
  if (reply.code == "QUEUEFULL") ++tally_["jobs for full queues"];
  if (reply.kind == model::Reply::Kind::kError) return;
  count_if<model::Log>(tally_, "lines logged", op);
  count_if<model::Edit>(tally_, "jobs edited", op);
  count_if<model::TypePause>(tally_, "types paused", op);
  count_if<model::QueueSet>(tally_, "queues set", op);
  count_if<model::TellWorker>(tally_, "workers told", op);
  count_if<model::HashSet>(tally_, "hashes set", op);
  count_if<model::HashIncr>(tally_, "fields counted up", op);
}

void Server::pass_time(bool stall) {
  if (stall) machine_->credit_stall();
  constexpr uint64_t kDueMost = 5;
  const size_t keys = machine_->state().keys().held();
  do {
    while (machine_->apply_due(1 + chance_.below(kDueMost))) {
    }
  } while (bring_in_wants());
  tally_["keys over"] += keys - machine_->state().keys().held();
  machine_->feed();
  settle();
  machine_->expire_waiting();
  settle();
}

// Returns whether something was asked for.
bool Server::bring_in_wants() {
  std::vector<core::JobId> wants = machine_->take_wants();
  for (const auto& together : machine_->take_wants_together()) {
    wants.insert(wants.end(), together.begin(), together.end());
  }
  if (wants.empty()) return false;
  tally_["records read"] += wants.size();
  const base::Status read =
      reader_->read(wants, [&](core::JobId id, const base::Result<store::JobRow>& row) {
        if (!row) find_fault("a row is missing: " + row.error().message);
        if (row) machine_->bring_in(id, store::decode_row(*row));
        return base::Status();
      });
  if (!read) find_fault("reading records: " + read.error().message);
  return true;
}

void Server::settle() {
  finish_operations();
  while (bring_in_wants() || machine_->has_more_to_walk()) {
    machine_->begin(now_);  // A walk goes on in another turn; to the model it is the same step.
    machine_->retry_parked();
    finish_operations();
    machine_->feed();
  }
  if (!machine_->parked().empty()) find_fault("a command is parked, and nothing is read for it");
}

// The model carries out an operation in the step that begins it.
void Server::finish_operations() {
  while (machine_->state().operations().running() > 0) {
    machine_->advance_operations();
    bring_in_wants();
    ++tally_["slices of operations"];
  }
  // Nothing came between its first look at the jobs and its last. An edit may be refused by a job.
  for (const auto& [number, operation] : machine_->state().operations().all()) {
    const bool may_skip = operation.verb == core::OperationVerb::kEdit;
    const uint64_t skipped = may_skip ? operation.skipped : 0;
    if (operation.done + skipped < operation.matched || operation.skipped != skipped) {
      find_fault(core::operation_text(number) + " matched " + std::to_string(operation.matched) +
                 ", changed " + std::to_string(operation.done) + ", skipped " +
                 std::to_string(operation.skipped));
    }
  }
}

const core::JobRecord& Server::record_of(const core::Job& job) const {
  if (job.record) return *job.record;
  const core::JobId id = job.id;
  const base::Status read = reader_->read(
      std::span(&id, 1), [&](core::JobId, const base::Result<store::JobRow>& row) -> base::Status {
        base::Result<std::unique_ptr<core::JobRecord>> record = store::decode_row(TRY(row));
        ASSERT(record.has_value(), "{}", record.error().message);
        read_ = *std::move(record);
        return {};
      });
  ASSERT(read.has_value(), "job {} is neither here nor there: {}", id.value, read.error().message);
  return *read_;
}

void Server::send(const model::Op& op, Seen& seen) {
  auto sent = std::make_unique<Sent>();
  sent->op = op;
  engine::Request& request = sent->request;
  request.session = op.conn;
  const model::Verb& verb = sent->op.verb;
  base::Result<core::Command> command;
  if (const auto* close = std::get_if<model::Close>(&verb)) {
    request.kind = engine::Request::Kind::kClose;
    command->body = undo_of(close->ungot);
  } else if (const auto* undo = std::get_if<model::Undo>(&verb)) {
    command->body = undo_of(undo->leases);
  } else {
    command = over_wire_ ? read_words(verb, sent->bytes) : command_of(verb);
  }
  const bool world =
      request.kind == engine::Request::Kind::kClose || std::holds_alternative<model::Undo>(verb);
  engine::Request* sent_now = &request;
  if (!command) {
    // An empty list leaves out words that the arity asks for: that is told in Redis' way.
    const bool arity = command.error().message.starts_with("wrong number of arguments");
    const auto code = arity ? base::ErrorCode::kBadReq : command.error().code;
    seen.reply = reply_of_error(base::error_word(code), command.error().message);
  } else {
    request.command = *std::move(command);
    sent_.emplace(&request, std::move(sent));
    machine_->apply(*sent_now);
    if (!machine_->parked().empty()) ++tally_["commands parked"];
    settle();
    if (!world && sent_now->answer.blocks) {
      seen.reply.kind = model::Reply::Kind::kBlocked;
      sent_now = nullptr;
    }
  }
  machine_->feed();
  settle();
  take_answers(sent_now, seen);
}

model::Reply Server::reply_to(const Sent& sent) const {
  const std::string_view tape = sent.request.answer.reply.tape();
  model::Reply reply =
      reply_of(sent.op.verb, over_wire_ ? value_over_wire(tape, version_) : value_of(tape),
               machine_->state(), now_);
  reply.cut = sent.request.answer.misses;
  return reply;
}

void Server::take_answers(const engine::Request* sent_now, Seen& seen) {
  for (const engine::Request* request : machine_->take_answered()) {
    const auto found = sent_.find(request);
    ASSERT(found != sent_.end(), "a request is answered that nobody sent");
    const Sent& sent = *found->second;
    const bool world = std::holds_alternative<model::Close>(sent.op.verb) ||
                       std::holds_alternative<model::Undo>(sent.op.verb);
    if (request == sent_now && !world) {
      seen.reply = reply_to(sent);
    } else if (!world && !request->answer.reply.empty()) {  // Empty: its connection is gone.
      seen.answers.push_back({sent.op.conn, reply_to(sent)});
      ++tally_["waiting commands answered"];
    }
    sent_.erase(found);
  }
}

model::Snapshot Server::snapshot() const {
  return snapshot_of(machine_->state(), now_, [&](const core::Job& job) -> const core::JobRecord& {
    return record_of(job);
  });
}

std::optional<int64_t> Server::until_next_due() const {
  const base::EngineTime due = machine_->next_due();
  if (due == base::EngineTime::never()) return std::nullopt;
  return std::max<int64_t>(0, (due - now_.engine).count());
}

void Server::look_over() {
  const RecordOf records = [&](const core::Job& job) -> const core::JobRecord& {
    return record_of(job);
  };
  std::string disorder = find_disorder(machine_->state(), records);
  if (!disorder.empty()) find_fault(std::move(disorder));
}

// --- The journal and the tables.

void Server::keep_effects() {
  if (chance(kTickPercent)) machine_->tick();
  unsynced_ += machine_->take_effects();
  if (chance(kSyncPercent)) sync();
}

void Server::sync() {
  if (!unsynced_.empty()) frames_.push_back({seq_next_++, std::move(unsynced_)});
  unsynced_.clear();
  if (trim_before_ == 0) return;
  // A journal frees whole segments: some of what could go may stay, from the oldest that is kept
  // on.
  const uint64_t keep_more = chance(50) ? 0 : chance_.below(40);
  while (!frames_.empty() && frames_.front().seq + keep_more < trim_before_) {
    frames_.pop_front();
    ++tally_["frames trimmed"];
  }
  trim_before_ = 0;
}

// Between two steps. Any of its stages may be the last before a restart.
void Server::continue_flush() {
  if (!machine_->flush().running()) {
    if (!chance(kFlushPercent)) return;
    sync();
    flush_seq_ = seq_next_ - 1;
    machine_->begin_flush();
  }
  if (machine_->flush().taking()) {
    if (chance(kSlicePercent)) flush_set_ = machine_->flush_slice(1 + chance_.below(20));
    return;
  }
  if (!chance(kApplyPercent)) return;
  if (!flush_applied_) {
    const base::Status applied = tables_->apply(flush_set_->finish(flush_seq_));
    if (!applied) find_fault("the flush: " + applied.error().message);
    flush_applied_ = true;
    return;
  }
  flush_applied_ = false;
  flush_set_.reset();
  trim_before_ = applied_seq_ + 1;
  // Mostly all records leave memory, so that commands meet those that did.
  machine_->flush_done(chance(80) ? 0 : chance_.below(20'000), trim_before_);
  applied_seq_ = flush_seq_;
  ++tally_["flushes"];
}

void Server::restart(base::Now now) {
  sync();
  look_over();
  const RecordOf records = [&](const core::Job& job) -> const core::JobRecord& {
    return record_of(job);
  };
  std::map<std::string, std::string> before = durable_parts(machine_->state(), now, records);
  add_answers(machine_->state(), now, records, before);
  sent_.clear();
  machine_ = std::make_unique<engine::Machine>(random_, core::limits::kHistoryBytesMax);
  machine_->state().keys().set_bytes_max(kKeysBytesMax);
  machine_->state().keys().watch_changes();
  reader_.reset();
  tables_ = std::make_unique<store::MemoryTables>(rows_);
  applied_seq_ = flush_seq_ = tables_->open().value().applied_seq;
  reader_ = tables_->make_reader().value();
  flush_set_.reset();
  flush_applied_ = false;
  base::Status done =
      machine_->begin_recovery(applied_seq_ == 0 ? nullptr : reader_.get(), applied_seq_);
  for (const Frame& frame : frames_) {
    if (!done || frame.seq <= applied_seq_) continue;
    done = base::with_context(machine_->replay(frame.effects), fmt::format("frame {}", frame.seq));
  }
  if (const auto last = machine_->recovered_now(); last && last->engine > now.engine) {
    find_fault("the journal tells of a time that has not come");
  }
  if (done) done = machine_->end_recovery(now);
  if (!done) return find_fault("the recovery: " + done.error().message);
  now_ = now;
  machine_->begin(now);
  ++tally_["restarts"];
  look_over();
  check_same(before, now);
}

void Server::check_same(const std::map<std::string, std::string>& before, base::Now now) {
  const RecordOf records = [&](const core::Job& job) -> const core::JobRecord& {
    return record_of(job);
  };
  std::map<std::string, std::string> after = durable_parts(machine_->state(), now, records);
  add_answers(machine_->state(), now, records, after);
  for (const auto& [name, part] : before) {
    const auto found = after.find(name);
    if (found == after.end()) return find_fault("the restart forgot " + name);
    if (found->second != part) {
      return find_fault(
          fmt::format("the restart changed {}: before\n{}\nafter\n{}", name, part, found->second));
    }
    after.erase(found);
  }
  if (!after.empty()) find_fault("the restart made up " + after.begin()->first);
}

void Server::add_to(Tally& tally) const {
  for (const auto& [name, count] : tally_) tally[name] += count;
  for (const auto& queue : machine_->state().queues()) {
    const core::QueueCounters& counters = queue->counters;
    tally["jobs pushed"] += counters.pushed;
    tally["leases"] += counters.started;
    tally["attempts succeeded"] += counters.succeeded;
    tally["attempts failed"] += counters.failed;
    tally["leases lost"] += counters.lost;
    tally["leases released"] += counters.released;
    tally["jobs dead"] += counters.dead;
    tally["jobs cancelled"] += counters.cancelled;
    tally["jobs expired"] += counters.expired;
    tally["jobs deleted"] += counters.deleted;
    tally["jobs forgotten"] += counters.retired;
    tally["jobs retried"] += counters.retried;
  }
}

}  // namespace sim
