// QUEUE.SET. A job takes the defaults of its queue when it is pushed, and keeps them: what it was
// accepted under does not change behind its back, and JOB.GET tells it.
#include <algorithm>

#include "core/context.h"

namespace core {

using base::ErrorCode;
using base::Status;

namespace {

struct Bound {
  std::string_view option;
  Range range;
};

const Bound& bound_of(QueueNumber number) {
  static constexpr std::array<Bound, kQueueNumberCount> kBounds = {{
      {"MAXLEN", {1, limits::kQueueLengthMax}},
      {"ATTEMPTS", {1, limits::kAttemptsMax}},
      {"LEASE", {limits::kLeaseMsMin, limits::kLeaseMsMax}},
      {"TIMEOUT", {0, limits::kDurationMsMax}},
      {"KEEP", {0, limits::kDurationMsMax}},
      {"CRASHES", {1, limits::kCrashesMax}},
      {"ALERT", {1, limits::kDurationMsMax}},
      {"AGE", {1, limits::kDurationMsMax}},
  }};
  return kBounds[static_cast<size_t>(number)];
}

// Puts one option into the settings. 0 takes it back where it could not be meant otherwise.
Status set_number(QueueSettings& settings, QueueNumber number, std::optional<int64_t> value) {
  const Bound& bound = bound_of(number);
  if (value == 0 && bound.range.low > 0) value = std::nullopt;
  if (value) TRY(check_range(bound.option, *value, bound.range));
  settings.of(number) = value;
  return {};
}

base::Result<QueueSettings> settings_with(const QueueSet& set, QueueSettings settings) {
  if (set.numbers.empty() && !set.backoff) {
    return base::fail(ErrorCode::kBadReq,
                      "field=OPTION give at least one of MAXLEN, ATTEMPTS, BACKOFF, LEASE, "
                      "TIMEOUT, KEEP, CRASHES, ALERT, AGE");
  }
  for (const auto& [number, value] : set.numbers) TRY(set_number(settings, number, value));
  if (set.backoff) settings.backoff = *set.backoff;
  return settings;
}

}  // namespace

Status check_room(const Queue* queue) {
  if (queue == nullptr) return {};
  const std::optional<int64_t>& most = queue->settings.of(QueueNumber::kMaxlen);
  if (!most || queue->length() < static_cast<uint64_t>(*most)) return {};
  return base::fail(ErrorCode::kQueueFull,
                    "len={} max={} queue '{}' is full: push again when jobs have run, or raise "
                    "its MAXLEN",
                    queue->length(), *most, queue->name);
}

void apply_queue_set(Context& context, const QueueSet& set, Answer& answer) {
  Status fits = check_name("queue", set.queue);
  if (fits) fits = check_queue_bound(context.state, set.queue);
  if (fits) fits = check_not_deleted(context.state, set.queue);
  if (!fits) return answer.reply.error(fits.error());
  const Queue* queue = context.state.find_queue(set.queue);
  const QueueSettings before = queue != nullptr ? queue->settings : QueueSettings{};
  base::Result<QueueSettings> after = settings_with(set, before);
  if (!after) return answer.reply.error(after.error());
  if (*after != before) {
    emit(context, QueueSettingsPut{.name = set.queue, .settings = *std::move(after)});
  }
  answer.reply.ok();
}

}  // namespace core
