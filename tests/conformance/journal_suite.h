// What every Journal has to do, as tests that know no implementation. An implementation joins by a
// line of INSTANTIATE_TEST_SUITE_P(…, JournalSuite, …) with a way to make its world.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "store/journal.h"

namespace conformance {

// What outlives a journal: a directory, a disk in memory. Journals of one world see one another's
// frames; at most one is open at a time.
class JournalWorld {
 public:
  JournalWorld() = default;
  JournalWorld(const JournalWorld&) = delete;
  JournalWorld& operator=(const JournalWorld&) = delete;
  virtual ~JournalWorld() = default;

  virtual std::unique_ptr<store::Journal> make_journal(uint64_t budget_bytes) = 0;
  // Loses what was not synced, where the world can: called while no journal exists.
  virtual void cut_power() {}
};

struct JournalKind {
  std::string name;
  std::function<std::unique_ptr<JournalWorld>()> make_world;
};

inline std::ostream& operator<<(std::ostream& out, const JournalKind& kind) {
  return out << kind.name;
}

class JournalSuite : public testing::TestWithParam<JournalKind> {
 protected:
  using Frames = std::map<uint64_t, std::vector<std::byte>>;
  static constexpr uint64_t kBudgetBytes = uint64_t{256} << 20U;

  JournalSuite();

  // Opens a journal and checks that it visits exactly the frames of `held_` from some seq on, all
  // of those from `seq_needed_` on, in order.
  void open();
  // Appends a frame of `payload_bytes` bytes that no other frame has.
  void append(size_t payload_bytes);
  void trim(uint64_t seq_needed);
  void close();
  // Ends the journal as a kill does, and the machine with it.
  void crash();

  store::Journal& journal() { return *journal_; }
  uint64_t last_seq() const { return last_seq_; }
  uint64_t held_payload_bytes() const;

  std::unique_ptr<JournalWorld> world_;
  std::unique_ptr<store::Journal> journal_;
  store::JournalRecovery recovery_;
  Frames held_;  // With a payload.
  uint64_t last_seq_ = 0;
  uint64_t seq_needed_ = 1;
};

}  // namespace conformance
