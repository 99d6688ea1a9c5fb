// Reads jobs back from the tables in the background, for an engine that must not wait for a disk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "store/tables.h"

namespace store {

// Threading: `start`, `request`, `take` and `stop` from one thread at a time; callbacks come from
// the loader's thread.
class Loader {
 public:
  struct Loaded {
    core::JobId id;
    // CORRUPT (file, table and id are named) or NOTFOUND concern this job alone.
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
  // What is whole is then handed over.
  static constexpr size_t kViewBytesMax = size_t{32} << 20U;

  explicit Loader(std::unique_ptr<TablesReader> reader, size_t view_bytes_max = kViewBytesMax)
      : reader_(std::move(reader)), view_bytes_max_(view_bytes_max) {}
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  void start(Callbacks callbacks);

  // Asks for jobs, in any order. All of one request arrive together; an id that several requests
  // name may arrive once for all of them. How much is asked for is the caller's to bound.
  // Requires: `ids` is not empty.
  void request(std::span<const core::JobId> ids);

  // Returns what has arrived, and forgets it.
  std::vector<Loaded> take();

  bool running() const { return thread_.joinable(); }
  // Ends the thread. What has not arrived by then never will.
  void stop();

 private:
  // An id of a round of requests. Requests that share ids are one group: they arrive together.
  struct Wanted {
    core::JobId id;
    uint32_t group = 0;
  };
  struct Round {
    std::vector<Wanted> wanted;        // By id, each once.
    std::vector<size_t> left;          // By group: ids that were not read yet.
    std::vector<Loaded> read;          // From `wanted` in order, less what was handed over.
    std::vector<uint32_t> read_group;  // The same.
  };
  using Requests = std::vector<std::vector<core::JobId>>;

  void run();
  Requests next_requests();
  static Round make_round(const Requests& requests);
  base::Status read_view(std::span<const Wanted>& unread, Round& round);
  void hand_over(Round& round);
  bool stopping();

  // Constant after construction, or before the thread starts; the reader is the thread's.
  std::unique_ptr<TablesReader> reader_;
  const size_t view_bytes_max_;
  Callbacks callbacks_;

  std::mutex mutex_;
  std::condition_variable work_;  // For the loader's thread.
  Requests requests_;             // Guarded by mutex_, like all below.
  std::vector<Loaded> arrived_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace store
