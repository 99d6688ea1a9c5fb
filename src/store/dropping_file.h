// The fault layer of the crash build: what is not synced is lost when the process ends, whichever
// way it ends, as if the power had failed; and any one call can be made to fail.
//
// Nothing unsynced is ever on the real disk: bytes wait in memory, changes of names wait in a list.
// So kill -9 loses all of it; a planned cut leaves a random part of it, since a real disk does. A
// sync makes things real for the kernel, not for the disk below: the machine itself must stay up.
// The making and the renaming of a directory are real at once; only a planned cut can take them
// back.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "store/fault_plan.h"
#include "store/system_calls.h"
#include "store/unsynced_file.h"
#include "store/unsynced_names.h"

namespace store {

// Threading: any thread.
class DroppingCalls final : public SystemCalls {
 public:
  enum class OnCut : uint8_t {
    kExit,  // _exit(137).
    kStop,  // For tests: every later call answers -EIO.
  };

  // `kernel` must outlive this.
  DroppingCalls(SystemCalls& kernel, const FaultPlan& plan, OnCut on_cut);
  ~DroppingCalls() override;

  int open(const std::string& path, Open how) override;
  int close(int file) override;
  int64_t read(int file, std::span<std::byte> into, uint64_t offset) override;
  int64_t size(int file) override;
  int64_t write(int file, std::span<const std::byte> bytes, uint64_t offset) override;
  int sync_data(int file) override;
  int allocate(int file, uint64_t size_bytes) override;
  int truncate(int file, uint64_t size_bytes) override;
  int rename(const std::string& from, const std::string& to) override;
  int remove(const std::string& path) override;
  int make_directory(const std::string& path) override;
  int sync_directory(const std::string& path) override;
  int list(const std::string& path, std::vector<std::string>& names) override;
  int volume(const std::string& path, VolumeFacts& facts) override;
  int lock(const std::string& path, int64_t& holder) override;
  int lock_shared(const std::string& path, int64_t& holder) override;

  // The calls that changed something, or tried to.
  uint64_t calls() const;
  uint64_t syncs() const;
  // The power fails now.
  void cut();
  // True when the planned fault has happened, or cut() was called.
  bool took_effect() const;
  bool stopped() const;

 private:
  enum class Fate : uint8_t { kGo, kFail, kCut };
  struct Handle {
    std::shared_ptr<UnsyncedFile> file;  // Shared with its name; nothing in a lock's handle.
    int lock = -1;
  };
  struct PathParts {
    std::string directory;
    std::string name;
  };

  // Of a directory, and not synced.
  struct DirectoryChange {
    std::string from;
    std::string to;                          // Empty: it was removed, and is hidden.
    std::unique_ptr<UnsyncedNames> removed;  // What was in it.
  };

  static PathParts split(const std::string& path);
  Fate next_fate(const char* call);
  int failure() const;
  int cut_now();
  UnsyncedFile* file_of(int file);
  int names_of(const std::string& directory, UnsyncedNames*& names);
  int rename_directory(UnsyncedNames& parent, const std::string& from, const std::string& to);
  int remove_directory(UnsyncedNames& parent, const std::string& path);
  bool is_removed(const std::string& directory) const;
  // Makes real what was done to the directories in this one.
  void settle_directories(const std::string& parent);
  void cut_directories();
  int64_t fail_write(UnsyncedFile& file, std::span<const std::byte> bytes, uint64_t offset);
  uint64_t free_bytes();
  bool has_room(UnsyncedFile& file, uint64_t size_bytes);

  mutable std::mutex mutex_;  // Guards all below.
  SystemCalls& kernel_;
  const FaultPlan plan_;
  const OnCut on_cut_;
  base::SeededRandom random_;
  std::map<std::string, std::unique_ptr<UnsyncedNames>> directories_;
  std::vector<DirectoryChange> directory_changes_;  // In their order.
  std::map<int, Handle> handles_;
  int next_handle_ = 0;
  uint64_t calls_ = 0;
  uint64_t syncs_ = 0;
  bool took_effect_ = false;
  bool stopped_ = false;
};

// Returns the fault layer over the kernel, as `faults` says (see fault_plan.h).
base::Result<std::unique_ptr<SystemCalls>> make_dropping_calls(std::string_view faults);

}  // namespace store
