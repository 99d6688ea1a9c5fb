// Reads jobs back from the tables in the background, for an engine that must not wait for a disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "core/limits.h"
#include "store/tables.h"

namespace store {

// Threading: `start`, `request`, `take` and `stop` from one thread at a time; callbacks come from
// the loader's thread.
class Loader {
 public:
  struct Loaded {
    core::JobId id;
    // CORRUPT (file, table and id are named) or NOTFOUND concern this job alone; TOOBIG all that
    // were asked for together.
    base::Result<std::unique_ptr<core::JobRecord>> record;
    JobHeader header;  // Of the row, if there is a record.
  };

  struct Callbacks {
    // There is something to `take`, if it was not taken already.
    std::function<void()> arrived;
    // The tables cannot be read (IO). Called once; nothing will arrive any more. The process has to
    // end.
    std::function<void(const base::Error&)> failed;
  };

  // How much of records and args is read in one view of the tables, at the most by one row more.
  // What is whole is then handed over; no more is read while as much waits to be taken.
  static constexpr size_t kViewBytesMax = size_t{32} << 20U;

  struct Bounds {
    size_t view_bytes_max = kViewBytesMax;
    size_t together_bytes_max = core::limits::kReadTogetherBytesMax;
  };

  explicit Loader(std::unique_ptr<TablesReader> reader) : Loader(std::move(reader), Bounds{}) {}
  Loader(std::unique_ptr<TablesReader> reader, const Bounds& bounds)
      : reader_(std::move(reader)), bounds_(bounds) {}
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void start(Callbacks callbacks);

  // Asks for jobs, in any order, each for itself.
  // Requires: `ids` is not empty.
  void request(std::span<const core::JobId> ids);
  // Asks for jobs that arrive together, since they are of no use one by one. If they are larger
  // than the bound, all of them arrive as TOOBIG, without records.
  void request_together(std::span<const core::JobId> ids);

  // Returns what has arrived, and forgets it.
  std::vector<Loaded> take();

  bool running() const { return thread_.joinable(); }
  // Ends the thread. What has not arrived by then never will.
  void stop();

 private:
  struct Request {
    std::vector<core::JobId> ids;
    bool together = false;
  };
  // What is read before anything else: a request whose jobs belong together, or all jobs that were
  // asked for each for itself up to the next such request.
  struct Round {
    std::vector<core::JobId> ids;  // In order, each once.
    bool together = false;
    std::vector<Loaded> read;  // Not handed over yet.
    size_t read_bytes = 0;
  };

  void run();
  void add(Request&& request);
  Round next_round();
  base::Status read_round(Round& round);
  base::Status read_view(std::span<const core::JobId>& unread, Round& round);
  static void give_up(Round& round);
  void hand_over(Round& round);
  bool wait_for_room();

  // Constant after construction, or before the thread starts; the reader is the thread's.
  std::unique_ptr<TablesReader> reader_;
  const Bounds bounds_;
  Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable work_;  // For the loader's thread.
  std::deque<Request> requests_;  // Guarded by mutex_, like all below.
  std::vector<Loaded> arrived_;
  size_t arrived_bytes_ = 0;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace store
