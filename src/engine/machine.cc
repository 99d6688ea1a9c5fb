#include "engine/machine.h"

#include <algorithm>

#include "base/assert.h"

namespace engine {

base::Status Machine::replay(core::Effect&& effect, base::Now now) {
  recovered_now_ = now;
  return state_.enact(std::move(effect), now);
}

base::Status Machine::end_recovery(base::Now now) {
  TRY(state_.end_recovery());
  state_.credit_leases(now.engine);
  return {};
}

core::Context Machine::context() {
  return core::Context{state_, now_, random_, effects_, turns_, push_refusal_};
}

void Machine::begin(base::Now now, const base::Error* push_refusal) {
  ASSERT(now.engine >= now_.engine, "engine time steps back from {} to {}", now_.engine,
         now.engine);
  now_ = now;
  push_refusal_ = push_refusal;
  effects_.begin(now);
  state_.watch_wall_clock(now);
}

void Machine::close_session(Request& request) {
  if (Request* waiter = waiting_.remove_session(request.session)) {
    waiter->answer.clear();
    answered_.push_back(waiter);
  }
}

void Machine::apply(Request& request) {
  core::Context step = context();
  request.answer.clear();
  if (request.kind == Request::Kind::kClose) close_session(request);
  if (quiet_ && std::holds_alternative<core::Fetch>(request.command.body)) {
    request.answer.reply.array(0);
    answered_.push_back(&request);
    return;
  }
  core::apply(step, request.command, request.answer);
  if (!request.answer.blocks) {
    answered_.push_back(&request);
    return;
  }
  if (const auto* wait = std::get_if<core::Wait>(&request.command.body)) {
    auto jobs = core::resolve_wait(state_, *wait);
    ASSERT(jobs.has_value(), "a wait that blocks has jobs");
    waiting_.add_wait(request, *std::move(jobs), now_.engine);
  } else {
    waiting_.add_fetch(request, now_.engine);
  }
}

bool Machine::apply_due(size_t most) {
  core::Context step = context();
  state_.expire_memory(now_.engine);
  return core::apply_due(step, most);
}

void Machine::feed() {
  core::Context step = context();
  if (!quiet_) waiting_.feed(step, answered_);
  const std::vector<core::JobId> ended = state_.take_ended();
  if (waiting_.has_waits() && !ended.empty()) waiting_.finish(step, ended, answered_);
}

void Machine::expire_waiting() {
  core::Context step = context();
  waiting_.expire(step, quiet_, answered_);
}

base::EngineTime Machine::next_due() const {
  return std::min(core::next_due(state_, now_), waiting_.next_deadline());
}

}  // namespace engine
