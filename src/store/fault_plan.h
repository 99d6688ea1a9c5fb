// What goes wrong in a run of the crash build, and when. Read from one text, so that a failing run
// is repeated by its text alone:
//
//   cut=123             the power fails in call 123; the process ends with exit code 137
//   fail=57:EIO         call 57 fails; EIO, ENOSPC, EINTR, or `short`: a write takes half
//   fail=57+:EIO        call 57 and all calls after it fail
//   disk=67108864       the volume has this many bytes
//   seed=7              chooses what of the unsynced bytes and names is left; default 1
//
// joined by commas. Counted are the calls that change something, over all files, from 1.
#pragma once
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace store {

enum class FaultKind : uint8_t { kIoError, kNoSpace, kInterrupted, kShortWrite };

struct FaultPlan {
  uint64_t cut_at = 0;   // 0: never.
  uint64_t fail_at = 0;  // 0: never.
  FaultKind fail_kind = FaultKind::kIoError;
  bool fail_sticky = false;
  uint64_t disk_bytes = 0;  // 0: as large as it is.
  uint64_t seed = 1;
};

// Errors: BADREQ, naming the part that is not understood. An empty text plans no fault.
base::Result<FaultPlan> parse_fault_plan(std::string_view text);

}  // namespace store
