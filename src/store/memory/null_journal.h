// A journal that forgets everything at once. It shows what the engine costs without a disk; only
// benchmarks use it.
#pragma once
#include "store/journal.h"

namespace store {

// Threading: as Journal says.
class NullJournal final : public Journal {
 public:
  base::Result<JournalRecovery> open(const FrameVisitor& visit) override;
  base::Status append(uint64_t seq, std::span<const std::byte> payload) override;
  base::Status trim(uint64_t seq_needed) override;
  base::Status prepare() override;
  base::Status close() override;
  JournalSpace space() const override;

 private:
  uint64_t last_seq_ = 0;
};

}  // namespace store
