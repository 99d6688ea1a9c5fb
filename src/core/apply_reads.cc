// What commands read: the records that have to be in memory before a command is applied.
#include "core/context.h"

namespace core {
namespace {

// Asks for what is missing. `ready` once nothing is.
struct Reads {
  State& state;
  bool ready = true;

  void job(Job* job) {
    if (job == nullptr || job->record) return;
    state.residency().want(*job);
    ready = false;
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
  void operator()(const QueueStatsAll&) {
    for (const auto& queue : state.queues()) oldest(queue.get());
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
};

}  // namespace

bool ready_to_apply(State& state, const Command& command) {
  Reads reads{state};
  std::visit(reads, command.body);
  return reads.ready;
}

bool ready_to_tell(State& state, const std::vector<JobId>& jobs) {
  Reads reads{state};
  for (const JobId id : jobs) reads.job(state.find(id));
  return reads.ready;
}

}  // namespace core
