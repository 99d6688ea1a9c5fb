#include "sim/server.h"

#include <algorithm>

#include "base/assert.h"
#include "sim/command_of.h"
#include "sim/reply_of.h"
#include "sim/snapshot.h"

namespace sim {
namespace {

// One seed in so many goes over the wire format: it costs more than the rest of a step.
constexpr uint64_t kWireEach = 4;
constexpr uint64_t kCheckpointPercent = 2;
constexpr uint64_t kSlicePercent = 40;
constexpr uint64_t kSyncPercent = 50;
constexpr uint64_t kTickPercent = 5;

base::Now now_of(model::Now now) {
  return {base::EngineTime{now.engine_ms}, base::WallTime{now.wall_ms}};
}

void add_answers(const core::State& state, base::Now now,
                 std::map<std::string, std::string>& parts) {
  const core::Ledger& ledger = state.ledger();
  for (auto block = ledger.block_from(0); block; block = ledger.block_from(*block + 1)) {
    for (const core::LedgerEntry& entry : ledger.image_of(*block).entries) {
      if (entry.until <= now.engine) continue;
      parts[fmt::format("answer {} {}", entry.id.value, entry.fence)] =
          fmt::format("{} {} {} {} {} {} {}", entry.secret_hash, static_cast<int>(entry.ending),
                      entry.cancelled, static_cast<int>(entry.after), entry.attempt,
                      entry.run_at_ms, entry.until);
    }
  }
}

}  // namespace

Server::Server(uint64_t seed, model::Now start)
    : over_wire_(seed % kWireEach == 0),
      version_(seed % (2 * kWireEach) == 0 ? protocol::RespVersion::kResp2
                                           : protocol::RespVersion::kResp3),
      random_(seed),
      chance_(~seed),
      machine_(std::make_unique<engine::Machine>(random_, core::limits::kHistoryBytesMax)),
      now_(now_of(start)) {
  machine_->state().keys().set_bytes_max(kKeysBytesMax);
  machine_->begin(now_);
}

Server::Seen Server::perform(const model::Op& op, model::Now now) {
  Seen seen;
  if (std::holds_alternative<model::Restart>(op.verb)) {
    restart(now_of(now));
    return seen;
  }
  now_ = now_of(now);
  machine_->begin(now_);
  if (const auto* advance = std::get_if<model::Advance>(&op.verb)) {
    pass_time(advance->stall);
    take_answers(nullptr, seen);
  } else {
    send(op, seen);
    count_keys(op, seen.reply);
  }
  continue_checkpoint();
  keep_effects();
  return seen;
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

void Server::pass_time(bool stall) {
  if (stall) machine_->credit_stall();
  constexpr uint64_t kDueMost = 5;
  const size_t keys = machine_->state().keys().held();
  while (machine_->apply_due(1 + chance_.below(kDueMost))) {
  }
  tally_["keys over"] += keys - machine_->state().keys().held();
  machine_->feed();
  machine_->expire_waiting();
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
    if (!world && sent_now->answer.blocks) {
      seen.reply.kind = model::Reply::Kind::kBlocked;
      sent_now = nullptr;
    }
  }
  machine_->feed();
  take_answers(sent_now, seen);
}

model::Reply Server::reply_to(const Sent& sent) const {
  const std::string_view tape = sent.request.answer.reply.tape();
  return reply_of(sent.op.verb, over_wire_ ? value_over_wire(tape, version_) : value_of(tape),
                  machine_->state(), now_);
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
  return snapshot_of(machine_->state(), now_);
}

std::optional<int64_t> Server::until_next_due() const {
  const base::EngineTime due = machine_->next_due();
  if (due == base::EngineTime::never()) return std::nullopt;
  return std::max<int64_t>(0, (due - now_.engine).count());
}

void Server::look_over() {
  std::string disorder = find_disorder(machine_->state());
  if (!disorder.empty()) find_fault(std::move(disorder));
}

// --- The journal.

void Server::keep_effects() {
  if (chance(kTickPercent)) machine_->tick();
  unsynced_ += machine_->take_effects();
  if (chance(kSyncPercent)) flush();
}

void Server::flush() {
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

void Server::continue_checkpoint() {
  if (!machine_->in_checkpoint()) {
    if (!chance(kCheckpointPercent)) return;
    machine_->begin_checkpoint(seq_next_);
  }
  if (!chance(kSlicePercent)) return;
  if (const auto trim_before = machine_->checkpoint_slice()) {
    trim_before_ = *trim_before;
    ++tally_["checkpoints"];
  }
}

void Server::restart(base::Now now) {
  flush();
  look_over();
  std::map<std::string, std::string> before = durable_parts(machine_->state(), now);
  add_answers(machine_->state(), now, before);
  sent_.clear();
  machine_ = std::make_unique<engine::Machine>(random_, core::limits::kHistoryBytesMax);
  machine_->state().keys().set_bytes_max(kKeysBytesMax);
  machine_->begin_recovery();
  for (const Frame& frame : frames_) {
    const auto read =
        store::decode_effects(frame.effects, [&](core::Effect&& effect, base::Now at) {
          return machine_->replay(std::move(effect), at);
        });
    if (!read) find_fault(fmt::format("frame {}: {}", frame.seq, read.error().message));
  }
  if (const auto last = machine_->recovered_now(); last && last->engine > now.engine) {
    find_fault("the journal tells of a time that has not come");
  }
  const base::Status done = machine_->end_recovery(now);
  if (!done) return find_fault("the end of recovery: " + done.error().message);
  now_ = now;
  machine_->begin(now);
  ++tally_["restarts"];
  look_over();
  check_same(before, now);
}

void Server::check_same(const std::map<std::string, std::string>& before, base::Now now) {
  std::map<std::string, std::string> after = durable_parts(machine_->state(), now);
  add_answers(machine_->state(), now, after);
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
