// Effects as the bytes of a journal frame's payload, and back. The layout, its tags and the rules
// for changing it stand here and in effect_codec.cc, and in docs/journal.md in words.
//
// A payload is a row of records: a tag byte and its fields. The first record is a kNow; those that
// follow happened then, up to the next kNow.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "core/effect.h"

namespace store {

// Never renumber; a tag that goes out of use stays reserved. New fields of a job get a new mask bit
// behind the last; a reader refuses bits it does not know.
enum class EffectTag : uint8_t {
  kNow = 1,
  kJobPut = 2,
  kPushSeen = 3,
  kJobGranted = 4,
  kJobUngranted = 5,
  kJobEnded = 6,
  kJobMoved = 7,
  kJobCancelRequested = 8,
  kJobProgressed = 9,
  kJobRemoved = 10,
  kQueuePut = 11,
  kProducerPut = 12,
  kLedgerPut = 13,
  kStatePut = 14,
  kCheckpointDone = 15,
  kTicked = 16,
  kProducerForgotten = 17,
  kKeyPut = 18,
  kKeyRemoved = 19,
  kFlushed = 20,
  kJobLogged = 21,
  kJobEdited = 22,
  kQueueSettingsPut = 23,
  kTypePausePut = 24,
  kKeyExpiryPut = 25,
  kHashFieldPut = 26,
  kHashFieldRemoved = 27,
  kOperationPut = 28,
};

// Collects the encoded effects of one turn.
class EffectEncoder final : public core::EffectSink {
 public:
  // What follows happens at `now`.
  void begin(base::Now now) {
    now_ = now;
    now_written_ = false;
  }
  void put(const core::Effect& effect) override;
  size_t mark() const override { return bytes_.size(); }
  void rewind(size_t mark) override;

  bool empty() const { return bytes_.empty(); }
  // Hands out all bytes since the last call.
  std::string take();

 private:
  std::string bytes_;
  base::Now now_;
  bool now_written_ = false;
};

using EffectVisitor = std::function<base::Status(core::Effect&&, base::Now)>;

// Calls `visit` for each effect of a payload. Errors: CORRUPT for bytes that are no effects; what
// `visit` answers.
base::Status decode_effects(std::string_view payload, const EffectVisitor& visit);

}  // namespace store
