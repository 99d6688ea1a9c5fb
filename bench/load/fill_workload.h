// A backlog grows: pushes without consumers, by number of jobs, by time, or both.
#pragma once
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "bench/load/workload.h"

namespace load {

struct FillOptions {
  uint64_t jobs = 0;
  uint32_t channel_count = 0;
  uint32_t depth = 32;        // Pushes in flight per channel.
  int64_t ns_max = kNeverNs;  // Nothing is sent after this time.
};

// Jobs are numbered from 0. A push that is answered OVERLOADED is counted and sent again, by
// whichever channel is free; the channel that heard it sends nothing for the time that the answer
// gives. After `ns_max` it is not sent again.
//
// Two gaps are measured, the longest of each on any channel: the stall, from one push that was
// taken to the next, refusals and waits included; and the silence, without any reply, while one was
// owed.
class FillWorkload final : public Workload {
 public:
  explicit FillWorkload(const FillOptions& options);

  void begin(int64_t now_ns) override;
  void fill(Channel& channel, int64_t now_ns) override;
  void on_reply(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  bool on_failure(Channel& channel, OpKind op, const Reply& reply, int64_t received_ns) override;
  int64_t wake_ns() const override;
  bool finished() const override;
  uint64_t jobs_done() const override { return pushed_; }
  void report(JsonLine& line) const override;

 private:
  struct Producer {
    std::deque<uint64_t> in_flight;  // Numbers, in the order of the replies to come.
    bool refused = false;            // Since the last push that was taken.
    int64_t resume_ns = 0;
    int64_t taken_ns = 0;  // When a push was last taken, or the first was sent.
    int64_t reply_ns = 0;  // When a reply last came, or the first was asked for.
  };

  uint64_t take_answered(Producer& producer, int64_t received_ns);
  bool has_work() const { return next_ < options_.jobs || !again_.empty(); }

  const FillOptions options_;
  std::vector<Producer> producers_;  // By channel.
  std::deque<uint64_t> again_;       // Refused, to be sent again.
  int64_t end_ns_ = kNeverNs;
  bool over_ = false;  // The time is.
  uint64_t next_ = 0;
  uint64_t in_flight_ = 0;
  uint64_t pushed_ = 0;
  uint64_t refusals_ = 0;
  int64_t stall_ns_ = 0;
  int64_t silence_ns_ = 0;
};

// Returns the retry_ms of an OVERLOADED answer, nothing for other errors.
std::optional<int64_t> retry_ms_of(std::string_view error);

}  // namespace load
