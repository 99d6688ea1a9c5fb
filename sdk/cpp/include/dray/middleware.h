// What may be put around every push and every handler: to measure, to add meta, to log, to stop.
#pragma once
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dray/job.h"

namespace dray {

class Context;

// Makes the pushes that are left of it; answers one Pushed for each job.
using PushNext = std::function<std::vector<Pushed>(std::span<NewJob> jobs)>;
// Given the jobs of one call of Client (one, or a batch), which it may change; usually returns
// next(jobs). What it throws, the caller of push gets.
// Threading: called by every thread that pushes, also by several at once.
using PushMiddleware =
    std::function<std::vector<Pushed>(std::span<NewJob> jobs, const PushNext& next)>;

// Runs the handler; answers the job's result.
using RunNext = std::function<std::optional<std::string>()>;
// Usually returns next(). What it throws ends the job just as if the handler had thrown it; when it
// does not call next(), the handler does not run, and the job has succeeded.
// Threading: called by the threads of the handlers, also by several at once.
using RunMiddleware =
    std::function<std::optional<std::string>(Context& context, const RunNext& next)>;

}  // namespace dray
