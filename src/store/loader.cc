#include "store/loader.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "base/assert.h"
#include "store/job_codec.h"

namespace store {
namespace {

base::Result<std::unique_ptr<core::JobRecord>> record_of(const base::Result<JobRow>& row) {
  if (!row) return tl::unexpected(row.error());
  return base::with_context(decode_row(*row),
                            fmt::format("table job, id {}", row->header.id.value));
}

}  // namespace
namespace {

// The group that request `place` is in: the least request that it shares ids with, over others too.
uint32_t group_of(std::vector<uint32_t>& groups, uint32_t place) {
  while (groups[place] != place) place = groups[place] = groups[groups[place]];
  return place;
}

}  // namespace

Loader::~Loader() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

void Loader::start(Callbacks callbacks) {
  ASSERT(!thread_.joinable(), "started twice");
  callbacks_ = std::move(callbacks);
  thread_ = std::thread([this] { run(); });
}

void Loader::request(std::span<const core::JobId> ids) {
  ASSERT(!ids.empty(), "nothing asked for");
  {
    const std::lock_guard lock(mutex_);
    requests_.emplace_back(ids.begin(), ids.end());
  }
  work_.notify_one();
}

std::vector<Loader::Loaded> Loader::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(arrived_, {});
}

void Loader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

bool Loader::stopping() {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

// Nothing: the end.
Loader::Requests Loader::next_requests() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
  if (stopping_) return {};
  return std::exchange(requests_, {});
}

void Loader::run() {
  for (Requests requests = next_requests(); !requests.empty(); requests = next_requests()) {
    Round round = make_round(requests);
    std::span<const Wanted> unread = round.wanted;
    while (!unread.empty() && !stopping()) {
      const base::Status done = read_view(unread, round);
      if (!done) return callbacks_.failed(done.error());
      hand_over(round);
    }
  }
}

Loader::Round Loader::make_round(const Requests& requests) {
  Round round;
  for (uint32_t place = 0; place < requests.size(); ++place) {
    for (const core::JobId id : requests[place]) round.wanted.push_back({id, place});
  }
  std::vector<Wanted>& wanted = round.wanted;
  const auto before = [](const Wanted& a, const Wanted& b) { return a.id < b.id; };
  if (!std::is_sorted(wanted.begin(), wanted.end(), before)) {
    std::sort(wanted.begin(), wanted.end(), before);
  }
  std::vector<uint32_t> groups(requests.size());
  std::iota(groups.begin(), groups.end(), 0U);
  for (size_t i = 1; i < wanted.size(); ++i) {
    if (wanted[i].id != wanted[i - 1].id) continue;
    const uint32_t a = group_of(groups, wanted[i - 1].group);
    const uint32_t b = group_of(groups, wanted[i].group);
    groups[std::max(a, b)] = std::min(a, b);
  }
  const auto same = [](const Wanted& a, const Wanted& b) { return a.id == b.id; };
  wanted.erase(std::unique(wanted.begin(), wanted.end(), same), wanted.end());
  round.left.resize(requests.size());
  for (Wanted& one : wanted) {
    one.group = group_of(groups, one.group);
    round.left[one.group] += 1;
  }
  return round;
}

// Reads from the front of `unread` in one view.
base::Status Loader::read_view(std::span<const Wanted>& unread, Round& round) {
  std::vector<core::JobId> ids;
  ids.reserve(unread.size());
  for (const Wanted& one : unread) ids.push_back(one.id);
  size_t bytes = 0;
  const auto visit = [&](core::JobId id, const base::Result<JobRow>& row) -> base::Status {
    ASSERT(!unread.empty() && unread.front().id == id, "job {} out of order", id.value);
    const uint32_t group = unread.front().group;
    round.read.push_back({id, record_of(row), row ? row->header : JobHeader{}});
    round.read_group.push_back(group);
    round.left[group] -= 1;
    unread = unread.subspan(1);
    if (row) bytes += row->record.size() + row->args.value_or("").size();
    if (bytes < view_bytes_max_) return {};
    return base::fail(base::ErrorCode::kTooBig, "enough for one view");
  };
  base::Status done = reader_->read(ids, visit);
  if (!done && bytes >= view_bytes_max_) return {};
  if (done) ASSERT(unread.empty(), "{} ids were not visited", unread.size());
  return base::with_context(std::move(done), fmt::format("read {} jobs", ids.size()));
}

// Hands over the groups that are whole.
void Loader::hand_over(Round& round) {
  size_t kept = 0;
  bool any = false;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < round.read.size(); ++i) {
      if (round.left[round.read_group[i]] == 0) {
        arrived_.push_back(std::move(round.read[i]));
        any = true;
        continue;
      }
      if (kept != i) round.read[kept] = std::move(round.read[i]);
      round.read_group[kept] = round.read_group[i];
      ++kept;
    }
  }
  round.read.erase(round.read.begin() + static_cast<ptrdiff_t>(kept), round.read.end());
  round.read_group.resize(kept);
  if (any) callbacks_.arrived();
}

}  // namespace store
