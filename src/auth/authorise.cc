#include "auth/authorise.h"

#include <fmt/format.h>

#include <string>

#include "protocol/text.h"

namespace auth {

using base::ErrorCode;
using protocol::AccessOn;

namespace {

constexpr size_t kShownBytesMax = 128;

// "work", or "enqueue|work" where either is enough.
std::string need_text(core::RightSet need) {
  std::string text;
  for (size_t i = 0; i < core::kRightCount; ++i) {
    const auto right = static_cast<core::Right>(i);
    if ((need & core::set_of(right)) == 0) continue;
    if (!text.empty()) text += '|';
    text += core::right_name(right);
  }
  return text;
}

base::Error refusal(const protocol::CommandSpec& spec, std::string_view on, std::string_view name) {
  return base::Error{
      ErrorCode::kNoPerm,
      fmt::format("need={} {}={} {} is not among the scopes of this token: use another token, or "
                  "make one with this scope (dray token create)",
                  need_text(spec.need), on, protocol::printable(name, kShownBytesMax), spec.name)};
}

// Calls `visitor.queue(name)`, `visitor.job(reference)` and `visitor.key(name)` for all that a
// command names, and `visitor.other(name)` for what no right is held on. A new command does not
// compile until it is said here what it names.
template <typename Visitor>
struct Walk {
  Visitor& visitor;

  template <typename Items>
  void jobs(Items& items) {
    for (auto& item : items) visitor.job(item.job);
  }
  void keys(const std::vector<std::string_view>& names) {
    for (const std::string_view name : names) visitor.key(name);
  }
  template <typename Push>
  void push(Push& spec) {
    visitor.queue(spec.queue);
    visitor.holder(spec);
  }

  template <typename Body>
  void operator()(Body& body) {
    using T = std::remove_const_t<Body>;
    if constexpr (std::is_same_v<T, core::Push>) {
      push(body.spec);
    } else if constexpr (std::is_same_v<T, core::PushMany>) {
      for (auto& item : body.items) push(item);
    } else if constexpr (std::is_same_v<T, core::Fetch>) {
      for (const std::string_view queue : body.queues) visitor.queue(queue);
    } else if constexpr (std::is_same_v<T, core::QueueStats> ||
                         std::is_same_v<T, core::QueuePause> ||
                         std::is_same_v<T, core::QueueResume> ||
                         std::is_same_v<T, core::QueueSet>) {
      visitor.queue(body.queue);
    } else if constexpr (std::is_same_v<T, core::QueueList>) {
      visitor.list(body);
    } else if constexpr (std::is_same_v<T, core::OperationStart>) {
      // By a query: over the jobs of all queues, unless it is one queue's.
      body.queue.empty() ? visitor.everything() : visitor.queue(body.queue);
      if (body.changes.queue) visitor.other(*body.changes.queue);  // Where they are to go.
    } else {
      by_job(body);
    }
  }

  template <typename Body>
  void by_job(Body& body) {
    using T = std::remove_const_t<Body>;
    if constexpr (std::is_same_v<T, core::Ack>) {
      visitor.job(body.item.job);
    } else if constexpr (std::is_same_v<T, core::AckMany>) {
      jobs(body.items);
    } else if constexpr (std::is_same_v<T, core::Wait> || std::is_same_v<T, core::Bulk>) {
      for (auto& reference : body.jobs) visitor.job(reference);
    } else if constexpr (std::is_same_v<T, core::WorkerBeat> ||
                         std::is_same_v<T, core::WorkerBye>) {
      jobs(body.leases);
    } else if constexpr (std::is_same_v<T, core::Fail> || std::is_same_v<T, core::Release> ||
                         std::is_same_v<T, core::Extend> || std::is_same_v<T, core::Progress> ||
                         std::is_same_v<T, core::Log> || std::is_same_v<T, core::Get>) {
      visitor.job(body.job);
    } else if constexpr (std::is_same_v<T, core::Edit>) {
      visitor.job(body.job);
      if (body.queue) visitor.queue(*body.queue);  // Where it is to go.
    } else {
      by_key(body);
    }
  }

