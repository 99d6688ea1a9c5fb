// The commands over many jobs, as values: lists, counts, operations, and the reading of events. See
// core/command.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/limits.h"
#include "core/operations.h"
#include "core/query.h"

namespace core {

struct ListJobs {
  Query query = {};
  std::optional<JobId> cursor = {};  // Where to go on; absent: at the newest job.
  int64_t count = limits::kListCountDefault;
};
struct CountJobs {
  Query query = {};
};
// A verb with WHERE, QUEUE.PURGE, QUEUE.DELETE.
struct OperationStart {
  OperationVerb verb = OperationVerb::kRetry;
  bool force = false;           // CANCEL only.
  std::string_view queue = {};  // Of PURGE and DELETE of a queue.
  JobChanges changes = {};      // EDIT only.
  Query query = {};
  std::optional<int64_t> jobs_most = {};
  std::optional<int64_t> rate = {};
  bool dry_run = false;
};
struct OperationGet {
  std::string_view operation = {};
};
struct OperationList {};
struct OperationCancel {
  std::string_view operation = {};
};
struct OperationWait {
  std::string_view operation = {};
  int64_t block_ms = 0;
};
struct EventRead {
  std::string_view cursor = {};  // "$": the place behind the newest event.
  int64_t count = limits::kEventCountDefault;
  std::optional<int64_t> block_ms = {};
  bool with_channels = false;  // The answer has the channel of each event before it.
};

}  // namespace core
