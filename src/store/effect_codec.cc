#include "store/effect_codec.h"

#include "store/bytes.h"
#include "store/effect_parts.h"
#include "store/job_codec.h"
#include "store/operation_codec.h"

namespace store {

using base::ErrorCode;

namespace {

constexpr uint64_t kWhyMax = static_cast<uint64_t>(core::JobPut::Why::kImage);
constexpr uint64_t kStateMax = core::kJobStateCount - 1;
constexpr uint64_t kOutcomeMax = static_cast<uint64_t>(core::Outcome::kCancelled);
constexpr uint64_t kEndingMax = static_cast<uint64_t>(core::Ending::kRelease);
constexpr uint64_t kDeadReasonMax = static_cast<uint64_t>(core::DeadReason::kCrashes);

core::JobId read_id(ByteReader& in) {
  return core::JobId{in.number()};
}

// One `write` for each effect; `read` below in the same order.

void write(ByteWriter& out, const core::JobPut& put) {
  write_tag(out, EffectTag::kJobPut);
  out.byte(static_cast<uint8_t>(put.why));
  out.text(put.queue);
  out.text(put.type);
  encode_job(out, put.job);
}

void write(ByteWriter& out, const core::PushSeen& seen) {
  write_tag(out, EffectTag::kPushSeen);
  out.number(seen.id.value);
  out.byte(seen.created ? 1 : 0);
  out.text(seen.request);
  if (!seen.request.empty()) {
    out.signed_number(seen.until.ms);
    return;
  }
  out.text(seen.producer);
  out.number(seen.producer_seq);
}

void write(ByteWriter& out, const core::JobGranted& granted) {
  write_tag(out, EffectTag::kJobGranted);
  out.number(granted.id.value);
  out.raw(granted.secret.data(), granted.secret.size());
  out.text(granted.worker);
  out.byte(granted.alone ? 1 : 0);
}

void write(ByteWriter& out, const core::JobUngranted& ungranted) {
  write_tag(out, EffectTag::kJobUngranted);
  out.number(ungranted.id.value);
}

void write(ByteWriter& out, const core::JobEnded& ended) {
  constexpr uint8_t kHasRunAt = 1;
  constexpr uint8_t kHasReadySeq = 2;
  constexpr uint8_t kHasError = 4;
  constexpr uint8_t kHasResult = 8;
  const bool has_error =
      !ended.error_class.empty() || !ended.message.empty() || !ended.trace.empty();
  write_tag(out, EffectTag::kJobEnded);
  out.number(ended.id.value);
  out.byte(static_cast<uint8_t>(ended.outcome));
  out.byte(static_cast<uint8_t>(ended.ending));
  out.byte(static_cast<uint8_t>(ended.after));
  out.byte(static_cast<uint8_t>(ended.dead_reason));
  out.byte(static_cast<uint8_t>((ended.run_at_ms != 0 ? kHasRunAt : 0) |
                                (ended.ready_seq != 0 ? kHasReadySeq : 0) |
                                (has_error ? kHasError : 0) | (ended.has_result ? kHasResult : 0)));
  if (ended.run_at_ms != 0) out.signed_number(ended.run_at_ms);
  if (ended.ready_seq != 0) out.number(ended.ready_seq);
  if (has_error) {
    out.text(ended.error_class);
    out.text(ended.message);
    out.text(ended.trace);
  }
  if (ended.has_result) out.text(ended.result);
}

void write(ByteWriter& out, const core::JobMoved& moved) {
  write_tag(out, EffectTag::kJobMoved);
  out.number(moved.id.value);
  out.byte(static_cast<uint8_t>(moved.after));
  out.number(moved.ready_seq);
  out.byte(moved.new_generation ? 1 : 0);
}

void write(ByteWriter& out, const core::JobCancelRequested& requested) {
  write_tag(out, EffectTag::kJobCancelRequested);
  out.number(requested.id.value);
}

void write(ByteWriter& out, const core::JobProgressed& progressed) {
  write_tag(out, EffectTag::kJobProgressed);
  out.number(progressed.id.value);
  out.text(progressed.data);
}

void write(ByteWriter& out, const core::JobRemoved& removed) {
  write_tag(out, EffectTag::kJobRemoved);
  out.number(removed.id.value);
  out.byte(removed.deleted ? 1 : 0);
}

void write(ByteWriter& out, const core::ProducerPut& put) {
  write_tag(out, EffectTag::kProducerPut);
  out.text(put.name);
  out.signed_number(put.used.ms);
  out.number(put.window.size());
  for (const core::SeenPush& push : put.window) {
    out.number(push.seq);
    out.number(push.id.value);
    out.byte(push.created ? 1 : 0);
  }
}

void write(ByteWriter& out, const core::LedgerPut& put) {
  write_tag(out, EffectTag::kLedgerPut);
  out.number(put.entries.size());
  for (const core::LedgerEntry& entry : put.entries) {
    out.number(entry.id.value);
    out.number(entry.fence);
    out.raw(&entry.secret_hash, sizeof entry.secret_hash);
    out.byte(static_cast<uint8_t>(entry.ending));
    out.byte(entry.cancelled ? 1 : 0);
    out.byte(static_cast<uint8_t>(entry.after));
    out.number(entry.attempt);
    out.signed_number(entry.run_at_ms);
    out.signed_number(entry.until.ms);
  }
}

void write(ByteWriter& out, const core::StatePut& put) {
  write_tag(out, EffectTag::kStatePut);
  out.number(put.sequence_next);
  out.number(put.ready_seq_next);
}

void write(ByteWriter& out, const core::ProducerForgotten& forgotten) {
  write_tag(out, EffectTag::kProducerForgotten);
  out.text(forgotten.name);
}

void write(ByteWriter& out, const core::Ticked& /*ticked*/) {
  write_tag(out, EffectTag::kTicked);
}

void write(ByteWriter& out, const core::Flushed& flushed) {
  write_tag(out, EffectTag::kFlushed);
  out.number(flushed.needed_seq);
}

void write(ByteWriter& out, const core::CheckpointDone& done) {
  write_tag(out, EffectTag::kCheckpointDone);
  out.number(done.begin_seq);
}

void write(ByteWriter& out, const core::OperationPut& put) {
  write_tag(out, EffectTag::kOperationPut);
  encode_operation(out, put.operation);
}

core::Effect read_job_put(ByteReader& in) {
  core::JobPut put;
  put.why = read_enum<core::JobPut::Why>(in, kWhyMax);
  put.queue = in.text();
  put.type = in.text();
  put.job = decode_job(in);
  return put;
}

core::Effect read_push_seen(ByteReader& in) {
  core::PushSeen seen;
  seen.id = read_id(in);
  seen.created = in.bounded(1) != 0;
  seen.request = in.text();
  if (!seen.request.empty()) {
    seen.until.ms = in.signed_number();
    return seen;
  }
  seen.producer = in.text();
  seen.producer_seq = in.number();
  return seen;
}

core::Effect read_job_granted(ByteReader& in) {
  core::JobGranted granted;
  granted.id = read_id(in);
  in.raw(granted.secret.data(), granted.secret.size());
  granted.worker = in.text();
  granted.alone = in.bounded(1) != 0;
  return granted;
}

core::Effect read_job_ended(ByteReader& in) {
  core::JobEnded ended;
  ended.id = read_id(in);
  ended.outcome = read_enum<core::Outcome>(in, kOutcomeMax);
  ended.ending = read_enum<core::Ending>(in, kEndingMax);
  ended.after = read_enum<core::JobState>(in, kStateMax);
  ended.dead_reason = read_enum<core::DeadReason>(in, kDeadReasonMax);
  const uint64_t has = in.bounded(15);
  if ((has & 1) != 0) ended.run_at_ms = in.signed_number();
  if ((has & 2) != 0) ended.ready_seq = in.number();
  if ((has & 4) != 0) {
    ended.error_class = in.text();
    ended.message = in.text();
    ended.trace = in.text();
  }
  ended.has_result = (has & 8) != 0;
  if (ended.has_result) ended.result = in.text();
  return ended;
}

core::Effect read_job_moved(ByteReader& in) {
  core::JobMoved moved;
  moved.id = read_id(in);
  moved.after = read_enum<core::JobState>(in, kStateMax);
  moved.ready_seq = in.number();
  moved.new_generation = in.bounded(1) != 0;
  return moved;
}

core::Effect read_producer_put(ByteReader& in) {
  core::ProducerPut put;
  put.name = in.text();
  put.used.ms = in.signed_number();
  const uint64_t count = in.number();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    core::SeenPush push;
    push.seq = in.number();
    push.id = read_id(in);
    push.created = in.bounded(1) != 0;
    put.window.push_back(push);
  }
  return put;
}

core::Effect read_ledger_put(ByteReader& in) {
  core::LedgerPut put;
  const uint64_t count = in.number();
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    core::LedgerEntry entry;
    entry.id = read_id(in);
    entry.fence = static_cast<uint32_t>(in.bounded(UINT32_MAX));
    if (entry.fence == 0) in.fail();
    in.raw(&entry.secret_hash, sizeof entry.secret_hash);
    entry.ending = read_enum<core::Ending>(in, kEndingMax);
    entry.cancelled = in.bounded(1) != 0;
    entry.after = read_enum<core::JobState>(in, kStateMax);
    entry.attempt = static_cast<uint32_t>(in.bounded(UINT32_MAX));
    entry.run_at_ms = in.signed_number();
    entry.until.ms = in.signed_number();
    put.entries.push_back(entry);
  }
  return put;
}

