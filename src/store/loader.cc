#include "store/loader.h"

#include <algorithm>
#include <cstddef>
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

Loader::~Loader() {
  ASSERT(!thread_.joinable(), "stop() comes before the end");
}

void Loader::start(Callbacks callbacks) {
  ASSERT(!thread_.joinable(), "started twice");
  callbacks_ = std::move(callbacks);
  thread_ = std::thread([this] { run(); });
}

void Loader::add(Request&& request) {
  ASSERT(!request.ids.empty(), "nothing asked for");
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
  }
  work_.notify_one();
}

void Loader::request(std::span<const core::JobId> ids) {
  add({.ids = {ids.begin(), ids.end()}, .together = false});
}

void Loader::request_together(std::span<const core::JobId> ids) {
  add({.ids = {ids.begin(), ids.end()}, .together = ids.size() > 1});
}

std::vector<Loader::Loaded> Loader::take() {
  std::vector<Loaded> taken;
  {
    const std::lock_guard lock(mutex_);
    taken.swap(arrived_);
    arrived_bytes_ = 0;
  }
  work_.notify_one();
  return taken;
}

void Loader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// Waits until little enough waits to be taken. Returns false at the end.
bool Loader::wait_for_room() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || arrived_bytes_ < bounds_.view_bytes_max; });
  return !stopping_;
}

// Without ids: the end.
Loader::Round Loader::next_round() {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
  Round round;
  if (stopping_) return round;
  round.together = requests_.front().together;
  do {
    const std::vector<core::JobId>& ids = requests_.front().ids;
    round.ids.insert(round.ids.end(), ids.begin(), ids.end());
    requests_.pop_front();
  } while (!round.together && !requests_.empty() && !requests_.front().together);
  return round;
}

void Loader::run() {
  for (Round round = next_round(); !round.ids.empty(); round = next_round()) {
    std::sort(round.ids.begin(), round.ids.end());
    round.ids.erase(std::unique(round.ids.begin(), round.ids.end()), round.ids.end());
    const base::Status done = read_round(round);
    if (!done) return callbacks_.failed(done.error());
  }
}

base::Status Loader::read_round(Round& round) {
  std::span<const core::JobId> unread = round.ids;
  while (!unread.empty() && wait_for_room()) {
    TRY(read_view(unread, round));
    const bool too_big = round.together && round.read_bytes > bounds_.together_bytes_max;
    if (too_big) {
      give_up(round);
      unread = {};
    }
    if (!round.together || unread.empty()) hand_over(round);
  }
  return {};
}

// Reads from the front of `unread` in one view.
base::Status Loader::read_view(std::span<const core::JobId>& unread, Round& round) {
  const std::span<const core::JobId> ids = unread;
  size_t bytes = 0;
  const auto visit = [&](core::JobId id, const base::Result<JobRow>& row) -> base::Status {
    ASSERT(!unread.empty() && unread.front() == id, "job {} out of order", id.value);
    round.read.push_back({id, record_of(row), row ? row->header : JobHeader{}});
    unread = unread.subspan(1);
    if (row) bytes += row->record.size() + row->args.value_or("").size();
    if (bytes < bounds_.view_bytes_max) return {};
    return base::fail(base::ErrorCode::kTooBig, "enough for one view");
  };
  base::Status done = reader_->read(ids, visit);
  round.read_bytes += bytes;
  if (!done && bytes >= bounds_.view_bytes_max) return {};
  if (done) ASSERT(unread.empty(), "{} ids were not visited", unread.size());
  return base::with_context(std::move(done), fmt::format("read {} jobs", ids.size()));
}

void Loader::give_up(Round& round) {
  round.read.clear();
  round.read_bytes = 0;
  for (const core::JobId id : round.ids) {
    round.read.push_back(
        {id, base::fail(base::ErrorCode::kTooBig, "together with others"), JobHeader{}});
  }
}

void Loader::hand_over(Round& round) {
  {
    const std::lock_guard lock(mutex_);
    arrived_bytes_ += round.read_bytes;
    std::move(round.read.begin(), round.read.end(), std::back_inserter(arrived_));
  }
  round.read.clear();
  round.read_bytes = 0;
  callbacks_.arrived();
}

}  // namespace store
