// Many jobs at once: operations by query and on whole queues, counts and listings.
#include <algorithm>

#include "model/query.h"
#include "model/step.h"

namespace model {
namespace {

constexpr int64_t kPageMax = 1'000;
constexpr size_t kManyArgsBytesMax = 65'536;
constexpr size_t kListingsMax = 4;
const std::string kStart = "0";

// All jobs for which the query holds, by id; without one all that there are.
std::vector<std::string> ids_of(const World& world, const std::optional<std::string>& text) {
  const std::optional<Query> query = text ? Query::parse(*text) : std::nullopt;
  std::vector<std::string> ids;
  for (const auto& [id, job] : world.jobs) {
    if (!text || query->holds(job.view, world.now)) ids.push_back(id);
  }
  return ids;
}

// Whether the verb, as with IDS, would do something to a job in this state.
bool suits(BulkVerb verb, State state) {
  switch (verb) {
    case BulkVerb::kRetry:
      return is_finished(state);
    case BulkVerb::kCancel:
      return !is_finished(state);
    case BulkVerb::kDelete:
      return state != State::kRunning;
  }
  return false;
}

bool malformed_query(const std::optional<std::string>& query) {
  return query && !Query::parse(*query);
}

ListedJob listed(const JobView& view) {
  return ListedJob{view.id, view.state, view.queue, view.type, view.priority, view.attempt};
}

std::string listed_line(const ListedJob& job) {
  return job.id + " " + name_of(job.state) + " queue " + job.queue + " type " + job.type +
         " priority " + std::to_string(job.priority) + " attempt " + std::to_string(job.attempt);
}

}  // namespace

Reply Step::bulk_where(const BulkWhere& bulk, const Reply* seen) {
  if (malformed_query(bulk.query) || bulk.limit.value_or(1) < 1) return error_reply("BADREQ");
  std::vector<std::string> ids = ids_of(w_, bulk.query);
  std::erase_if(
      ids, [&](const std::string& id) { return !suits(bulk.verb, find_job(w_, id)->view.state); });
  const auto most = static_cast<size_t>(bulk.limit.value_or(INT64_MAX));
  if (ids.size() > most) ids.resize(most);
  for (const std::string& id : ids) {
    Job& job = *find_job(w_, id);
    if (bulk.verb == BulkVerb::kRetry) retry_job(job);
    if (bulk.verb == BulkVerb::kCancel) cancel_job(job, false);
    if (bulk.verb == BulkVerb::kDelete) remove_job(job);
  }
  return started(ids.size(), seen);
}

Reply Step::edit_where(const EditWhere& edit, const Reply* seen) {
  if (malformed_query(edit.query) || edit.limit.value_or(1) < 1) return error_reply("BADREQ");
  if (const auto refusal = refused_change(edit.edit)) return *refusal;
  if (edit.edit.args.value_or("").size() > kManyArgsBytesMax) return error_reply("TOOBIG");
  std::vector<std::string> ids = ids_of(w_, edit.query);
  std::erase_if(ids, [&](const std::string& id) {
    const State state = find_job(w_, id)->view.state;
    return state == State::kRunning || is_finished(state);
  });
  const auto most = static_cast<size_t>(edit.limit.value_or(INT64_MAX));
  size_t changed = 0;
  for (const std::string& id : ids) {
    if (edit_job(*find_job(w_, id), edit.edit).kind != Reply::Kind::kError) ++changed;
    if (changed == most) break;
  }
  return started(std::min(ids.size(), most), seen);
}

Reply Step::purge(const QueuePurge& purge, const Reply* seen) {
  if (!valid_name(purge.queue)) return error_reply("BADREQ");
  if (w_.queues.count(purge.queue) == 0) return error_reply("NOTFOUND");
  const std::vector<std::string> ids = waste_of(purge.queue);
  for (const std::string& id : ids) forget(id);
  return started(ids.size(), seen);
}

Reply Step::delete_queue(const QueueDelete& del, const Reply* seen) {
  if (!valid_name(del.queue)) return error_reply("BADREQ");
  if (w_.queues.count(del.queue) == 0) return error_reply("NOTFOUND");
  for (const auto& [id, job] : w_.jobs) {
    if (job.view.queue == del.queue && job.view.state == State::kRunning) {
      return bad_state(State::kRunning);
    }
  }
  const std::vector<std::string> ids = waste_of(del.queue);
  for (const std::string& id : ids) forget(id);
  w_.queues.erase(del.queue);
  return started(ids.size(), seen);
}

// Every job of the queue that does not run.
std::vector<std::string> Step::waste_of(const std::string& queue) const {
  std::vector<std::string> ids;
  for (const auto& [id, job] : w_.jobs) {
    if (job.view.queue == queue && job.view.state != State::kRunning) ids.push_back(id);
  }
  return ids;
}

// The answer of what makes an operation. Its id is the server's own choice, and a new one.
Reply Step::started(size_t matched, const Reply* seen) {
  Reply reply;
  reply.kind = Reply::Kind::kStarted;
  reply.number = static_cast<int64_t>(matched);
  reply.text = "OP" + std::to_string(w_.operations.size());  // Only in a dry run.
  if (seen != nullptr && seen->kind == Reply::Kind::kStarted) reply.text = seen->text;
  if (reply.text.empty()) throw Mismatch{"an operation has no id"};
  if (!w_.operations.insert(reply.text).second) {
    throw Mismatch{"a new operation has the id of an older one: " + reply.text};
  }
  return reply;
}

Reply Step::count(const JobCount& count) const {
  if (malformed_query(count.query)) return error_reply("BADREQ");
  return integer_reply(static_cast<int64_t>(ids_of(w_, count.query).size()));
}

Reply Step::list_jobs(const JobList& list, const Reply* seen) {
  if (malformed_query(list.query) || !within(list.count.value_or(1), 1, kPageMax)) {
    return error_reply("BADREQ");
  }
  if (seen == nullptr) return dry_page(list);
  Reply reply;
  reply.kind = Reply::Kind::kListed;
  if (seen->kind == Reply::Kind::kListed) judge_page(list, *seen);
  return reply;
}

// A dry run's pages are by id; its cursor is the last one that was named.
Reply Step::dry_page(const JobList& list) const {
  Reply reply;
  reply.kind = Reply::Kind::kListed;
  reply.text = kStart;
  const auto most = static_cast<size_t>(list.count.value_or(kPageMax));
  for (const std::string& id : ids_of(w_, list.query)) {
    if (id <= list.cursor.value_or(kStart)) continue;
    if (reply.listed.size() == most) {
      reply.text = reply.listed.back().id;
      break;
    }
    reply.listed.push_back(listed(find_job(w_, id)->view));
  }
  return reply;
}

void Step::judge_page(const JobList& list, const Reply& seen) {
  const std::vector<std::string> there = ids_of(w_, list.query);
  std::set<std::string> named;
  for (const ListedJob& job : seen.listed) {
    if (!std::binary_search(there.begin(), there.end(), job.id)) {
      throw Mismatch{"JOB.LIST named " + listed_line(job) + ", which does not fit"};
    }
    if (!named.insert(job.id).second) throw Mismatch{"JOB.LIST named " + job.id + " twice"};
    const std::string expected = listed_line(listed(find_job(w_, job.id)->view));
    if (listed_line(job) != expected) {
      throw Mismatch{"JOB.LIST should name " + expected + ", got " + listed_line(job)};
    }
  }
  if (static_cast<int64_t>(named.size()) > list.count.value_or(kPageMax)) {
    throw Mismatch{"JOB.LIST named " + std::to_string(named.size()) + " jobs on one page"};
  }
  if (seen.text.empty()) throw Mismatch{"JOB.LIST has no cursor"};
  const std::string cursor = list.cursor.value_or(kStart);
  Listing going{cursor, list.query, {there.begin(), there.end()}};
  if (cursor != kStart) {
    const auto known = std::find_if(
        w_.listings.begin(), w_.listings.end(),
        [&](const Listing& other) { return other.cursor == cursor && other.query == list.query; });
    if (known == w_.listings.end()) return;  // A cursor that nobody gave: it owes nothing.
    going = *known;
    w_.listings.erase(known);
  }
  for (const std::string& id : named) going.owed.erase(id);
  going.cursor = seen.text;
  if (going.cursor != kStart) {
    w_.listings.push_back(going);
    if (w_.listings.size() > kListingsMax) w_.listings.erase(w_.listings.begin());
  } else if (!going.owed.empty()) {
    throw Mismatch{"JOB.LIST has ended and never named job " + *going.owed.begin()};
  }
}

// A job that does not fit now did not fit during the whole listing.
void Step::forgive_listings() {
  for (Listing& listing : w_.listings) {
    const std::vector<std::string> fit = ids_of(w_, listing.query);
    std::set<std::string> owed;
    for (const std::string& id : listing.owed) {
      if (std::binary_search(fit.begin(), fit.end(), id)) owed.insert(id);
    }
    listing.owed = owed;
  }
}

}  // namespace model
