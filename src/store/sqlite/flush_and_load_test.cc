// Flusher and loader at work on the same file of SQLite.
// tidy: allow test because it is two parts at once
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "store/change_set.h"
#include "store/flusher.h"
#include "store/job_codec.h"
#include "store/loader.h"
#include "store/sqlite/sqlite_tables.h"
#include "store/temp_directory.h"

namespace store {
namespace {

using base::ErrorCode;
using core::JobId;

// A flusher and a loader over the same file, both driven by one thread, as the engine does. In
// generation g the jobs are erased whose ids leave g when divided by seven.
class FlusherAndLoader {
 public:
  static constexpr uint64_t kJobs = 2'000;
  static constexpr uint64_t kGone = 7;

  explicit FlusherAndLoader(Tables& tables) : flusher_(tables, clock_) {
    auto reader = tables.make_reader();
    EXPECT_TRUE(reader.has_value());
    loader_ = std::make_unique<Loader>(*std::move(reader));
    const auto failed = [this](const base::Error& error) {
      tell([&] { failures_.push_back(error.message); });
    };
    flusher_.start(
        {.done = [this](uint64_t seq) { tell([&] { done_ = seq; }); }, .failed = failed});
    loader_->start({.arrived = [this] { tell([&] { arrived_ = true; }); }, .failed = failed});
  }

  // Until both have done as much as is asked for.
  void run(uint64_t generations, uint64_t loads) {
    uint64_t loaded = 0;
    request();
    while (done() < generations || loaded < loads) {
      if (!flusher_.busy()) flush();
      if (!wait()) return;
      const auto jobs = loader_->take();
      if (jobs.empty()) continue;
      loaded += 1;
      expect_one_state(jobs);
      request();
    }
  }

  void stop() {
    loader_->stop();
    loader_.reset();
    EXPECT_TRUE(flusher_.stop());
    EXPECT_EQ(failures_, std::vector<std::string>());
  }

  uint64_t submitted() const { return submitted_; }

 private:
  void tell(const std::function<void()>& what) {
    const std::lock_guard lock(mutex_);
    what();
    changed_.notify_one();
  }
  uint64_t done() {
    const std::lock_guard lock(mutex_);
    return done_;
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    const bool told = changed_.wait_for(lock, std::chrono::seconds(60), [this] {
      return arrived_ || done_ == submitted_ || !failures_.empty();
    });
    EXPECT_TRUE(told);
    arrived_ = false;
    return told && failures_.empty();
  }

  static bool is_gone(JobId id, uint64_t generation) {
    return generation == 0 || id.value % kGone == generation % kGone;
  }
  static std::string args_of(JobId id) {
    // Now and then more than a page holds.
    return std::string(id.value % 100 == 0 ? 20'000 : 50, static_cast<char>('a' + id.value % 26));
  }

  void flush() {
    const uint64_t generation = ++submitted_;
    auto set = std::make_unique<ChangeSet>();
    for (uint64_t i = 1; i <= kJobs; ++i) {
      const JobId id{i};
      if (is_gone(id, generation)) {
        set->erase(id);
        continue;
      }
      JobHeader header;
      header.id = id;
      header.ready_seq = generation * kJobs + i;
      header.in_lane = i % 3 != 0;
      std::optional<std::string> args;
      if (is_gone(id, generation - 1)) args = args_of(id);
      set->put(header, record_of(generation), args);
    }
    flusher_.submit(std::move(set), generation);
  }

  // Of a job that was pushed at the wall time `generation`.
  static std::string record_of(uint64_t generation) {
    core::Job job;
    job.record = std::make_unique<core::JobRecord>();
    job.record->pushed.ms = static_cast<int64_t>(generation);
    std::string bytes;
    ByteWriter out(bytes);
    encode_record(out, job);
    return bytes;
  }

  void request() {
    at_least_ = done();
    asked_.clear();
    for (uint64_t i = 1 + random_.below(300); i > 0; --i) {
      asked_.insert(JobId{1 + random_.below(kJobs)});
    }
    loader_->request(std::vector<JobId>(asked_.rbegin(), asked_.rend()));
  }

  void expect_one_state(const std::vector<Loader::Loaded>& jobs) {
    EXPECT_EQ(jobs.size(), asked_.size());
    std::optional<int64_t> pushed_ms;
    for (const Loader::Loaded& loaded : jobs) {
      if (!loaded.record) continue;
      const core::JobRecord& record = **loaded.record;
      if (!pushed_ms) pushed_ms = record.pushed.ms;
      EXPECT_EQ(record.pushed.ms, *pushed_ms) << "job " << loaded.id.value;
      EXPECT_EQ(record.args, args_of(loaded.id));
    }
    const uint64_t generation = pushed_ms ? static_cast<uint64_t>(*pushed_ms) : at_least_;
    EXPECT_GE(generation, at_least_) << "what was applied before it was asked for is seen";
    EXPECT_LE(generation, submitted_);
    for (const Loader::Loaded& loaded : jobs) {
      EXPECT_TRUE(asked_.contains(loaded.id));
      EXPECT_EQ(loaded.record.has_value(), pushed_ms && !is_gone(loaded.id, generation));
      const bool fine = loaded.record || loaded.record.error().code == ErrorCode::kNotFound;
      EXPECT_TRUE(fine) << "job " << loaded.id.value;
    }
  }

  base::SystemClock clock_;
  base::SeededRandom random_{5};
  Flusher flusher_;
  std::unique_ptr<Loader> loader_;
  uint64_t submitted_ = 0;
  uint64_t at_least_ = 0;
  std::set<JobId> asked_;

  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t done_ = 0;  // Guarded by mutex_, like all below.
  bool arrived_ = false;
  std::vector<std::string> failures_;
};

void expect_sound(Tables& tables) {
  const auto reader = tables.make_reader();
  ASSERT_TRUE(reader.has_value());
  const auto damaged = [](const base::Error& error) { ADD_FAILURE() << error.message; };
  for (std::optional<JobId> from = JobId{0}; from;) {
    const auto next = (*reader)->verify(*from, damaged);
    ASSERT_TRUE(next.has_value()) << next.error().message;
    from = *next;
  }
}

TEST(FlushAndLoad, ALoaderSeesOneAppliedStateWhileAFlusherWorks) {
  const TempDirectory directory;
  FileSystem files{kernel_calls()};
  auto tables = std::make_unique<SqliteTables>(files, SqliteTablesOptions{directory.path()});
  ASSERT_TRUE(tables->open());
  FlusherAndLoader both(*tables);
  both.run(30, 60);
  both.stop();
  expect_sound(*tables);
  ASSERT_TRUE(tables->close());
  tables = std::make_unique<SqliteTables>(files, SqliteTablesOptions{directory.path()});
  const auto opened = tables->open();
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->applied_seq, both.submitted());
}

}  // namespace
}  // namespace store