// Reads the effect behind `tag`; a tag that is none fails the reader.
core::Effect read_effect(EffectTag tag, ByteReader& in) {
  switch (tag) {
    case EffectTag::kJobPut:
      return read_job_put(in);
    case EffectTag::kPushSeen:
      return read_push_seen(in);
    case EffectTag::kJobGranted:
      return read_job_granted(in);
    case EffectTag::kJobUngranted:
      return core::JobUngranted{read_id(in)};
    case EffectTag::kJobEnded:
      return read_job_ended(in);
    case EffectTag::kJobMoved:
      return read_job_moved(in);
    case EffectTag::kJobCancelRequested:
      return core::JobCancelRequested{read_id(in)};
    case EffectTag::kJobProgressed: {
      const core::JobId id = read_id(in);
      return core::JobProgressed{id, in.text()};
    }
    case EffectTag::kJobRemoved: {
      const core::JobId id = read_id(in);
      return core::JobRemoved{id, in.bounded(1) != 0};
    }
    case EffectTag::kQueuePut:
      return read_queue_put(in);
    case EffectTag::kProducerPut:
      return read_producer_put(in);
    case EffectTag::kLedgerPut:
      return read_ledger_put(in);
    case EffectTag::kStatePut: {
      const uint64_t sequence_next = in.number();
      return core::StatePut{sequence_next, in.number()};
    }
    case EffectTag::kCheckpointDone:
      return core::CheckpointDone{in.number()};
    case EffectTag::kTicked:
      return core::Ticked{};
    case EffectTag::kProducerForgotten:
      return core::ProducerForgotten{in.text()};
    case EffectTag::kFlushed:
      return core::Flushed{in.number()};
    case EffectTag::kKeyPut:
      return read_key_put(in);
    case EffectTag::kKeyRemoved:
      return core::KeyRemoved{in.text()};
    case EffectTag::kJobLogged:
      return read_job_logged(in);
    case EffectTag::kJobEdited:
      return read_job_edited(in);
    case EffectTag::kQueueSettingsPut:
      return read_queue_settings_put(in);
    case EffectTag::kTypePausePut:
      return read_type_pause_put(in);
    case EffectTag::kKeyExpiryPut:
      return read_key_expiry_put(in);
    case EffectTag::kHashFieldPut:
      return read_hash_field_put(in);
    case EffectTag::kHashFieldRemoved:
      return read_hash_field_removed(in);
    case EffectTag::kOperationPut:
      return core::OperationPut{decode_operation(in)};
    case EffectTag::kNow:
      break;
  }
  in.fail();
  return core::CheckpointDone{};
}

}  // namespace

