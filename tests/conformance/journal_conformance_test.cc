#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "base/random.h"
#include "store/dropping_file.h"
#include "store/file.h"
#include "store/file_journal/file_journal.h"
#include "store/memory/memory_journal.h"
#include "store/temp_directory.h"
#include "tests/conformance/journal_suite.h"

namespace conformance {
namespace {

constexpr uint64_t kSegmentBytes = uint64_t{64} << 10U;  // So that tests cross many of them.

class MemoryWorld final : public JournalWorld {
 public:
  std::unique_ptr<store::Journal> make_journal(uint64_t budget_bytes) override {
    return std::make_unique<store::MemoryJournal>(disk_, budget_bytes);
  }
  void cut_power() override { disk_.lose_unsynced(); }

 private:
  store::MemoryDisk disk_;
};

class FileWorld : public JournalWorld {
 public:
  std::unique_ptr<store::Journal> make_journal(uint64_t budget_bytes) override {
    store::FileJournalOptions options;
    options.directory = directory_.path() + "/data";
    options.segment_bytes = kSegmentBytes;
    options.budget_bytes = budget_bytes;
    options.reserve_bytes = 4 * kSegmentBytes;
    options.allow_volatile = true;
    return std::make_unique<store::FileJournal>(files(), random_, options);
  }

 protected:
  virtual store::FileSystem& files() { return files_; }

 private:
  store::TempDirectory directory_;
  store::FileSystem files_{store::kernel_calls()};
  base::SystemRandom random_;
};

// On the fault layer: what a crash leaves is what was synced, and a random part of the rest.
class DroppingWorld final : public FileWorld {
 public:
  DroppingWorld() { boot(); }

  void cut_power() override {
    calls_->cut();
    boot();
  }

 protected:
  store::FileSystem& files() override { return *dropping_files_; }

 private:
  void boot() {
    store::FaultPlan plan;
    plan.seed = ++boots_;
    auto calls = std::make_unique<store::DroppingCalls>(store::kernel_calls(), plan,
                                                        store::DroppingCalls::OnCut::kStop);
    dropping_files_ = std::make_unique<store::FileSystem>(*calls);
    calls_ = std::move(calls);
  }

  uint64_t boots_ = 0;
  std::unique_ptr<store::DroppingCalls> calls_;
  std::unique_ptr<store::FileSystem> dropping_files_;
};

template <class World>
JournalKind journal_kind(std::string name) {
  return {std::move(name), [] { return std::make_unique<World>(); }};
}

INSTANTIATE_TEST_SUITE_P(Journals, JournalSuite,
                         testing::Values(journal_kind<MemoryWorld>("Memory"),
                                         journal_kind<FileWorld>("File"),
                                         journal_kind<DroppingWorld>("FileOnDroppingFile")),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace conformance
