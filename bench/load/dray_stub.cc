#include "bench/load/dray_stub.h"

#include <algorithm>
#include <utility>

#include "bench/load/resp_request.h"
#include "bench/load/resp_scanner.h"

namespace load {
namespace {

// Reads one request. Returns its bytes, or 0 when it is not whole yet.
size_t scan_request(std::string_view input, std::vector<std::string_view>& words) {
  words.clear();
  RespScanner scanner(input);
  RespItem item;
  if (!scanner.next(item)) return 0;
  for (int64_t left = item.number; left > 0; --left) {
    if (!scanner.next(item)) return 0;
    words.push_back(item.text);
  }
  return scanner.position();
}

int64_t number(std::string_view text) {
  return std::stoll(std::string(text));
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  append_bulk(out, name);
  append_bulk(out, value);
}

// The fields of a lease in the order of the reference, an integer and a nested map among them.
void append_lease(std::string& out, std::string_view id, std::string_view token,
                  std::string_view args) {
  out.append("*28\r\n");
  append_field(out, "id", id);
  append_field(out, "token", token);
  append_bulk(out, "fence");
  out.append(":7\r\n");
  append_field(out, "queue", "bench");
  append_field(out, "type", "bench_job");
  append_field(out, "args", args);
  for (const std::string_view name : {"attempt", "max_attempts", "priority", "lease_ms",
                                      "timeout_ms", "soft_timeout_ms", "pushed_ms"}) {
    append_bulk(out, name);
    out.append(":1700000000000\r\n");
  }
  append_bulk(out, "meta");
  out.append("*2\r\n");
  append_field(out, "token", "not this one");
}

}  // namespace

void DrayStub::receive(uint32_t connection, std::string_view bytes, int64_t now_ms) {
  std::string& input = inputs_[connection];
  input.append(bytes);
  Words words;
  size_t begin = 0;
  for (;;) {
    const size_t used = scan_request(std::string_view(input).substr(begin), words);
    if (used == 0) break;
    execute(connection, words, now_ms);
    begin += used;
  }
  input.erase(0, begin);
}

void DrayStub::execute(uint32_t connection, const Words& words, int64_t now_ms) {
  if (words[0] == "JOB.PUSH" && words.size() >= 4) return push(connection, words, now_ms);
  if (words[0] == "JOB.FETCH" && words.size() >= 5) return fetch(connection, words);
  if (words[0] == "JOB.ACK" && words.size() == 3) return ack(connection, words);
  outputs_[connection].append("-ERR unknown command\r\n");
}

void DrayStub::push(uint32_t connection, const Words& words, int64_t now_ms) {
  if (refusals_left_ > 0) {
    --refusals_left_;
    outputs_[connection]
        .append("-OVERLOADED retry_ms=")
        .append(std::to_string(retry_ms_))
        .append(" limit=1 got=2 too much waits\r\n");
    return;
  }
  const std::string digits = std::to_string(++pushed_);
  Job job{.id = std::string(13 - digits.size(), '0') + digits,
          .args = std::string(words[3]),
          .token = "1-abcdefghjkmnpqrst-" + digits};
  append_bulk(outputs_[connection], job.id);
  if (words.size() == 6 && words[4] == "DELAY") {
    scheduled_.emplace(now_ms + number(words[5]), std::move(job));
    return;
  }
  make_ready(std::move(job));
  feed_waiting();
}

void DrayStub::fetch(uint32_t connection, const Words& words) {
  ++fetches_;
  Fetch fetch{.connection = connection, .count = 1};
  bool blocks = false;
  size_t at = 2;
  for (; at + 1 < words.size() && words[at] != "QUEUES"; at += 2) {
    if (words[at] == "COUNT") fetch.count = static_cast<size_t>(number(words[at + 1]));
    if (words[at] == "BLOCK") blocks = true;
  }
  if (at + 2 >= words.size() || words[at + 1] != "1" || words[at + 2] != "bench") {
    outputs_[connection].append("-ERR QUEUES 1 bench expected\r\n");
    return;
  }
  fetch.count = std::min(fetch.count, fetch_limit_);
  if (blocks && ready_.empty()) {
    waiting_.push_back(fetch);
    return;
  }
  lease_jobs(fetch);
}

void DrayStub::ack(uint32_t connection, const Words& words) {
  const auto found = running_.find(words[1]);
  if (found == running_.end() || found->second.token != words[2]) {
    outputs_[connection].append("-LEASELOST\r\n");
    return;
  }
  ++acked_;
  if (forgets_acks_) make_ready(found->second);
  running_.erase(found);
  outputs_[connection].append("+OK\r\n");
}

void DrayStub::make_ready(Job job) {
  ready_.push_back(std::move(job));
  ready_max_ = std::max(ready_max_, ready_.size());
}

void DrayStub::lease_jobs(const Fetch& fetch) {
  std::string& out = outputs_[fetch.connection];
  const size_t count = std::min(fetch.count, ready_.size());
  out.append("*").append(std::to_string(count)).append("\r\n");
  for (size_t i = 0; i < count; ++i) {
    Job job = std::move(ready_.front());
    ready_.pop_front();
    if (changes_args_) job.args[job.args.size() - 3] = 'y';
    append_lease(out, job.id, job.token, job.args);
    const std::string id = job.id;
    running_.emplace(id, std::move(job));
  }
}

void DrayStub::feed_waiting() {
  while (!waiting_.empty() && !ready_.empty()) {
    lease_jobs(waiting_.front());
    waiting_.pop_front();
  }
}

void DrayStub::advance(int64_t now_ms) {
  while (!scheduled_.empty() && scheduled_.begin()->first <= now_ms) {
    make_ready(std::move(scheduled_.begin()->second));
    scheduled_.erase(scheduled_.begin());
  }
  feed_waiting();
}

std::string DrayStub::take_output(uint32_t connection) {
  return std::exchange(outputs_[connection], {});
}

}  // namespace load
