// Verifies all rows of the tables in the background, pass by pass: damage is to be known while
// there is still a backup without it, and not when the damaged job's turn comes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "store/tables.h"

namespace store {

// Threading: any thread may read.
struct ScrubberCounters {
  std::atomic<uint64_t> passes = 0;   // That came to their end.
  std::atomic<uint64_t> damages = 0;  // Found by the last one, also if it came to no end.
};

// Threading: `start`, `begin_pass` and `stop` from one thread at a time; `found` comes from the
// scrubber's thread.
class Scrubber {
 public:
  // What is damaged (file, table and id are named), or why the rest of a pass could not be read.
  using Found = std::function<void(const base::Error&)>;

  // It rests this many times as long as it has worked: it takes at most a tenth of a processor.
  static constexpr int kRestFactor = 9;

  // `clock` must outlive this.
  Scrubber(std::unique_ptr<TablesReader> reader, const base::Clock& clock,
           int rest_factor = kRestFactor)
      : reader_(std::move(reader)), clock_(clock), rest_factor_(rest_factor) {}
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

  void start(Found found);
  // If a pass runs, another one follows it.
  void begin_pass();
  // Ends the thread, and with it the pass.
  void stop();

  const ScrubberCounters& counters() const { return counters_; }

 private:
  void run();
  // Whether it is to go on.
  bool wait_for_pass();
  bool rest(std::chrono::nanoseconds worked);
  bool run_pass();
  bool is_stopping();

  // Constant after construction, or before the thread starts; the reader is the thread's.
  std::unique_ptr<TablesReader> reader_;
  const base::Clock& clock_;
  const int rest_factor_;
  Found found_;

  std::mutex mutex_;
  std::condition_variable work_;  // For the scrubber's thread.
  bool wanted_ = false;           // Guarded by mutex_, like the next one.
  bool stopping_ = false;

  ScrubberCounters counters_;
  std::thread thread_;
};

}  // namespace store
