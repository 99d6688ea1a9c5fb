// What is added to a job, or changed of it, as bytes.
#include "store/effect_parts.h"

namespace store {
namespace {

// Of the mask of a change, in the order in which the fields follow; then one bit for each number.
enum EditField : uint64_t {
  kEditedQueue = 1U << 0,
  kEditedType = 1U << 1,
  kEditedArgs = 1U << 2,
  kEditedPriority = 1U << 3,
  kEditedBackoff = 1U << 4,
  kEditedReadySeq = 1U << 5,
  kEditedRunAt = 1U << 6,
  kEditedRunAtIsWall = 1U << 7,  // Has no field.
  kEditedNumbers = 1U << 8,
};
constexpr uint64_t kEditFieldsMax = (uint64_t{kEditedNumbers} << core::kEditNumberCount) - 1;

uint64_t edit_mask(const core::JobEdited& edited) {
  uint64_t mask = 0;
  if (edited.queue) mask |= kEditedQueue;
  if (edited.type) mask |= kEditedType;
  if (edited.args) mask |= kEditedArgs;
  if (edited.priority) mask |= kEditedPriority;
  if (edited.backoff) mask |= kEditedBackoff;
  if (edited.ready_seq != 0) mask |= kEditedReadySeq;
  if (edited.run_at_ms != 0) mask |= kEditedRunAt;
  if (edited.run_at_is_wall) mask |= kEditedRunAtIsWall;
  for (size_t i = 0; i < core::kEditNumberCount; ++i) {
    if (edited.numbers[i]) mask |= uint64_t{kEditedNumbers} << i;
  }
  return mask;
}

}  // namespace

void write(ByteWriter& out, const core::JobLogged& logged) {
  write_tag(out, EffectTag::kJobLogged);
  out.number(logged.id.value);
  out.byte(static_cast<uint8_t>(logged.level));
  out.text(logged.text);
}

void write(ByteWriter& out, const core::JobEdited& edited) {
  write_tag(out, EffectTag::kJobEdited);
  out.number(edited.id.value);
  out.byte(static_cast<uint8_t>(edited.after));
  out.number(edit_mask(edited));
  if (edited.queue) out.text(*edited.queue);
  if (edited.type) out.text(*edited.type);
  if (edited.args) out.text(*edited.args);
  if (edited.priority) out.byte(*edited.priority);
  if (edited.backoff) out.text(core::backoff_text(*edited.backoff));
  if (edited.ready_seq != 0) out.number(edited.ready_seq);
  if (edited.run_at_ms != 0) out.signed_number(edited.run_at_ms);
  for (const std::optional<int64_t>& number : edited.numbers) {
    if (number) out.signed_number(*number);
  }
}

core::Effect read_job_logged(ByteReader& in) {
  core::JobLogged logged;
  logged.id = core::JobId{in.number()};
  logged.level = read_enum<core::LogLevel>(in, core::kLogLevelCount - 1);
  logged.text = in.text();
  if (logged.text.size() > core::limits::kLogTextBytesMax) in.fail();
  return logged;
}

namespace {

int64_t read_not_negative(ByteReader& in) {
  const int64_t number = in.signed_number();
  if (number < 0) in.fail();
  return number;
}

}  // namespace

core::Effect read_job_edited(ByteReader& in) {
  core::JobEdited edited;
  edited.id.value = in.number();
  edited.after = read_enum<core::JobState>(in, core::kJobStateCount - 1);
  const uint64_t mask = in.bounded(kEditFieldsMax);
  const auto has = [&](uint64_t field) { return (mask & field) != 0; };
  if (has(kEditedQueue)) edited.queue = in.text();
  if (has(kEditedType)) edited.type = in.text();
  if (has(kEditedArgs)) edited.args = in.text();
  if (has(kEditedPriority)) {
    edited.priority = static_cast<uint8_t>(in.bounded(core::limits::kPriorityMax));
  }
  if (has(kEditedBackoff)) {
    base::Result<core::Backoff> policy = core::parse_backoff(in.text());
    if (!policy) in.fail();
    if (policy) edited.backoff = *std::move(policy);
  }
  if (has(kEditedReadySeq)) edited.ready_seq = in.bounded(core::kReadySeqMask);
  if (has(kEditedRunAt)) edited.run_at_ms = read_not_negative(in);
  edited.run_at_is_wall = has(kEditedRunAtIsWall);
  for (size_t i = 0; i < core::kEditNumberCount; ++i) {
    if (has(uint64_t{kEditedNumbers} << i)) edited.numbers[i] = read_not_negative(in);
  }
  if (core::is_finished(edited.after) || edited.after == core::JobState::kRunning) in.fail();
  return edited;
}

}  // namespace store
