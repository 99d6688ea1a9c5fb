// model/scene.h
// Scenarios for the model's tests: performs operations on a Puppet, has the model judge each one
// and hands back what was seen. The expectations stand in the tests, by hand, from the rules'
// sentences.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "model/generator.h"
#include "model/model.h"
#include "model/puppet.h"

namespace model {

inline Push a_push(const std::string& queue = "q") {
  Push push;
  push.queue = queue;
  push.type = "t";
  push.args = "{}";
  return push;
}

inline Fetch a_fetch(const std::string& queue = "q") {
  Fetch fetch;
  fetch.worker = "w";
  fetch.queues = {queue};
  return fetch;
}

inline Fetch a_fetch_of(int64_t count) {
  Fetch fetch = a_fetch();
  fetch.count = count;
  return fetch;
}

inline LeaseName lease_of(const GrantView& grant) {
  return LeaseName{grant.id, grant.token};
}

inline Fail a_fail(const GrantView& grant) {
  Fail fail;
  fail.lease = lease_of(grant);
  fail.error_class = "ValueError";
  fail.message = "no";
  return fail;
}

class Scene : public testing::Test {
 protected:
  // Performs `verb`, expects the model to agree, returns the reply.
  Reply run(const Verb& verb, Conn conn = 1) {
    const Op op{conn, verb};
    const Puppet::Seen seen = puppet.perform(op, now);
    answers = seen.answers;
    const auto wrong = model.check(op, now, seen.reply, seen.answers);
    EXPECT_EQ(wrong.value_or(""), "");
    const auto differs = model.compare(puppet.snapshot());
    EXPECT_EQ(differs.value_or(""), "");
    return seen.reply;
  }

  // Both clocks move, without due work.
  void tick(int64_t ms) {
    now.engine_ms += ms;
    now.wall_ms += ms;
  }

  // Both clocks move, due work is done.
  void pass(int64_t ms) {
    tick(ms);
    run(Advance{});
  }

  std::string push(const Push& push) { return run(push).id; }

  // Fetches one job; expects that there is one.
  GrantView fetch_one(const std::string& queue = "q") {
    const Reply reply = run(a_fetch(queue));
    EXPECT_EQ(reply.leases.size(), 1U);
    return reply.leases.empty() ? GrantView{} : reply.leases[0];
  }

  // Ids that a FETCH gets.
  std::vector<std::string> ids_of(const Fetch& fetch) {
    std::vector<std::string> ids;
    for (const GrantView& grant : run(fetch).leases) ids.push_back(grant.id);
    return ids;
  }

  std::string code(const Verb& verb) { return run(verb).code; }
  std::string first_code(const Verb& verb) { return run(verb).items.at(0).code; }
  const JobView& job(const std::string& id) { return find_job(model.world(), id)->view; }
  State state(const std::string& id) { return job(id).state; }
  bool exists(const std::string& id) { return find_job(model.world(), id) != nullptr; }

  // The lease of the fetched job runs out.
  void lose(const GrantView& grant) {
    pass(job(grant.id).lease->deadline_engine_ms - now.engine_ms);
  }

  // Time passes until the job is ready again.
  void wait_ready(const std::string& id) {
    pass(job(id).run_at.ms - now.engine_ms);
    EXPECT_EQ(state(id), State::kReady);
  }

  Now now = Generator::start();
  Model model{now};
  Puppet puppet{now, 1};
  std::vector<WaiterAnswer> answers;
};

}  // namespace model
