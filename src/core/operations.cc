#include "core/operations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "base/assert.h"
#include "base/result.h"
#include "core/limits.h"

namespace core {

std::string_view operation_verb_name(OperationVerb verb) {
  static constexpr std::array<std::string_view, kOperationVerbCount> kNames = {
      "retry", "cancel", "delete", "purge", "delete_queue", "edit"};
  return kNames.at(static_cast<size_t>(verb));
}

std::string_view operation_state_name(OperationState state) {
  static constexpr std::array<std::string_view, kOperationStateCount> kNames = {"running", "done",
                                                                                "cancelled"};
  return kNames.at(static_cast<size_t>(state));
}

std::string operation_text(uint64_t number) {
  return fmt::format("op-{}", number);
}

std::optional<uint64_t> parse_operation(std::string_view text) {
  constexpr std::string_view kPrefix = "op-";
  if (!text.starts_with(kPrefix)) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

const Operation* Operations::find(uint64_t number) const {
  const auto found = all_.find(number);
  return found == all_.end() ? nullptr : &found->second;
}

const Operation* Operations::take_turn(base::EngineTime now, const IsBeingRead& is_being_read) {
  if (running_ == 0) return nullptr;
  const auto may_run = [&](const auto& entry) {
    const Operation& operation = entry.second;
    if (!operation.is_running()) return false;
    const Pause& pause = pauses_[operation.number];
    return pause.until <= now && !(pause.record && is_being_read(*pause.record));
  };
  // Those behind the last one, then from the front.
  auto found = std::find_if(all_.upper_bound(turn_), all_.end(), may_run);
  if (found == all_.end()) found = std::ranges::find_if(all_, may_run);
  if (found == all_.end()) return nullptr;
  turn_ = found->first;
  pauses_.erase(turn_);
  return &found->second;
}

base::EngineTime Operations::next_turn(const IsBeingRead& is_being_read) const {
  base::EngineTime next = base::EngineTime::never();
  if (running_ == 0) return next;
  for (const auto& [number, operation] : all_) {
    if (!operation.is_running()) continue;
    const auto found = pauses_.find(number);
    const Pause pause = found == pauses_.end() ? Pause{} : found->second;
    if (pause.record && is_being_read(*pause.record)) continue;
    next = std::min(next, pause.until);
  }
  return next;
}

void Operations::put(Operation&& operation) {
  const uint64_t number = operation.number;
  changed_.insert(number);
  const auto [place, is_new] = all_.try_emplace(number);
  if (!is_new && place->second.is_running()) --running_;
  const bool was_running = is_new || place->second.is_running();
  place->second = std::move(operation);
  if (place->second.is_running()) {
    ++running_;
  } else if (was_running) {
    ended_.push_back(number);
    pauses_.erase(number);
  }
  drop_oldest();
}

void Operations::move_on(uint64_t number, JobId next) {
  const auto found = all_.find(number);
  ASSERT(found != all_.end(), "there is no operation {}", number);
  found->second.next = next;
}

// The newest one always stays: the next number follows from it.
void Operations::drop_oldest() {
  while (all_.size() - running_ > limits::kOperationsKeptMax) {
    const auto oldest =
        std::ranges::find_if(all_, [](const auto& entry) { return !entry.second.is_running(); });
    if (std::next(oldest) == all_.end()) return;
    changed_.insert(oldest->first);
    all_.erase(oldest);
  }
}

std::vector<uint64_t> Operations::take_changed() {
  std::vector<uint64_t> changed(changed_.begin(), changed_.end());
  changed_.clear();
  std::ranges::sort(changed);
  return changed;
}

}  // namespace core
