#include "bench/load/redis_driver.h"

#include "bench/load/resp_request.h"
#include "bench/load/resp_scanner.h"

namespace load {
namespace {

constexpr std::string_view kQueue = "bench:queue";

std::string lpush_request(std::string_view args) {
  std::string request;
  append_request(request, {"LPUSH", kQueue, args});
  return request;
}

}  // namespace

RedisDriver::RedisDriver(const DriverOptions& options)
    : push_(lpush_request(make_args(options.args_bytes)), make_args(options.args_bytes)) {
  for (uint32_t channel = 0; channel < options.channel_count; ++channel) {
    const std::string taken = "bench:taken:" + std::to_string(channel);
    std::string& fetch = fetches_.emplace_back();
    if (options.fetch_blocks) {
      append_request(fetch, {"BLMOVE", kQueue, taken, "RIGHT", "LEFT", "0"});
    } else {
      append_request(fetch, {"LMOVE", kQueue, taken, "RIGHT", "LEFT"});
    }
    // Count -1 searches from the tail. Jobs go in at the head and are acknowledged in that order,
    // so the first comparison hits: the cheapest form there is for Redis.
    std::string& ack = ack_heads_.emplace_back("*4\r\n");
    append_bulk(ack, "LREM");
    append_bulk(ack, taken);
    append_bulk(ack, "-1");
  }
}

void RedisDriver::push(uint64_t mark, std::string& out) {
  push_.append(mark, out);
}

void RedisDriver::fetch(uint32_t channel, std::string& out) {
  out.append(fetches_[channel]);
}

void RedisDriver::ack(uint32_t channel, const Lease& lease, std::string& out) {
  out.append(ack_heads_[channel]);
  append_bulk(out, lease.args);
}

size_t RedisDriver::take(OpKind op, std::string_view input, Reply& reply) {
  reply.clear();
  RespScanner scanner(input);
  RespItem item;
  if (!scanner.next(item)) return 0;
  if (item.type == RespType::kError) {
    reply.failed = true;
    reply.error = item.text;
    return scanner.position();
  }
  if (op == OpKind::kFetch) {
    if (item.type == RespType::kBulk)
      reply.leases.push_back({.id = {}, .token = {}, .args = item.text});
  } else if (item.type != RespType::kInteger) {
    throw ProtocolError("redis: a reply of another type than the command has");
  } else if (op == OpKind::kAck && item.number != 1) {
    reply.failed = true;
    reply.error = "LREM did not find the job";
  }
  return scanner.position();
}

}  // namespace load