void EffectEncoder::put(const core::Effect& effect) {
  ByteWriter out(bytes_);
  if (!now_written_) {
    write_tag(out, EffectTag::kNow);
    out.signed_number(now_.engine.ms);
    out.signed_number(now_.wall.ms);
    now_written_ = true;
  }
  std::visit([&](const auto& body) { write(out, body); }, effect);
}

void EffectEncoder::rewind(size_t mark) {
  bytes_.resize(mark);
  now_written_ = false;  // It may have been cut off; one more does no harm.
}

std::string EffectEncoder::take() {
  now_written_ = false;
  return std::exchange(bytes_, {});
}

base::Status decode_effects(std::string_view payload, const EffectVisitor& visit) {
  ByteReader in(payload);
  base::Now now;
  bool has_now = false;
  while (!in.done()) {
    const size_t offset = in.offset();
    const auto tag = static_cast<EffectTag>(in.byte());
    if (tag == EffectTag::kNow) {
      now.engine.ms = in.signed_number();
      now.wall.ms = in.signed_number();
      has_now = true;
    } else {
      core::Effect effect = read_effect(tag, in);
      if (in.ok() && has_now) TRY(visit(std::move(effect), now));
    }
    if (!in.ok() || !has_now) {
      return base::fail(ErrorCode::kCorrupt, "byte {} of {} is no record (tag {})", offset,
                        payload.size(), static_cast<unsigned>(tag));
    }
  }
  return {};
}

}  // namespace store
