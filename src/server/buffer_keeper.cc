#include "server/buffer_keeper.h"

#include "server/connection_limits.h"

namespace server {

using engine::Pressure;

void BufferKeeper::change(uint64_t before, uint64_t after) {
  gauge_.held(before, after);
  const bool is_too_much = is_pressed() && gauge_.used() > wake_above_;
  const bool is_enough = !held_back_.empty() && is_calm();
  if (woken_ || !(is_too_much || is_enough)) return;
  woken_ = true;
  wake_();
}

void BufferKeeper::acted() {
  constexpr uint64_t kStep = 64;
  woken_ = false;
  wake_above_ = is_pressed() ? gauge_.used() + gauge_.budget() / kStep : 0;
}

uint64_t BufferKeeper::excess() const {
  const uint64_t used = gauge_.used();
  const uint64_t wanted = gauge_.budget() / 100 * engine::kOrangePercent;
  return used > wanted ? used - wanted : 0;
}

bool BufferKeeper::may_read(uint64_t held) const {
  const Pressure pressure = gauge_.pressure();
  if (pressure == Pressure::kNone) return true;
  return held < (pressure == Pressure::kRed ? kHeldBytesRed : kHeldBytesYellow);
}

}  // namespace server
