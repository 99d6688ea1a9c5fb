#include "store/lane.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <unordered_map>

#include "base/assert.h"
#include "store/bytes.h"

namespace store {
namespace {

// What jobs share: queue, type and priority, and its code in the record. Code 0: no job.
struct Kind {
  uint32_t queue = 0;
  uint32_t type = 0;
  uint8_t priority = 0;
  bool operator==(const Kind&) const = default;
};

struct KindHash {
  size_t operator()(const Kind& kind) const {
    const uint64_t names = (uint64_t{kind.queue} << 32U) | kind.type;
    return (names * 0x9e3779b97f4a7c15U) ^ kind.priority;
  }
};

// Gives codes in the order of first use.
class KindCodes {
 public:
  uint16_t code_of(const Kind& kind) {
    if (last_ != 0 && kinds_[last_ - 1U] == kind) return last_;
    const auto next = static_cast<uint16_t>(kinds_.size() + 1);
    last_ = codes_.try_emplace(kind, next).first->second;
    if (last_ == next) kinds_.push_back(kind);
    return last_;
  }
  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  std::unordered_map<Kind, uint16_t, KindHash> codes_;
  std::vector<Kind> kinds_;
  uint16_t last_ = 0;
};

using Codes = std::array<uint16_t, Lane::kIds>;
constexpr size_t kCodesBytes = sizeof(Codes);

base::Status not_a_lane(const char* what) {
  return base::fail(base::ErrorCode::kCorrupt, "{}", what);
}

// Returns where the difference between ready sequence and id begins to be another one, and which.
// Differences wrap; only their sum with an id has a meaning.
struct SeqRun {
  size_t begin = 0;
  uint64_t ahead = 0;
};

base::Result<std::vector<SeqRun>> read_runs(ByteReader& in) {
  std::vector<SeqRun> runs(in.bounded(Lane::kIds));
  SeqRun run;
  for (SeqRun& next : runs) {
    run.begin += in.bounded(Lane::kIds);
    run.ahead += static_cast<uint64_t>(in.signed_number());
    if (run.begin >= Lane::kIds) return not_a_lane("a run of ready sequences lies outside").error();
    next = run;
  }
  return runs;
}

std::vector<Kind> read_kinds(ByteReader& in) {
  std::vector<Kind> kinds(in.bounded(Lane::kIds));
  for (Kind& kind : kinds) {
    kind.queue = static_cast<uint32_t>(in.bounded(UINT32_MAX));
    kind.type = static_cast<uint32_t>(in.bounded(UINT32_MAX));
    kind.priority = static_cast<uint8_t>(in.bounded(UINT8_MAX));
  }
  return kinds;
}

}  // namespace

void Lane::reset(uint64_t block) {
  block_ = block;
  count_ = 0;
  slots_ = {};
}

base::Status Lane::decode(uint64_t block, std::string_view bytes) {
  reset(block);
  if (bytes.empty()) return {};
  ByteReader in(bytes);
  const std::vector<Kind> kinds = read_kinds(in);
  const std::vector<SeqRun> runs = TRY(read_runs(in));
  Codes codes{};
  in.raw(codes.data(), kCodesBytes);
  if (!in.ok() || !in.done()) return not_a_lane("not the bytes of a lane");
  auto run = runs.begin();
  uint64_t ahead = 0;
  for (size_t i = 0; i < kIds; ++i) {
    if (run != runs.end() && run->begin == i) ahead = (run++)->ahead;
    if (codes[i] == 0) continue;
    if (codes[i] > kinds.size()) return not_a_lane("a code that stands for nothing");
    const Kind& kind = kinds[codes[i] - 1U];
    const uint64_t ready_seq = block_ * kIds + i + ahead;
    slots_[i] = {ready_seq, kind.queue, kind.type, kind.priority, true};
    count_ += 1;
  }
  return {};
}

std::string Lane::encode() const {
  std::string bytes;
  if (count_ == 0) return bytes;
  KindCodes kinds;
  Codes codes{};
  std::string runs;
  ByteWriter run_writer(runs);
  size_t run_count = 0;
  SeqRun run;
  for (size_t i = 0; i < kIds; ++i) {
    const Slot& slot = slots_[i];
    if (!slot.used) continue;
    codes[i] = kinds.code_of({slot.queue, slot.type, slot.priority});
    const uint64_t ahead = slot.ready_seq - (block_ * kIds + i);
    if (run_count != 0 && ahead == run.ahead) continue;
    run_writer.number(i - run.begin);
    run_writer.signed_number(static_cast<int64_t>(ahead - run.ahead));
    run = {i, ahead};
    run_count += 1;
  }
  ByteWriter out(bytes);
  out.number(kinds.kinds().size());
  for (const Kind& kind : kinds.kinds()) {
    out.number(kind.queue);
    out.number(kind.type);
    out.number(kind.priority);
  }
  out.number(run_count);
  bytes += runs;
  out.raw(codes.data(), kCodesBytes);
  return bytes;
}

void Lane::put(const JobHeader& header) {
  ASSERT(header.in_lane && header.state == core::JobState::kReady, "job {}", header.id.value);
  Slot& slot = slots_[index_of(header.id)];
  if (!slot.used) count_ += 1;
  slot = {header.ready_seq, header.queue, header.type, header.priority, true};
}

void Lane::erase(core::JobId id) {
  Slot& slot = slots_[index_of(id)];
  if (slot.used) count_ -= 1;
  slot = {};
}

bool Lane::holds(const JobHeader& header) const {
  const size_t index = index_of(header.id);
  return slots_[index].used && header_of(index) == header;
}

bool Lane::has(core::JobId id) const {
  return slots_[index_of(id)].used;
}

JobHeader Lane::header_of(size_t index) const {
  const Slot& slot = slots_[index];
  return {.id = core::JobId{block_ * kIds + index},
          .state = core::JobState::kReady,
          .priority = slot.priority,
          .in_lane = true,
          .queue = slot.queue,
          .type = slot.type,
          .ready_seq = slot.ready_seq};
}

size_t Lane::index_of(core::JobId id) const {
  ASSERT(block_of(id) == block_, "job {} in block {}", id.value, block_);
  return id.value % kIds;
}

// A job is in its place if none with a greater id is ready before it.
void ReadyMerge::look(const Lane& lane) {
  ASSERT(!emitting_, "looked at a lane after the first was emitted");
  lane.visit_backwards([&](const JobHeader& header) {
    if (header.ready_seq > least_seq_) {
      late_.push_back(header);
    } else {
      least_seq_ = header.ready_seq;
    }
  });
}

void ReadyMerge::begin() {
  emitting_ = true;
  late_ready_ = late_;
  std::sort(late_ready_.begin(), late_ready_.end(), [](const JobHeader& a, const JobHeader& b) {
    return std::tie(a.ready_seq, a.id) > std::tie(b.ready_seq, b.id);
  });
}

void ReadyMerge::emit(const Lane& lane, const HeaderVisitor& visit) {
  if (!emitting_) begin();
  lane.visit([&](const JobHeader& header) {
    if (!late_.empty() && late_.back().id == header.id) {
      late_.pop_back();
      return;
    }
    while (!late_ready_.empty() && late_ready_.back().ready_seq < header.ready_seq) {
      visit(late_ready_.back());
      late_ready_.pop_back();
    }
    visit(header);
  });
}

void ReadyMerge::finish(const HeaderVisitor& visit) {
  ASSERT(late_.empty(), "{} lanes' jobs were not emitted", late_.size());
  for (; !late_ready_.empty(); late_ready_.pop_back()) visit(late_ready_.back());
}

}  // namespace store
