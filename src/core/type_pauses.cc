#include "core/type_pauses.h"

#include <algorithm>

#include "base/assert.h"

namespace core {

void TypePauses::note_changed(TypeName& type) {
  if (std::exchange(type.changed, true)) return;
  changed_.push_back(&type);
}

void TypePauses::pause(TypeName& type, Queue* queue, std::string_view reason) {
  note_changed(type);
  if (queue == nullptr) {
    if (!std::exchange(type.paused, true)) {
      everywhere_.push_back(&type);
      ++count_;
    }
    type.pause_reason = reason;
    return;
  }
  const auto known = std::ranges::find(type.paused_in, queue, &TypeName::Pause::queue);
  if (known != type.paused_in.end()) {
    known->reason = reason;
    return;
  }
  type.paused_in.push_back({queue, std::string(reason)});
  queue->ready.hold(type);
  ++count_;
}

void TypePauses::resume(TypeName& type, Queue* queue) {
  note_changed(type);
  if (queue == nullptr) {
    if (!std::exchange(type.paused, false)) return;
    std::erase(everywhere_, &type);
    type.pause_reason.clear();
    --count_;
    return;
  }
  const auto is_here = [&](const TypeName::Pause& pause) { return pause.queue == queue; };
  if (std::erase_if(type.paused_in, is_here) == 0) return;
  queue->ready.let_go(type);
  --count_;
}

const std::string* TypePauses::reason_in(const Queue& queue, const TypeName& type) {
  const auto known = std::ranges::find(type.paused_in, &queue, &TypeName::Pause::queue);
  return known == type.paused_in.end() ? nullptr : &known->reason;
}

std::vector<TypeName*> TypePauses::take_changed() {
  std::vector<TypeName*> changed;
  changed.swap(changed_);
  for (TypeName* type : changed) type->changed = false;
  return changed;
}

}  // namespace core
