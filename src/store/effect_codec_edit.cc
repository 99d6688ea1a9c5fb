// What is added to a job, or changed of it, as bytes.
#include "store/effect_parts.h"

namespace store {
namespace {

// Of the mask of a change, in the order in which the fields follow; then one bit for each number.
enum EditField : uint64_t {
  kQueue = 1U << 0,
  kType = 1U << 1,
  kArgs = 1U << 2,
  kPriority = 1U << 3,
  kBackoff = 1U << 4,
  kReadySeq = 1U << 5,
  kRunAt = 1U << 6,
  kRunAtIsWall = 1U << 7,  // Has no field.
  kFirstNumber = 1U << 8,
};
constexpr uint64_t kEditFieldsMax = (uint64_t{kFirstNumber} << core::kEditNumberCount) - 1;

uint64_t mask_of(const core::JobEdited& edited) {
  uint64_t mask = 0;
  if (edited.queue) mask |= kQueue;
  if (edited.type) mask |= kType;
  if (edited.args) mask |= kArgs;
  if (edited.priority) mask |= kPriority;
  if (edited.backoff) mask |= kBackoff;
  if (edited.ready_seq != 0) mask |= kReadySeq;
  if (edited.run_at_ms != 0) mask |= kRunAt;
  if (edited.run_at_is_wall) mask |= kRunAtIsWall;
  for (size_t i = 0; i < core::kEditNumberCount; ++i) {
    if (edited.numbers[i]) mask |= uint64_t{kFirstNumber} << i;
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
  out.number(mask_of(edited));
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
  if (has(kQueue)) edited.queue = in.text();
  if (has(kType)) edited.type = in.text();
  if (has(kArgs)) edited.args = in.text();
  if (has(kPriority)) {
    edited.priority = static_cast<uint8_t>(in.bounded(core::limits::kPriorityMax));
  }
  if (has(kBackoff)) {
    base::Result<core::Backoff> policy = core::parse_backoff(in.text());
    if (!policy) in.fail();
    if (policy) edited.backoff = *std::move(policy);
  }
  if (has(kReadySeq)) edited.ready_seq = in.bounded(core::kReadySeqMask);
  if (has(kRunAt)) edited.run_at_ms = read_not_negative(in);
  edited.run_at_is_wall = has(kRunAtIsWall);
  for (size_t i = 0; i < core::kEditNumberCount; ++i) {
    if (has(uint64_t{kFirstNumber} << i)) edited.numbers[i] = read_not_negative(in);
  }
  if (core::is_finished(edited.after) || edited.after == core::JobState::kRunning) in.fail();
  return edited;
}

}  // namespace store
