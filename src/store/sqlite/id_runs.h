// Ids that follow one another, as ranges: one range is one statement.
#pragma once

#include <span>

#include "core/job.h"

namespace store {

// Takes the longest run of ids that each are one more than the one before from the front of `ids`.
inline std::span<const core::JobId> take_run(std::span<const core::JobId>& ids) {
  size_t size = ids.empty() ? 0 : 1;
  while (size < ids.size() && ids[size].value == ids[size - 1].value + 1) ++size;
  const std::span<const core::JobId> run = ids.first(size);
  ids = ids.subspan(size);
  return run;
}

}  // namespace store
