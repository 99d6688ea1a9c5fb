#include "sdk/cpp/memory_jobs.h"

#include <algorithm>

#include "base/base32.h"
#include "base/clock.h"
#include "sdk/cpp/record.h"
#include "sdk/cpp/throw_error.h"

namespace dray::detail {
namespace {

// The server's defaults.
constexpr int kPriority = 5;
constexpr int kAttempts = 4;

bool is_same(const std::string& a, const std::string& b) {
  return !a.empty() && a == b;
}

}  // namespace

JobRecord record_of(const NewJob& job, std::string id) {
  JobRecord record;
  record.id = std::move(id);
  record.key = job.options.key;
  record.state = job.options.delay || job.options.at ? "scheduled" : "ready";
  record.queue = job.queue;
  record.type = job.type;
  record.args = job.args;
  record.priority = job.options.priority.value_or(kPriority);
  record.max_attempts = job.options.attempts.value_or(kAttempts);
  record.generation = 1;
  record.meta = job.options.meta;
  record.pushed = wall_time(base::SystemClock{}.wall().ms);
  return record;
}

MemoryJobs::Entry* MemoryJobs::holder_of(const PushOptions& options) {
  const auto found = std::ranges::find_if(entries_, [&](const Entry& entry) {
    const PushOptions& held = entry.job.options;
    const bool is_locked = is_same(held.unique.key, options.unique.key);
    return is_same(held.key, options.key) || is_same(held.request, options.request) ||
           (is_locked && !entry.record.finished_state());
  });
  return found == entries_.end() ? nullptr : &*found;
}

MemoryJobs::Stored MemoryJobs::store(const NewJob& job) {
  const std::lock_guard lock(mutex_);
  if (Entry* holder = holder_of(job.options)) {
    const std::string& id = holder->record.id;
    // The first answer is given again, whatever else the push says.
    if (is_same(holder->job.options.request, job.options.request)) {
      return {.answer = {.id = id}, .is_new = false};
    }
    if (job.options.on_duplicate == OnDuplicate::kError) {
      throw_error(ErrorCode::kDuplicate, id);
    }
    if (job.options.on_duplicate == OnDuplicate::kReplace) {
      *holder = Entry{job, record_of(job, id)};
    }
    return {.answer = {.id = holder->record.id, .created = false}, .is_new = false};
  }
  const std::string id(base::base32_encode(entries_.size() + 1).view());
  entries_.push_back(Entry{job, record_of(job, id)});
  return {.answer = {.id = id}};
}

std::vector<Pushed> MemoryJobs::push(std::span<const NewJob> jobs) {
  std::vector<Pushed> pushed;
  for (const NewJob& job : jobs) pushed.push_back(store(job).answer);
  return pushed;
}

std::optional<JobRecord> MemoryJobs::get(std::string_view id) {
  constexpr std::string_view kKey = "key:";
  const std::lock_guard lock(mutex_);
  for (const Entry& entry : entries_) {
    const bool has_key =
        id.starts_with(kKey) && is_same(entry.record.key, std::string(id.substr(kKey.size())));
    if (entry.record.id == id || has_key) return entry.record;
  }
  return std::nullopt;
}

std::vector<NewJob> MemoryJobs::pushed(std::string_view type) const {
  const std::lock_guard lock(mutex_);
  std::vector<NewJob> jobs;
  for (const Entry& entry : entries_) {
    if (type.empty() || entry.job.type == type) jobs.push_back(entry.job);
  }
  return jobs;
}

void MemoryJobs::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

void MemoryJobs::update(const JobRecord& job) {
  const std::lock_guard lock(mutex_);
  for (Entry& entry : entries_) {
    if (entry.record.id == job.id) entry.record = job;
  }
}

}  // namespace dray::detail
