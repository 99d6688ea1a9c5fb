// Jobs as a test's client has pushed them, in memory.
#pragma once
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dray/job.h"
#include "sdk/cpp/stand_in.h"

namespace dray::detail {

// Threading: any thread may call any method.
class MemoryJobs : public StandIn {
 public:
  std::vector<Pushed> push(std::span<const NewJob> jobs) override;
  std::optional<JobRecord> get(std::string_view id) override;

  std::vector<NewJob> pushed(std::string_view type) const;
  void clear();
  // What has become of a job; one that is not there is passed over.
  void update(const JobRecord& job);

 protected:
  struct Stored {
    Pushed answer = {};
    bool is_new = true;
  };
  // Throws kDuplicate as the job's options say.
  Stored store(const NewJob& job);

 private:
  struct Entry {
    NewJob job;
    JobRecord record;
  };
  // The job that a push with these options is the same as; null: none. Requires: mutex_ is held.
  Entry* holder_of(const PushOptions& options);

  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // Guarded by mutex_.
};

// What the server would know of a job that was just pushed.
JobRecord record_of(const NewJob& job, std::string id);

}  // namespace dray::detail
