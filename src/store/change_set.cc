#include "store/change_set.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "base/assert.h"

namespace store {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20U;

// What is larger has a chunk of its own: it would waste too much of the one that is begun.
constexpr size_t kOwnChunkBytes = kChunkBytes / 4;

}  // namespace

char* ChangeSet::room_for(size_t size) {
  bytes_ += size;
  if (size > left_) {
    const bool own = size > kOwnChunkBytes;
    const size_t chunk_bytes = own ? size : kChunkBytes;
    char* chunk = chunks_.emplace_back(std::make_unique_for_overwrite<char[]>(chunk_bytes)).get();
    if (own) return chunk;
    next_ = chunk;
    left_ = chunk_bytes;
  }
  left_ -= size;
  return std::exchange(next_, next_ + size);
}

std::string_view ChangeSet::copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  char* room = room_for(bytes.size());
  std::memcpy(room, bytes.data(), bytes.size());
  return {room, bytes.size()};
}

void ChangeSet::put(const JobHeader& header, std::string_view record,
                    std::optional<std::string_view> args) {
  ASSERT(!is_finished_, "job {}", header.id.value);
  JobRow& row = rows_.emplace_back(JobRow{header, copy(record), std::nullopt});
  if (args) row.args = copy(*args);
  bytes_ += sizeof(JobRow);
}

void ChangeSet::erase(core::JobId id) {
  ASSERT(!is_finished_, "job {}", id.value);
  erasures_.push_back({id, rows_.size()});
  bytes_ += sizeof(Erased);
}

void ChangeSet::put_side(std::string_view key, std::string_view value) {
  ASSERT(!is_finished_);
  side_.push_back({copy(key), copy(value)});
  bytes_ += sizeof(SideRecord);
}

void ChangeSet::erase_side(std::string_view key) {
  ASSERT(!is_finished_);
  side_.push_back({copy(key), std::nullopt});
  bytes_ += sizeof(SideRecord);
}

Changes ChangeSet::finish(uint64_t applied_seq) {
  ASSERT(!is_finished_, "finished twice");
  is_finished_ = true;
  net_out_jobs();
  net_out_side();
  return {.rows = rows_, .erased = erased_, .side = side_, .applied_seq = applied_seq};
}

// Places of the rows: by id, and those of one id as they came.
std::vector<uint32_t> ChangeSet::row_order() const {
  ASSERT(rows_.size() < std::numeric_limits<uint32_t>::max(), "{} rows", rows_.size());
  std::vector<uint32_t> order(rows_.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto before = [this](uint32_t a, uint32_t b) {
    const core::JobId id_a = rows_[a].header.id;
    const core::JobId id_b = rows_[b].header.id;
    return id_a != id_b ? id_a < id_b : a < b;
  };
  if (!std::is_sorted(order.begin(), order.end(), before)) {
    std::sort(order.begin(), order.end(), before);
  }
  return order;
}

void ChangeSet::net_out_jobs() {
  const auto by_id = [](const Erased& a, const Erased& b) { return a.id < b.id; };
  if (!std::is_sorted(erasures_.begin(), erasures_.end(), by_id)) {
    std::stable_sort(erasures_.begin(), erasures_.end(), by_id);
  }
  std::vector<JobRow> rows;
  rows.reserve(rows_.size());
  erased_.reserve(erasures_.size());
  auto erasure = erasures_.begin();
  const auto take_erasure = [&] {
    const core::JobId id = erasure->id;
    for (; erasure != erasures_.end() && erasure->id == id; ++erasure) {
    }
    return std::prev(erasure)->rows_before;
  };
  const auto erase_before = [&](const JobRow* row) {
    while (erasure != erasures_.end() && (row == nullptr || erasure->id < row->header.id)) {
      erased_.push_back(erasure->id);
      take_erasure();
    }
  };
  const std::vector<uint32_t> order = row_order();
  for (auto place = order.begin(); place != order.end();) {
    const core::JobId id = rows_[*place].header.id;
    erase_before(&rows_[*place]);
    const bool is_erased = erasure != erasures_.end() && erasure->id == id;
    const size_t valid_from = is_erased ? take_erasure() : 0;
    std::optional<JobRow> last;
    for (; place != order.end() && rows_[*place].header.id == id; ++place) {
      if (*place < valid_from) continue;
      JobRow row = rows_[*place];
      if (!row.args && last) row.args = last->args;
      ASSERT(row.args || !is_erased, "job {} was erased, and its args with it", id.value);
      last = row;
    }
    if (last) {
      rows.push_back(*last);
    } else {
      erased_.push_back(id);
    }
  }
  erase_before(nullptr);
  rows_ = std::move(rows);
  erasures_ = {};
}

void ChangeSet::net_out_side() {
  std::stable_sort(side_.begin(), side_.end(),
                   [](const SideRecord& a, const SideRecord& b) { return a.key < b.key; });
  // Backwards, so that the last one of a key is the one that stays.
  const auto same_key = [](const SideRecord& a, const SideRecord& b) { return a.key == b.key; };
  const auto overtaken = std::unique(side_.rbegin(), side_.rend(), same_key);
  side_.erase(side_.begin(), overtaken.base());
}

}  // namespace store
