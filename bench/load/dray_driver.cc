#include "bench/load/dray_driver.h"

#include <array>

#include "bench/load/resp_request.h"
#include "bench/load/resp_scanner.h"

namespace load {
namespace {

constexpr std::string_view kQueue = "bench";
constexpr std::string_view kType = "bench_job";
// Below the server's cap of a wait, so that an idle worker's fetch ends by its own number.
constexpr std::string_view kBlockMs = "30000";

std::string push_request(std::string_view args) {
  std::string request;
  append_request(request, {"JOB.PUSH", kQueue, kType, args});
  return request;
}

std::string fetch_request(const DriverOptions& options, uint32_t channel) {
  const std::string worker = "bench:" + std::to_string(channel);
  const std::string count = std::to_string(options.fetch_count);
  std::vector<std::string_view> words = {"JOB.FETCH", worker, "COUNT", count};
  if (options.fetch_blocks) words.insert(words.end(), {"BLOCK", kBlockMs});
  words.insert(words.end(), {"QUEUES", "1", kQueue});
  std::string request;
  append_request(request, words);
  return request;
}

// Reads one lease, a flat array of fields and values; unknown fields are skipped, as any client
// must. Returns false when the input ends first.
bool take_lease(RespScanner& scanner, Lease& lease) {
  RespItem item;
  if (!scanner.next(item)) return false;
  if (item.type != RespType::kArray || item.number % 2 != 0) {
    throw ProtocolError("JOB.FETCH: a lease is an array of fields and values");
  }
  for (int64_t fields_left = item.number / 2; fields_left > 0; --fields_left) {
    if (!scanner.next(item)) return false;
    std::string_view* wanted = nullptr;
    if (item.text == "id") wanted = &lease.id;
    if (item.text == "token") wanted = &lease.token;
    if (item.text == "args") wanted = &lease.args;
    if (wanted == nullptr) {
      if (!scanner.skip_value()) return false;
      continue;
    }
    if (!scanner.next(item)) return false;
    if (item.type != RespType::kBulk) throw ProtocolError("JOB.FETCH: a field that is no bulk");
    *wanted = item.text;
  }
  if (lease.id.empty() || lease.token.empty()) {
    throw ProtocolError("JOB.FETCH: a lease without id or token");
  }
  return true;
}

}  // namespace

DrayDriver::DrayDriver(const DriverOptions& options)
    : args_(make_args(options.args_bytes)), push_(push_request(args_), args_) {
  for (uint32_t channel = 0; channel < options.channel_count; ++channel) {
    fetches_.push_back(fetch_request(options, channel));
  }
}

void DrayDriver::push(uint64_t mark, std::string& out) {
  push_.append(mark, out);
}

void DrayDriver::push_delayed(uint64_t mark, int64_t delay_ms, std::string& out) {
  write_mark(mark, args_.data() + kMarkOffset);
  const std::string delay = std::to_string(delay_ms);
  append_request(out, {"JOB.PUSH", kQueue, kType, args_, "DELAY", delay});
}

void DrayDriver::fetch(uint32_t channel, std::string& out) {
  out.append(fetches_[channel]);
}

void DrayDriver::ack(uint32_t /*channel*/, const Lease& lease, std::string& out) {
  constexpr std::string_view kHead = "*3\r\n$7\r\nJOB.ACK\r\n";
  out.append(kHead);
  append_bulk(out, lease.id);
  append_bulk(out, lease.token);
}

size_t DrayDriver::take(OpKind op, std::string_view input, Reply& reply) {
  reply.clear();
  RespScanner scanner(input);
  RespItem item;
  if (!scanner.next(item)) return 0;
  if (item.type == RespType::kError) {
    reply.failed = true;
    reply.error = item.text;
    return scanner.position();
  }
  constexpr std::array kExpected = {RespType::kBulk, RespType::kArray, RespType::kSimple};
  if (item.type != kExpected[static_cast<size_t>(op)]) {
    throw ProtocolError("dray: a reply of another type than the command has");
  }
  if (op != OpKind::kFetch) return scanner.position();
  for (int64_t leases_left = item.number; leases_left > 0; --leases_left) {
    if (!take_lease(scanner, reply.leases.emplace_back())) return 0;
  }
  return scanner.position();
}

}  // namespace load