  template <typename Body>
  void by_key(Body& body) {
    using T = std::remove_const_t<Body>;
    if constexpr (std::is_same_v<T, core::KeysGet> || std::is_same_v<T, core::KeysDelete> ||
                  std::is_same_v<T, core::KeysExist>) {
      keys(body.keys);
    } else if constexpr (requires { body.key; }) {
      visitor.key(body.key);
    } else {
      over_all(body);
    }
  }

  // What rights on all queues are needed for, the server's own, and what is judged by its members.
  template <typename Body>
  void over_all(Body& body) {
    using T = std::remove_const_t<Body>;
    if constexpr (std::is_same_v<T, core::OperationGet> ||
                  std::is_same_v<T, core::OperationCancel> ||
                  std::is_same_v<T, core::OperationWait>) {
      visitor.other(body.operation);
    } else if constexpr (std::is_same_v<T, core::WorkerTell>) {
      visitor.other(body.worker);
    } else if constexpr (std::is_same_v<T, core::TypePause> ||
                         std::is_same_v<T, core::TypeResume>) {
      visitor.other(body.type);
      if (!body.queue.empty()) visitor.other(body.queue);
    } else {
      static_assert(std::is_same_v<T, core::KeyScan> || std::is_same_v<T, core::KeyCount> ||
                        std::is_same_v<T, core::QueueStatsAll> ||
                        std::is_same_v<T, core::UndoGrants> ||
                        std::is_same_v<T, core::AcceptClock> || std::is_same_v<T, core::Exec> ||
                        std::is_same_v<T, core::ListJobs> || std::is_same_v<T, core::CountJobs> ||
                        std::is_same_v<T, core::OperationList> ||
                        std::is_same_v<T, core::EventRead> || std::is_same_v<T, core::WorkerList>,
                    "say what the new command names");
    }
  }
};

// Judges the names against the rights, and gives references their sight.
struct Judge {
  const protocol::CommandSpec& spec;
  const core::Rights& rights;
  size_t named = 0;
  base::Status verdict = {};

  core::Sight sight() const { return {&rights, spec.need}; }
  void name(std::string_view on, std::string_view what) {
    ++named;
    if (verdict && !rights.allow(spec.need, what)) verdict = refusal(spec, on, what);
  }
  void queue(std::string_view queue) { name("queue", queue); }
  void key(std::string_view key) { name("key", key); }
  void everything() {
    if (verdict && !rights.allow_all(spec.need)) verdict = refusal(spec, "queue", "*");
  }
  void job(core::JobRef& reference) { reference.sight = sight(); }
  void other(std::string_view /*name*/) {}
  void holder(core::PushSpec& push) { push.sight = sight(); }
  void list(core::QueueList& list) { list.sight = sight(); }
};

struct Teller {
  const NameVisitor& visit;

  void queue(std::string_view queue) { visit(Named::kQueue, queue); }
  void key(std::string_view key) { visit(Named::kKey, key); }
  void job(const core::JobRef& reference) { visit(Named::kJob, reference.text); }
  void other(std::string_view name) { visit(Named::kOther, name); }
  void everything() { visit(Named::kQueue, "*"); }
  void holder(const core::PushSpec& /*push*/) {}
  void list(const core::QueueList& /*list*/) {}
};

}  // namespace

base::Status may_ask(const protocol::CommandSpec& spec, const core::Rights& rights) {
  if (spec.access_on == AccessOn::kNothing) return {};
  const bool over_all = spec.access_on == AccessOn::kAll;
  if (over_all ? rights.allow_all(spec.need) : rights.allow_some(spec.need)) return {};
  return refusal(spec, "queue", over_all ? "*" : "any");
}

base::Status may_do(const protocol::CommandSpec& spec, const core::Rights& rights,
                    core::Command& command) {
  Judge judge{spec, rights};
  std::visit(Walk<Judge>{judge}, command.body);
  const bool by_name = spec.access_on == AccessOn::kQueue || spec.access_on == AccessOn::kKey;
  // Nothing named means nothing allowed.
  if (by_name && judge.named == 0) return refusal(spec, "queue", "none");
  return std::move(judge.verdict);
}

void visit_names(const core::Command& command, const NameVisitor& visit) {
  Teller teller{visit};
  std::visit(Walk<Teller>{teller}, command.body);
}

}  // namespace auth
