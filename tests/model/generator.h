// model/generator.h
// Makes an endless, deterministic stream of operations that is likely to reach interesting states:
// few names, small times, tokens that are current, stale or another job's, ids that live, are
// finished, forgotten or were never given, and time that stops just before, at and after the next
// thing that is due. It reads the model's state, so most of what it does means something.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/op.h"

namespace model {

// The few names and numbers that the stream uses.
namespace words {
inline constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
inline constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
inline const std::vector<std::string> kQueues = {"q1", "q2", "q3"};
inline const std::vector<std::string> kTypes = {"a", "b"};
inline const std::vector<std::string> kWorkers = {"host:1:x", "host:2:y", "shell worker"};
inline const std::vector<std::string> kBackoffs = {"fixed:500~0",
                                                   "fixed:0",
                                                   "fixed:2000",
                                                   "linear:1000,2500",
                                                   "exponential:100",
                                                   "exponential:1000,3,5000~20",
                                                   "exponential:1000,1.5~0",
                                                   "list:100,1000~0",
                                                   "list:0,50",
                                                   "sidekiq",
                                                   "faktory",
                                                   "asynq~0",
                                                   "river",
                                                   "oban",
                                                   "bullmq-exp",
                                                   "bull-exp:300",
                                                   "celery",
                                                   "celery:2000~0",
                                                   "dramatiq",
                                                   "graphile",
                                                   "river~10",
                                                   "bullmq-exp:50~50"};
}  // namespace words

struct GeneratorOptions {
  bool malformed = true;       // Now and then words that must be refused with BADREQ or NOTYET.
  bool restarts = true;        // Restart and stall.
  bool connections = true;     // Close, replies that were not taken, waiting connections.
  bool keys = true;            // Commands on keys.
  bool logs = true;            // JOB.LOG.
  bool types = true;           // TYPE.PAUSE, TYPE.RESUME.
  bool queue_settings = true;  // QUEUE.SET.
  bool edit = true;            // JOB.EDIT.
  bool workers = true;         // WORKER.LIST, WORKER.QUIET, WORKER.STOP.
  bool hashes = true;          // HSET and its kin; needs `keys` too.
  bool operations = true;      // QUEUE.PURGE, QUEUE.DELETE, verbs with WHERE.
  bool queries = true;         // JOB.COUNT, JOB.LIST.

  size_t jobs_max = 30;  // Retained jobs; above it the stream deletes rather than pushes.
};

// An operation and the Now at which it is to be performed.
struct Planned {
  Op op;
  Now now;
};

class Generator {
 public:
  explicit Generator(uint64_t seed, GeneratorOptions options = {});

  // Returns the next operation. Requires: `model` has judged the one before.
  Planned next(const Model& model);

  // The Now to begin with.
  static Now start() { return Now{1'000'000, 1'700'000'000'000}; }

 private:
  // Chance.
  uint64_t draw();
  int64_t between(int64_t low, int64_t high);
  bool chance(int64_t percent);
  template <typename T>
  T pick(const std::vector<T>& values) {
    return values[static_cast<size_t>(between(0, static_cast<int64_t>(values.size()) - 1))];
  }

  void learn(const World& world);
  Conn free_conn(const World& world);
  size_t weighted(const std::vector<int64_t>& weights);

  Planned plan_command(const Model& model);
  Planned plan_advance(const Model& model);
  Planned plan_restart(const Model& model);
  bool plan_untaken(const World& world, Verb& verb, Conn& conn);
  Verb command(const World& world);
  int64_t keys_weight() const;
  std::vector<int64_t> admin_weights(const World& world, bool running) const;

  Push push(const World& world, bool may_be_malformed);
  void add_identity(const World& world, Push& push);
  void spoil(Push& push);
  MPush mpush(const World& world, bool may_be_malformed);
  Fetch fetch();
  void spoil(Fetch& fetch);
  Wait wait(const World& world);
  Exec exec(const World& world);
  Verb key_verb(const World& world);
  KeySet key_set(const World& world);
  KeyIncr key_incr();
  KeyScan key_scan(const World& world);
  Verb hash_verb();
  HashSet hash_set();
  std::string hash_key();
  std::string field();
  std::vector<std::string> fields();
  std::string key();
  std::vector<std::string> keys();
  Verb admin_verb(const World& world, size_t which);
  Log log(const World& world);
  Verb type_verb();
  QueueSet queue_set();
  void add_defaults(QueueSet& set);
  void spoil(QueueSet& set);
  Edit edit(const World& world);
  EditWhere edit_where(const World& world);
  void add_options(Edit& edit);
  void spoil(Edit& edit);
  Verb worker_verb(const World& world);
  Verb operation(const World& world);
  Verb query_verb(const World& world);
  std::string query(const World& world);
  std::string term(const World& world);
  Fail fail(const World& world);
  Verb lease_verb(const World& world, size_t which);
  LeaseName lease(const World& world);
  std::vector<LeaseName> leases(const World& world, int64_t most);
  std::string id(const World& world);
  std::vector<std::string> ids(const World& world);
  std::string named(const World& world, const std::string& id);
  std::string bytes();

  uint64_t state_;
  GeneratorOptions options_;
  int64_t flavour_;                // What this seed is fond of.
  bool long_logs_;                 // In few seeds: each step copies and compares them.
  bool allow_malformed_ = true;    // Off inside an EXEC.
  std::vector<LeaseName> tokens_;  // Every lease seen, newest last.
  std::vector<std::string> ids_;   // Every id seen, newest last.
};

}  // namespace model
