// For tests: a file journal on the fault layer, and a ledger of what it has promised. Only tests
// include this.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "store/dropping_file.h"
#include "store/file.h"
#include "store/file_journal/file_journal.h"
#include "store/temp_directory.h"

namespace store {

using Payload = std::vector<std::byte>;

// A machine that can lose its power. The process on it dies with every power cut.
class CrashWorld {
 public:
  explicit CrashWorld(FileJournalOptions options = small_options());

  // Segments of 16 KiB, a small reserve and ballast.
  static FileJournalOptions small_options();

  // Starts the machine: from now on faults come as planned.
  void boot(const FaultPlan& plan);
  void boot() { boot(FaultPlan{}); }
  // Takes the power away, if the plan has not.
  void cut_power();

  // Opens a journal and fails the test when what it shows breaks a promise. Returns the error of an
  // opening that a fault has met.
  base::Status open();
  base::Status append(size_t payload_bytes);
  base::Status trim(uint64_t seq_needed);
  base::Status prepare() { return journal_->prepare(); }
  base::Status close();
  // Ends the process without ending the machine.
  void kill() { journal_.reset(); }

  bool has_journal() const { return journal_ != nullptr; }
  FileJournal& journal() { return *journal_; }
  DroppingCalls& calls() { return *calls_; }
  const std::string& directory() const { return options_.directory; }
  uint64_t last_seq() const { return last_seq_; }
  const JournalRecovery& recovery() const { return recovery_; }
  bool has_unknown() const { return unknown_.has_value(); }
  size_t frame_count() const { return acknowledged_.size(); }
  FileJournalOptions& options() { return options_; }

 private:
  struct Frame {
    uint64_t seq = 0;
    Payload payload;
  };

  void judge(const std::map<uint64_t, Payload>& seen, const JournalRecovery& recovery);

  TempDirectory temp_;
  FileJournalOptions options_;
  base::SeededRandom random_{1};
  std::unique_ptr<DroppingCalls> calls_;
  std::unique_ptr<FileSystem> files_;
  std::unique_ptr<FileJournal> journal_;
  JournalRecovery recovery_;

  std::map<uint64_t, Payload> acknowledged_;  // Frames with a payload.
  std::optional<Frame> unknown_;              // The one whose append had no OK.
  uint64_t last_seq_ = 0;
  uint64_t seq_needed_ = 1;  // Frames before it may be gone.
};

// Returns bytes that depend on seq and size alone.
Payload payload_of(uint64_t seq, size_t bytes);

}  // namespace store
