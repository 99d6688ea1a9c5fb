// Effects on queues and types as bytes.
#include "store/effect_parts.h"

namespace store {
namespace {

// Of the mask of a queue's settings: the backoff, then one for each number in order.
constexpr uint64_t kHasBackoff = 1;
constexpr uint64_t kFirstNumber = 2;

// What a queue is, as bits.
constexpr uint8_t kPaused = 1;
constexpr uint8_t kForgotten = 2;
constexpr uint8_t kHasBalance = 4;

// All counters, in the order of their declaration. A new one goes to the end.
template <typename Counters, typename Visit>
void for_each_counter(Counters& counters, Visit visit) {
  for (auto* counter :
       {&counters.pushed, &counters.started, &counters.succeeded, &counters.failed,
        &counters.retrying, &counters.retried, &counters.released, &counters.lost, &counters.dead,
        &counters.cancelled, &counters.expired, &counters.deleted, &counters.retired}) {
    visit(*counter);
  }
}

}  // namespace

void write(ByteWriter& out, const core::QueuePut& put) {
  write_tag(out, EffectTag::kQueuePut);
  out.text(put.name);
  out.byte(static_cast<uint8_t>((put.paused ? kPaused : 0) | (put.is_forgotten ? kForgotten : 0) |
                                (put.balance != 0 ? kHasBalance : 0)));
  if (put.balance != 0) out.signed_number(put.balance);
  out.text(put.reason);
  out.byte(put.has_counters ? 1 : 0);
  if (put.has_counters) {
    for_each_counter(put.counters, [&](uint64_t counter) { out.number(counter); });
  }
}

void write(ByteWriter& out, const core::QueueSettingsPut& put) {
  write_tag(out, EffectTag::kQueueSettingsPut);
  out.text(put.name);
  uint64_t mask = put.settings.backoff ? kHasBackoff : 0;
  for (size_t i = 0; i < core::kQueueNumberCount; ++i) {
    if (put.settings.numbers[i]) mask |= kFirstNumber << i;
  }
  out.number(mask);
  if (put.settings.backoff) out.text(core::backoff_text(*put.settings.backoff));
  for (const std::optional<int64_t>& number : put.settings.numbers) {
    if (number) out.number(static_cast<uint64_t>(*number));
  }
}

void write(ByteWriter& out, const core::TypePausePut& put) {
  write_tag(out, EffectTag::kTypePausePut);
  out.text(put.type);
  out.text(put.queue);
  out.byte(put.paused ? 1 : 0);
  out.text(put.reason);
}

core::Effect read_queue_put(ByteReader& in) {
  core::QueuePut put;
  put.name = in.text();
  const uint64_t is = in.bounded(kPaused | kForgotten | kHasBalance);
  put.paused = (is & kPaused) != 0;
  put.is_forgotten = (is & kForgotten) != 0;
  if ((is & kHasBalance) != 0) put.balance = in.signed_number();
  put.reason = in.text();
  put.has_counters = in.bounded(1) != 0;
  if (put.has_counters) {
    for_each_counter(put.counters, [&](uint64_t& counter) { counter = in.number(); });
  }
  return put;
}

core::Effect read_queue_settings_put(ByteReader& in) {
  core::QueueSettingsPut put;
  put.name = in.text();
  const uint64_t mask = in.bounded((kFirstNumber << core::kQueueNumberCount) - 1);
  if ((mask & kHasBackoff) != 0) {
    base::Result<core::Backoff> policy = core::parse_backoff(in.text());
    if (!policy) in.fail();
    if (policy) put.settings.backoff = *std::move(policy);
  }
  for (size_t i = 0; i < core::kQueueNumberCount; ++i) {
    if ((mask & kFirstNumber << i) == 0) continue;
    put.settings.numbers[i] = static_cast<int64_t>(in.bounded(INT64_MAX));
  }
  return put;
}

core::Effect read_type_pause_put(ByteReader& in) {
  core::TypePausePut put;
  put.type = in.text();
  put.queue = in.text();
  put.paused = in.bounded(1) != 0;
  put.reason = in.text();
  return put;
}

}  // namespace store
