// A job as people read it.
#pragma once
#include <string>

#include "dray/job.h"

namespace cli {

// Several lines: what it is, how it stands, and each attempt that is over. `whole`: values are not
// cut, and attempts have all of their message, trace and log.
std::string job_text(const dray::JobRecord& job, bool coloured, bool whole);

}  // namespace cli
