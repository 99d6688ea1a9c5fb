// For tests of commands: a state, its clocks and short ways to push, fetch and look.
#pragma once

#include <gtest/gtest.h>  // tidy: allow include because only tests include this file

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/context.h"

namespace core {

class ApplyFixture : public testing::Test {
 protected:
  // Counts effects; nothing is kept.
  class CountingSink final : public EffectSink {
   public:
    void put(const Effect&) override { ++count; }
    size_t mark() const override { return count; }
    void rewind(size_t mark) override { count = mark; }
    size_t count = 0;
  };

  Context context() { return Context{state, now, random, sink, turns, nullptr}; }
  Answer run(CommandBody body) {
    Context step = context();
    Answer answer;
    apply(step, Command{std::move(body)}, answer);
    return answer;
  }
  // The error's word and message; "OK" for what is none.
  static std::string error_of(const Answer& answer) {
    ReplyReader reader(answer.reply.tape());
    if (reader.tag() != ReplyTag::kError) return "OK";
    const base::ErrorCode code = reader.code();
    return std::string(base::error_word(code)) + " " + std::string(reader.bytes());
  }

  static PushSpec spec(std::string_view queue = "q", std::string_view type = "t") {
    PushSpec push;
    push.queue = queue;
    push.type = type;
    push.args = "{}";
    return push;
  }
  Job& push(const PushSpec& push_spec) {
    const JobId id = state.id_next();
    const Answer answer = run(Push{push_spec});
    EXPECT_EQ(error_of(answer), "OK");
    return *state.find(id);
  }
  Job& push() { return push(spec()); }

  static Fetch fetch_of(std::vector<std::string_view> queues, int64_t count = 1) {
    Fetch fetch;
    fetch.worker = "w";
    fetch.count = count;
    fetch.queues = std::move(queues);
    return fetch;
  }
  // The answer as text: maps in braces, arrays in brackets.
  static std::string shown(const Answer& answer) {
    ReplyReader reader(answer.reply.tape());
    return shown(reader);
  }
  static std::string shown(ReplyReader& reader) {
    const auto list = [&](uint32_t values) {
      std::string text;
      for (uint32_t i = 0; i < values; ++i) text += (i == 0 ? "" : " ") + shown(reader);
      return text;
    };
    switch (reader.tag()) {
      case ReplyTag::kOk:
        return "OK";
      case ReplyTag::kNil:
        return "nil";
      case ReplyTag::kInteger:
        return std::to_string(reader.integer());
      case ReplyTag::kBulk:
      case ReplyTag::kSimple:
        return std::string(reader.bytes());
      case ReplyTag::kError: {
        const base::ErrorCode code = reader.code();
        return std::string(base::error_word(code)) + " " + std::string(reader.bytes());
      }
      case ReplyTag::kArray:
      case ReplyTag::kPush:
        return "[" + list(reader.count()) + "]";
      case ReplyTag::kMap:
        return "{" + list(2 * reader.count()) + "}";
    }
    return "?";
  }
  std::string show(CommandBody body) { return shown(run(std::move(body))); }

  // The lease of the job that starts next.
  std::pair<JobRef, TokenRef> start() {
    const Answer answer = run(fetch_of({"q"}));
    EXPECT_EQ(answer.grants.size(), 1U);
    return names(answer.grants.at(0));
  }
  static std::pair<JobRef, TokenRef> names(const std::pair<JobId, LeaseToken>& grant) {
    return {JobRef{grant.first, {}, {}}, TokenRef{grant.second, true}};
  }

  void pass(int64_t ms) {
    now.engine += base::Duration{ms};
    now.wall += base::Duration{ms};
    Context step = context();
    while (apply_due(step, 100) == Due::kMore) {
    }
  }

  // All is flushed; records leave memory down to `memory_max`.
  void flush(uint64_t memory_max) {
    Residency& residency = state.residency();
    const auto gone = residency.freeze(
        [this](const Job& job) { rows[job.id.value] = clone_record(*job.record); });
    for (const JobId id : gone) rows.erase(id.value);
    while (!residency.take_some(100)) {
    }
    residency.flush_done(memory_max);
  }
  // All is flushed, and every record that can leave memory has left it.
  void make_cold() { flush(0); }
  // Reads the records that were asked for. Returns their ids.
  std::vector<uint64_t> read_wants() {
    std::vector<JobId> wants = state.residency().take_wants();
    for (const auto& together : state.residency().take_wants_together()) {
      wants.insert(wants.end(), together.begin(), together.end());
    }
    std::vector<uint64_t> ids;
    for (const JobId id : wants) {
      ids.push_back(id.value);
      state.bring_in(id, clone_record(*rows.at(id.value)));
    }
    std::ranges::sort(ids);
    return ids;
  }

  // All that can be seen of the state, and what orders it.
  std::string dump() {
    std::string text;
    for (const uint64_t page : state.jobs().page_numbers()) {
      state.jobs().for_each_in_page(page, [&](const Job& job) {
        Reply reply;
        write_job(reply, job, now);
        text +=
            std::string(reply.tape()) +
            fmt::format(
                " seq {} at {} ready {} lease {} {} key {}\n", job.ready_seq, job.record->run_at_ms,
                job.record->ready_at, job.record->lease.deadline, job.record->bytes,
                job.record->extras ? state.find_key(job.record->extras->key) == &job : false);
      });
    }
    for (const auto& queue : state.queues()) {
      text += queue->name + (queue->paused ? " paused" : "");
      for (const Job* job : queue->ready.in_order()) text += fmt::format(" {}", job->id.value);
      for (const uint64_t count : queue->jobs) text += fmt::format(" {}", count);
      const QueueCounters& c = queue->counters;
      text += fmt::format(" pushed {} started {} ended {} {} {} {} {} {} {}\n", c.pushed, c.started,
                          c.succeeded, c.failed, c.retrying, c.released, c.dead, c.cancelled,
                          c.retried);
    }
    state.keys().walk(0, [&](std::string_view name, const Keys::Entry& entry) {
      text += fmt::format("key {} '{}' {} {}", name, entry.value,
                          static_cast<int>(entry.expiry.clock), entry.expiry.ms);
      if (entry.hash) {
        for (const auto& [field, value] : entry.hash->fields) {
          text += fmt::format(" {}={}", field, value);
        }
      }
      text += "\n";
      return true;
    });
    text +=
        fmt::format("keys {} leases {}\n", state.keys().bytes(), state.workers().leases_of("w"));
    return text + fmt::format("next {} {} bytes {} timers {} {}", state.id_next().value,
                              state.ready_seq_next(), state.residency().record_bytes(),
                              state.timers().size(), state.wall_timers().size());
  }

  State state;
  base::Now now{base::EngineTime{1'000'000}, base::WallTime{1'700'000'000'000}};
  base::SeededRandom random{1};
  CountingSink sink;
  WeightedTurns turns;
  std::map<uint64_t, std::unique_ptr<JobRecord>> rows;  // Of the tables, by id.
};

}  // namespace core
