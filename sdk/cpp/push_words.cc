#include "sdk/cpp/push_words.h"

#include <optional>

namespace dray::detail {
namespace {

void add_number(Request& words, std::string_view option, const std::optional<int>& value) {
  if (value) words.add(option).add(*value);
}

void add_duration(Request& words, std::string_view option,
                  const std::optional<milliseconds>& value) {
  if (value) words.add(option).add(value->count());
}

// Only where an earlier job can be the answer is it worth asking whether this one is new.
void add_on_duplicate(Request& words, const PushOptions& options) {
  switch (options.on_duplicate) {
    case OnDuplicate::kReturn:
      if (!options.key.empty() || !options.unique.key.empty()) {
        words.add("ONDUP").add("REPORT");
      }
      break;
    case OnDuplicate::kError:
      words.add("ONDUP").add("ERROR");
      break;
    case OnDuplicate::kReplace:
      words.add("ONDUP").add("REPLACE");
      break;
  }
}

void add_unique(Request& words, const Unique& unique) {
  if (unique.key.empty()) return;
  words.add("UNIQUE").add(unique.key);
  if (unique.ttl) {
    words.add("FOR").add(unique.ttl->count());
  } else if (unique.until == Unique::Until::kStarted) {
    words.add("UNTIL").add("STARTED");
  }
}

Request option_words(const PushOptions& options, const PushName& name) {
  Request words;
  add_duration(words, "DELAY", options.delay);
  if (options.at) words.add("AT").add(options.at->time_since_epoch().count());
  add_number(words, "PRIORITY", options.priority);
  add_number(words, "ATTEMPTS", options.attempts);
  if (!options.backoff.empty()) words.add("BACKOFF").add(options.backoff);
  add_duration(words, "TIMEOUT", options.timeout);
  add_duration(words, "SOFTTIMEOUT", options.soft_timeout);
  add_duration(words, "LEASE", options.lease);
  add_duration(words, "EXPIRE", options.expire);
  add_duration(words, "KEEP", options.keep);
  add_number(words, "CRASHES", options.crashes);
  if (!options.key.empty()) words.add("KEY").add(options.key);
  add_unique(words, options.unique);
  add_on_duplicate(words, options);
  if (options.request.empty()) {
    words.add("REQSEQ").add(name.producer).add(static_cast<int64_t>(name.number));
  } else {
    words.add("REQUEST").add(options.request);
    add_duration(words, "FOR", options.request_for);
  }
  if (!options.limits.empty()) {
    words.add("LIMITS").add(static_cast<int64_t>(options.limits.size()));
    for (const std::string& name_of_limiter : options.limits) words.add(name_of_limiter);
  }
  if (!options.fair.empty()) words.add("FAIR").add(options.fair);
  if (!options.meta.empty()) {
    words.add("META").add(static_cast<int64_t>(options.meta.size()));
    for (const auto& [field, value] : options.meta) words.add(field).add(value);
  }
  return words;
}

}  // namespace

Request push_request(const NewJob& job, const PushName& name) {
  Request words{"JOB.PUSH", job.queue, job.type, job.args};
  words.add_all(option_words(job.options, name));
  return words;
}

std::string push_many_request(std::span<const NewJob> jobs, const std::string& producer,
                              uint64_t batch) {
  Request words{"JOB.MPUSH"};
  words.add(static_cast<int64_t>(jobs.size()));
  PushName name;
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (i % kBatchItemsPerName == 0) {
      name.producer = producer + ":" + std::to_string(i / kBatchItemsPerName);
    }
    name.number = batch * kBatchItemsPerName + i % kBatchItemsPerName;
    const Request options = option_words(jobs[i].options, name);
    words.add(jobs[i].queue).add(jobs[i].type).add(jobs[i].args);
    words.add(static_cast<int64_t>(options.count())).add_all(options);
  }
  return words.bytes();
}

Pushed read_pushed(const protocol::RespValue& reply) {
  if (reply.kind != protocol::ValueKind::kArray) return Pushed{.id = reply.text, .created = true};
  if (reply.items.size() != 2) return {};
  return Pushed{.id = reply.items[0].text, .created = reply.items[1].integer != 0};
}

}  // namespace dray::detail
