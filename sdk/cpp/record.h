// Makes the SDK's records from replies.
#pragma once
#include "dray/job.h"
#include "protocol/resp_reply_parser.h"

namespace dray::detail {

Value value_of(protocol::RespValue&& reply);
JobRecord job_record_of(Value raw);
QueueStats queue_stats_of(std::string_view queue, Value raw);
std::vector<std::pair<std::string, std::string>> pairs_of(const Value* map);
WallTime wall_time(int64_t unix_ms);

}  // namespace dray::detail
