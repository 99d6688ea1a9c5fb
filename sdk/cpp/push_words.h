// The words of JOB.PUSH and JOB.MPUSH.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dray/job.h"
#include "protocol/resp_reply_parser.h"
#include "sdk/cpp/request.h"

namespace dray::detail {

// The name by which the server knows a push again. A producer's numbers only grow, and of each
// producer the server remembers the last 1,024.
struct PushName {
  std::string producer = {};
  uint64_t number = 0;
};

// A push with a request of its own goes without the name.
Request push_request(const NewJob& job, const PushName& name);

// Items of a batch share the producer's batch number, and its name with one of several endings, so
// that all of them are still remembered when the whole batch has to be sent again.
inline constexpr size_t kBatchItemsPerName = 1'000;
std::string push_many_request(std::span<const NewJob> jobs, const std::string& producer,
                              uint64_t batch);

// Reads the answer to one push: an id, or an id and whether the job is new.
Pushed read_pushed(const protocol::RespValue& reply);

}  // namespace dray::detail
