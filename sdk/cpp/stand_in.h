// What a client talks to instead of a server, in tests of applications.
#pragma once
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "dray/job.h"

namespace dray::detail {

// Threading: any thread may call any method.
class StandIn {
 public:
  StandIn() = default;
  StandIn(const StandIn&) = delete;
  StandIn& operator=(const StandIn&) = delete;
  virtual ~StandIn() = default;
  virtual std::vector<Pushed> push(std::span<const NewJob> jobs) = 0;
  virtual std::optional<JobRecord> get(std::string_view id) = 0;
};

}  // namespace dray::detail
