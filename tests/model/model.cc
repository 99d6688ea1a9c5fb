#include "model/model.h"

#include <algorithm>

#include "model/step.h"

namespace model {
namespace {

const std::string kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr size_t kIdChars = 13;
constexpr size_t kNameBytesMax = 128;
const std::string kKeyPrefix = "key:";

bool all_crockford(const std::string& text) {
  return text.find_first_not_of(kCrockford) == std::string::npos;
}

std::string crockford(uint64_t number, size_t chars) {
  std::string text(chars, '0');
  for (size_t i = chars; i > 0 && number > 0; --i, number /= 32) {
    text[i - 1] = kCrockford[number % 32];
  }
  return text;
}

// Time that jitter left open must have been seen before the next step can be judged.
void require_all_adopted(const World& world) {
  for (const auto& [id, job] : world.jobs) {
    if (job.run_at_range || job.deadline_range) {
      throw Mismatch{"the driver did not call compare() after the last step: job " + id +
                     " has a time that was not seen yet"};
    }
  }
}

}  // namespace

bool is_finished(State state) {
  return state == State::kSucceeded || state == State::kDead || state == State::kCancelled ||
         state == State::kExpired;
}

Job* find_job(World& world, const std::string& id) {
  const auto found = world.jobs.find(id);
  return found == world.jobs.end() ? nullptr : &found->second;
}

const Job* find_job(const World& world, const std::string& id) {
  const auto found = world.jobs.find(id);
  return found == world.jobs.end() ? nullptr : &found->second;
}

std::string id_after(const std::string& id, uint64_t by) {
  uint64_t number = 0;
  for (const char c : id) number = number * 32 + kCrockford.find(c);
  return crockford(number + by, kIdChars);
}

std::string made_up_token(int64_t number) {
  constexpr size_t kTokenChars = 26;
  return crockford(static_cast<uint64_t>(number), kTokenChars);
}

bool within(int64_t value, int64_t low, int64_t high) {
  return low <= value && value <= high;
}

bool outside(const std::optional<int64_t>& value, int64_t low, int64_t high) {
  return value && !within(*value, low, high);
}

bool valid_name(const std::string& name) {
  static const std::string allowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-";
  return !name.empty() && name.size() <= kNameBytesMax &&
         name.find_first_not_of(allowed) == std::string::npos;
}

// 64 bits in 13 characters of 5 bits: the first one has 4.
bool valid_id(const std::string& id) {
  if (id.compare(0, kKeyPrefix.size(), kKeyPrefix) == 0) {
    return id.size() > kKeyPrefix.size() && id.size() <= kKeyPrefix.size() + kNameBytesMax;
  }
  return id.size() == kIdChars && all_crockford(id) && id[0] <= 'F';
}

bool valid_token(const std::string& token) {
  return !token.empty() && all_crockford(token);
}

Reply ok_reply() {
  Reply reply;
  reply.kind = Reply::Kind::kOk;
  return reply;
}

Reply error_reply(const std::string& code) {
  Reply reply;
  reply.kind = Reply::Kind::kError;
  reply.code = code;
  return reply;
}

Reply bad_state(State state) {
  Reply reply = error_reply("BADSTATE");
  reply.state = state;
  return reply;
}

Reply nil_reply() {
  Reply reply;
  reply.kind = Reply::Kind::kNil;
  return reply;
}

Reply integer_reply(int64_t number) {
  Reply reply;
  reply.kind = Reply::Kind::kInteger;
  reply.number = number;
  return reply;
}

Reply value_reply(const std::string* value) {
  if (value == nullptr) return nil_reply();
  Reply reply;
  reply.kind = Reply::Kind::kValue;
  reply.text = *value;
  return reply;
}

Reply array_reply(std::vector<Reply> items) {
  Reply reply;
  reply.kind = Reply::Kind::kArray;
  reply.items = std::move(items);
  return reply;
}

// Returns the id that `id` or key:<name> stands for; nothing for a key that no job has.
std::optional<std::string> Step::resolve(const std::string& id) const {
  if (id.compare(0, kKeyPrefix.size(), kKeyPrefix) != 0) return id;
  const auto holder = w_.keys.find(id.substr(kKeyPrefix.size()));
  if (holder == w_.keys.end()) return std::nullopt;
  return holder->second;
}

Reply Step::no_record(const std::string& id) const {
  return error_reply(!id.empty() && id <= w_.highest_id ? "GONE" : "NOTFOUND");
}

// Sends each verb to its rule.
struct Visitor {
  Step& step;
  const Reply* seen;

