// The real server without threads, sockets and disks: engine::Machine, a journal in memory, tables
// in memory that are flushed to behind it and that records leave memory for, and connections that
// send operations of the model and hear answers in its words. A restart begins with tables and
// journal.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "engine/machine.h"
#include "model/op.h"
#include "model/view.h"
#include "protocol/resp_encoder.h"
#include "store/change_set.h"
#include "store/memory/memory_tables.h"

namespace sim {

// What happened, so that a run that tested nothing is found out.
using Tally = std::map<std::string, uint64_t>;

// The limit of keys in bytes, so small that it is met.
constexpr int64_t kKeysBytesMax = 1'500;

class Server {
 public:
  Server(uint64_t seed, model::Now start);

  struct Seen {
    model::Reply reply;
    std::vector<model::WaiterAnswer> answers;
  };
  // Performs one step as the model's decisions say it is done.
  Seen perform(const model::Op& op, model::Now now);

  model::Snapshot snapshot() const;
  // Milliseconds until something is due; nothing if nothing is.
  std::optional<int64_t> until_next_due() const;
  // What the server found wrong with itself; empty if nothing.
  const std::string& fault() const { return fault_; }
  // Recounts what the state keeps count of.
  void look_over();
  // Adds what this server did to `tally`.
  void add_to(Tally& tally) const;

 private:
  // A request on its way, with what its views point into.
  struct Sent {
    model::Op op;
    std::deque<std::string> bytes;
    engine::Request request;
  };
  struct Frame {
    uint64_t seq = 0;
    std::string effects;
  };

  bool chance(uint64_t percent) { return chance_.below(100) < percent; }
  void send(const model::Op& op, Seen& seen);
  void count_keys(const model::Op& op, const model::Reply& reply);
  void count_said(const model::Op& op, const model::Reply& reply);
  void pass_time(bool stall);
  void take_answers(const engine::Request* sent_now, Seen& seen);
  model::Reply reply_to(const Sent& sent) const;
  void restart(base::Now now);
  void check_same(const std::map<std::string, std::string>& before, base::Now now);
  // Reads the records that commands ask for, until nothing is asked for any more; what waits for
  // them, or looks at many jobs, goes on.
  void settle();
  void finish_operations();
  bool bring_in_wants();
  void continue_audit();
  const core::JobRecord& record_of(const core::Job& job) const;
  void continue_flush();
  void keep_effects();
  void sync();
  void find_fault(std::string text) {
    if (fault_.empty()) fault_ = std::move(text);
  }

  // Constant after construction.
  bool over_wire_;
  protocol::RespVersion version_;

  base::SeededRandom random_;  // The machine's.
  base::SeededRandom chance_;  // For what the driver itself leaves open.
  std::unique_ptr<engine::Machine> machine_;
  base::Now now_;
  std::unordered_map<const engine::Request*, std::unique_ptr<Sent>> sent_;
  std::deque<Frame> frames_;
  std::string unsynced_;  // Effects that are not in a frame yet.
  uint64_t seq_next_ = 1;
  uint64_t trim_before_ = 0;  // Once what is unsynced is in a frame.

  store::MemoryRows rows_;  // What outlives a restart.
  std::unique_ptr<store::MemoryTables> tables_;
  std::unique_ptr<store::TablesReader> reader_;
  std::unique_ptr<store::ChangeSet> flush_set_;  // Complete, and not applied yet.
  bool flush_applied_ = false;                   // It is, and the machine does not know yet.
  uint64_t flush_seq_ = 0;
  uint64_t applied_seq_ = 0;                       // What the machine knows that the tables have.
  mutable std::unique_ptr<core::JobRecord> read_;  // What record_of() read last.
  std::string fault_;
  Tally tally_;
};

}  // namespace sim
