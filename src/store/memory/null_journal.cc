#include "store/memory/null_journal.h"

#include <limits>

#include "base/assert.h"

namespace store {

base::Result<JournalRecovery> NullJournal::open(const FrameVisitor& /*visit*/) {
  JournalRecovery recovery;
  recovery.first_seq = 1;
  return recovery;
}

base::Status NullJournal::append(uint64_t seq, std::span<const std::byte> /*payload*/) {
  ASSERT(seq == last_seq_ + 1, "seq {} after {}", seq, last_seq_);
  last_seq_ = seq;
  return {};
}

base::Status NullJournal::trim(uint64_t seq_needed) {
  ASSERT(seq_needed <= last_seq_ + 1, "seq {} of {}", seq_needed, last_seq_);
  return {};
}

base::Status NullJournal::prepare() {
  return {};
}
base::Status NullJournal::close() {
  return {};
}

JournalSpace NullJournal::space() const {
  JournalSpace space;
  space.bytes_budget = std::numeric_limits<uint64_t>::max();
  return space;
}

}  // namespace store