  Reply operator()(const Push& verb) { return step.push(verb, seen); }
  Reply operator()(const MPush& verb) { return step.mpush(verb, seen); }
  Reply operator()(const Fetch& verb) { return step.fetch(verb, seen); }
  Reply operator()(const Ack& verb) { return step.ack(verb); }
  Reply operator()(const MAck& verb) { return step.mack(verb); }
  Reply operator()(const Fail& verb) { return step.fail(verb, seen); }
  Reply operator()(const Release& verb) { return step.release(verb); }
  Reply operator()(const Extend& verb) { return step.extend(verb); }
  Reply operator()(const Progress& verb) { return step.progress(verb); }
  Reply operator()(const Log& verb) { return step.log(verb); }
  Reply operator()(const Get& verb) { return step.get(verb); }
  Reply operator()(const Wait& verb) { return step.wait(verb); }
  Reply operator()(const Cancel& verb) { return step.cancel(verb); }
  Reply operator()(const Retry& verb) { return step.retry(verb); }
  Reply operator()(const Delete& verb) { return step.remove(verb); }
  Reply operator()(const Edit& verb) { return step.edit(verb); }
  Reply operator()(const BulkWhere& verb) { return step.bulk_where(verb, seen); }
  Reply operator()(const EditWhere& verb) { return step.edit_where(verb, seen); }
  Reply operator()(const JobCount& verb) { return step.count(verb); }
  Reply operator()(const JobList& verb) { return step.list_jobs(verb, seen); }
  Reply operator()(const Beat& verb) { return step.beat(verb); }
  Reply operator()(const Bye& verb) { return step.bye(verb); }
  Reply operator()(const TellWorker& verb) { return step.tell_worker(verb); }
  Reply operator()(const WorkerList&) { return step.worker_list(); }
  Reply operator()(const QueueStats& verb) { return step.stats(verb); }
  Reply operator()(const QueueList&) { return step.list(); }
  Reply operator()(const QueuePause& verb) { return step.pause(verb); }
  Reply operator()(const QueueResume& verb) { return step.resume(verb); }
  Reply operator()(const QueueSet& verb) { return step.queue_set(verb); }
  Reply operator()(const QueuePurge& verb) { return step.purge(verb, seen); }
  Reply operator()(const QueueDelete& verb) { return step.delete_queue(verb, seen); }
  Reply operator()(const TypePause& verb) { return step.type_pause(verb); }
  Reply operator()(const TypeResume& verb) { return step.type_resume(verb); }
  Reply operator()(const KeySet& verb) { return step.key_set(verb); }
  Reply operator()(const KeyGet& verb) { return step.key_get(verb); }
  Reply operator()(const KeyMGet& verb) { return step.key_mget(verb); }
  Reply operator()(const KeyDel& verb) { return step.key_del(verb); }
  Reply operator()(const KeyExists& verb) { return step.key_exists(verb); }
  Reply operator()(const KeyExpire& verb) { return step.key_expire(verb); }
  Reply operator()(const KeyTtl& verb) { return step.key_ttl(verb); }
  Reply operator()(const KeyPersist& verb) { return step.key_persist(verb); }
  Reply operator()(const KeyIncr& verb) { return step.key_incr(verb); }
  Reply operator()(const KeyScan& verb) { return step.key_scan(verb, seen); }
  Reply operator()(const KeyDbSize&) { return step.key_db_size(); }
  Reply operator()(const HashSet& verb) { return step.hash_set(verb); }
  Reply operator()(const HashGet& verb) { return step.hash_get(verb); }
  Reply operator()(const HashMGet& verb) { return step.hash_mget(verb); }
  Reply operator()(const HashGetAll& verb) { return step.hash_get_all(verb); }
  Reply operator()(const HashDel& verb) { return step.hash_del(verb); }
  Reply operator()(const HashExists& verb) { return step.hash_exists(verb); }
  Reply operator()(const HashLen& verb) { return step.hash_len(verb); }
  Reply operator()(const HashIncr& verb) { return step.hash_incr(verb); }
  Reply operator()(const HashIncrFloat& verb) { return step.hash_incr_float(verb); }
  Reply operator()(const Exec& verb) { return step.exec(verb, seen); }
  Reply operator()(const Advance& verb) {
    step.advance(verb);
    return {};
  }
  Reply operator()(const Restart&) {
    step.restart();
    return {};
  }
  Reply operator()(const Close& verb) {
    auto& waiters = step.w_.waiters;
    waiters.erase(std::remove_if(waiters.begin(), waiters.end(),
                                 [this](const Waiter& w) { return w.conn == step.conn_; }),
                  waiters.end());
    step.undo(verb.ungot);
    return {};
  }
  Reply operator()(const Undo& verb) {
    step.undo(verb.leases);
    return {};
  }
};

Reply Step::apply(const Op& op, const Reply* seen) {
  return std::visit(Visitor{*this, seen}, op.verb);
}

Model::Model(Now start, int64_t keys_bytes_max) {
  world_.now = start;
  world_.keys_bytes_max = keys_bytes_max;
}

std::optional<std::string> Model::check(const Op& op, Now now, const Reply& observed,
                                        const std::vector<WaiterAnswer>& answers) {
  try {
    require_all_adopted(world_);
    world_.granted.clear();
    Step step(world_, op.conn);
    step.observe_clocks(now);  // A restart clears the hold that its gap may seem to ask for.
    const Reply expected = step.apply(op, &observed);
    step.match(expected, observed, "the reply");
    step.serve_waiters(&answers, std::holds_alternative<Advance>(op.verb));
  } catch (const Mismatch& mismatch) {
    return describe(op) + ": " + mismatch.text;
  }
  return std::nullopt;
}

}  // namespace model
