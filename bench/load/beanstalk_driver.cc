#include "bench/load/beanstalk_driver.h"

#include "bench/load/beanstalk_scanner.h"

namespace load {
namespace {

// Priority 1024, no delay, and a time to run that no run of the benchmark reaches: DEADLINE_SOON
// would answer a reserve otherwise.
std::string put_request(const std::string& args) {
  return "put 1024 0 3600 " + std::to_string(args.size()) + "\r\n" + args + "\r\n";
}

std::string_view expected_word(OpKind op) {
  switch (op) {
    case OpKind::kPush:
      return "INSERTED";
    case OpKind::kFetch:
      return "RESERVED";
    case OpKind::kAck:
      return "DELETED";
  }
  return {};
}

}  // namespace

BeanstalkDriver::BeanstalkDriver(const DriverOptions& options)
    : push_(put_request(make_args(options.args_bytes)), make_args(options.args_bytes)),
      fetch_(options.fetch_blocks ? "reserve\r\n" : "reserve-with-timeout 0\r\n") {}

void BeanstalkDriver::push(uint64_t mark, std::string& out) {
  push_.append(mark, out);
}

void BeanstalkDriver::fetch(uint32_t /*channel*/, std::string& out) {
  out.append(fetch_);
}

void BeanstalkDriver::ack(uint32_t /*channel*/, const Lease& lease, std::string& out) {
  out.append("delete ").append(lease.id).append("\r\n");
}

size_t BeanstalkDriver::take(OpKind op, std::string_view input, Reply& reply) {
  reply.clear();
  BeanstalkReply answer;
  const size_t bytes = scan_beanstalk(input, answer);
  if (bytes == 0) return 0;
  if (op == OpKind::kFetch && answer.word == "TIMED_OUT") return bytes;
  if (answer.word != expected_word(op)) {
    reply.failed = true;
    reply.error = answer.word;
    return bytes;
  }
  if (op == OpKind::kFetch) {
    reply.leases.push_back({.id = answer.id, .token = {}, .args = answer.body});
  }
  return bytes;
}

}  // namespace load
