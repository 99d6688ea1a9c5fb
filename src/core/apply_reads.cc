// What commands read: the records that have to be in memory before a command is applied.
#include "core/context.h"

namespace core {
namespace {

// Asks for what is missing. `ready` once nothing is.
struct Reads {
  State& state;
  bool asks = true;  // Else it only counts.
  bool ready = true;
  size_t given_up = 0;

  void job(Job* job) {
    if (job == nullptr || job->record) return;
    ready = false;
    if (asks) return state.residency().want(*job);
    if (state.residency().was_given_up(job->id)) ++given_up;
  }
  void ref(const JobRef& ref) { job(find_seen(state, ref)); }
  template <typename Items>
  void refs(const Items& items) {
    for (const auto& item : items) ref(item.job);
  }
  void push(const PushSpec& spec) {
    // Any other answer to a push names the holder, and needs no more of it.
    if (!spec.has_key || spec.on_duplicate != OnDuplicate::kReplace) return;
    job(find_seen(state, JobRef{.id = {}, .key = spec.key, .text = {}, .sight = spec.sight}));
  }
  void oldest(const Queue* queue) {
    if (queue != nullptr) job(queue->ready.oldest());
  }

  void operator()(const Push& push_one) { push(push_one.spec); }
  void operator()(const PushMany& many) {
    for (const PushSpec& spec : many.items) push(spec);
  }
  void operator()(const Ack& ack) { ref(ack.item.job); }
  void operator()(const AckMany& ack) { refs(ack.items); }
  void operator()(const Fail& fail) { ref(fail.job); }
  void operator()(const Release& release) { ref(release.job); }
  void operator()(const Extend& extend) { ref(extend.job); }
  void operator()(const Progress& progress) { ref(progress.job); }
  void operator()(const Log& log) { ref(log.job); }
  void operator()(const Edit& edit) { ref(edit.job); }
  void operator()(const Get& get) { ref(get.job); }
  void operator()(const Wait& wait) {
    for (const JobRef& job_ref : wait.jobs) ref(job_ref);
  }
  void operator()(const Bulk& bulk) {
    for (const JobRef& job_ref : bulk.jobs) ref(job_ref);
  }
  void operator()(const WorkerBeat& beat) { refs(beat.leases); }
  void operator()(const WorkerBye& bye) { refs(bye.leases); }
  void operator()(const QueueStats& stats) { oldest(state.find_queue(stats.queue)); }
  // What was read of each stays known: the records of so many need not be in memory together.
  void operator()(const QueueStatsAll& stats) {
    for (Queue* queue : queues_told(state, stats)) {
      Job* first = queue->ready.oldest();
      if (first == nullptr || first->record || queue->oldest_known.is_of(*first)) continue;
      queue->oldest_asked = first->id;
      job(first);
    }
  }
  void operator()(const Exec& exec) {
    for (const Command& command : exec.commands) std::visit(*this, command.body);
  }
  // Those that go over many jobs find out on their way.
  void operator()(const ListJobs&) {}
  void operator()(const CountJobs&) {}
  void operator()(const OperationStart&) {}
  void operator()(const OperationGet&) {}
  void operator()(const OperationList&) {}
  void operator()(const OperationCancel&) {}
  void operator()(const OperationWait&) {}
  void operator()(const EventRead&) {}
  // FETCH finds out on its way; running jobs are always in memory.
  void operator()(const Fetch&) {}
  void operator()(const QueueList&) {}
  void operator()(const QueuePause&) {}
  void operator()(const QueueResume&) {}
  void operator()(const QueueSet&) {}
  void operator()(const TypePause&) {}
  void operator()(const TypeResume&) {}
  void operator()(const WorkerList&) {}
  void operator()(const WorkerTell&) {}
  void operator()(const UndoGrants&) {}
  void operator()(const AcceptClock&) {}
  // All keys are in memory.
  void operator()(const KeySet&) {}
  void operator()(const KeyGet&) {}
  void operator()(const KeysGet&) {}
  void operator()(const KeysDelete&) {}
  void operator()(const KeysExist&) {}
  void operator()(const KeyExpire&) {}
  void operator()(const KeyTimeLeft&) {}
  void operator()(const KeyPersist&) {}
  void operator()(const KeyAdd&) {}
  void operator()(const KeyScan&) {}
  void operator()(const KeyCount&) {}
  void operator()(const KeyType&) {}
  void operator()(const HashSet&) {}
  void operator()(const HashGet&) {}
  void operator()(const HashGetMany&) {}
  void operator()(const HashAll&) {}
  void operator()(const HashDelete&) {}
  void operator()(const HashHas&) {}
  void operator()(const HashSize&) {}
  void operator()(const HashAdd&) {}
  void operator()(const HashAddFloat&) {}
};

}  // namespace

bool ready_to_apply(State& state, const Command& command) {
  const size_t mark = state.residency().wants();
  Reads reads{state};
  std::visit(reads, command.body);
  const bool one_by_one = std::holds_alternative<QueueStatsAll>(command.body);
  if (!one_by_one) state.residency().join_wants(mark);
  return reads.ready;
}

bool ready_to_tell(State& state, const std::vector<JobId>& jobs) {
  const size_t mark = state.residency().wants();
  Reads reads{state};
  for (const JobId id : jobs) reads.job(state.find(id));
  state.residency().join_wants(mark);
  return reads.ready;
}

// A few records fit in any case: they were given up on account of others.
bool reads_too_much(State& state, const Command& command) {
  if (!state.residency().any_given_up()) return false;
  Reads reads{.state = state, .asks = false};
  std::visit(reads, command.body);
  return reads.given_up > limits::kReadTogetherJobsFree;
}

bool tells_too_much(State& state, const std::vector<JobId>& jobs) {
  if (!state.residency().any_given_up()) return false;
  Reads reads{.state = state, .asks = false};
  for (const JobId id : jobs) reads.job(state.find(id));
  return reads.given_up > limits::kReadTogetherJobsFree;
}

base::Error reads_too_much_error() {
  return base::fail(base::ErrorCode::kTooBig,
                    "limit={} bytes of records that one command may read from the tables: name "
                    "fewer jobs",
                    limits::kReadTogetherBytesMax)
      .value();
}

}  // namespace core
