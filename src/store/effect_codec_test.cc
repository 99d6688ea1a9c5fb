#include "store/effect_codec.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/random.h"

namespace store {
namespace {

using core::Effect;

constexpr base::Now kNow{base::EngineTime{123'456}, base::WallTime{1'700'000'000'000}};

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return text;
}

// Reads a payload and writes it again.
base::Result<std::string> written_again(std::string_view payload) {
  EffectEncoder encoder;
  std::optional<base::Now> last;
  TRY(decode_effects(payload, [&](Effect&& effect, base::Now now) -> base::Status {
    if (last != now) encoder.begin(now);
    last = now;
    encoder.put(effect);
    return {};
  }));
  return encoder.take();
}

core::Attempt full_attempt(uint32_t fence) {
  core::Attempt attempt;
  attempt.token = {fence, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}};
  attempt.generation = 2;
  attempt.number = 3;
  attempt.outcome = core::Outcome::kTimeout;
  attempt.ending = core::Ending::kRelease;
  attempt.cancelled = true;
  attempt.after = core::JobState::kScheduled;
  attempt.worker = "host:1";
  attempt.started.ms = 1'700'000'000'001;
  attempt.ended.ms = 1'700'000'000'002;
  attempt.ended_engine.ms = 4;
  attempt.run_at_ms = 5;
  attempt.error_class = "Timeout";
  attempt.message = "late";
  attempt.trace = "line 1";
  return attempt;
}

core::Operation full_operation() {
  core::Operation operation;
  operation.number = 7;
  operation.verb = core::OperationVerb::kDeleteQueue;
  operation.state = core::OperationState::kCancelled;
  operation.force = true;
  operation.queue = "q";
  operation.query.text = "args.a:b";
  operation.query.terms = {
      {.field = core::QueryField::kArgs, .path = "a", .texts = {"b", "c"}},
      {.field = core::QueryField::kAge, .compare = core::Compare::kAtMost, .number = 5}};
  operation.jobs_most = 1;
  operation.rate = 2;
  operation.matched = 3;
  operation.done = 4;
  operation.skipped = 5;
  operation.next = {6};
  operation.last = {7};
  operation.started.ms = 8;
  operation.ended.ms = 9;
  return operation;
}

// A running job with something in every field that is stored.
core::Job full_job() {
  core::Job job;
  job.record = std::make_unique<core::JobRecord>();
  core::JobRecord& record = *job.record;
  job.id.value = 1'000'000;
  record.namespace_id = 1;
  job.state = core::JobState::kRunning;
  job.priority = 9;
  record.run_at_is_wall = record.cancel_requested = true;
  record.dead_reason = core::DeadReason::kNotRetryable;
  record.generation = 2;
  record.attempt = 3;
  record.attempts_max = 5;
  record.fence = 6;
  record.crashes = 7;
  record.crashes_max = 8;
  record.args = "args";
  record.run_at_ms = 9;
  record.expires_at.ms = 10;
  record.pushed.ms = 1'700'000'000'000;
  record.ready_at.ms = 11;
  record.finished_at.ms = 12;
  record.finished_wall.ms = 13;
  job.ready_seq = 14;
  record.lease_ms = 15;
  record.timeout_ms = 16;
  record.soft_timeout_ms = 17;
  record.keep_ms = 18;
  record.lease.granted.ms = 19;
  record.lease.deadline.ms = 20;
  record.lease.timeout_end.ms = 21;
  record.lease.alone = true;
  record.attempt_last = full_attempt(6);
  core::JobExtras& extras = core::extras_of(record);
  extras.key = "key";
  extras.meta = {{"f", "v"}, {"g", "w"}};
  extras.progress = "half";
  extras.result = "42";
  extras.backoff = core::parse_backoff("exponential:1000,1.5,60000~20").value();
  extras.has_backoff = extras.has_result = extras.has_progress = true;
  extras.history.push_back(full_attempt(5));
  extras.unique_key = "u";
  extras.unique_scope = core::UniqueScope::kWindow;
  extras.unique_ms = 22;
  extras.limits = {"api", "mail"};
  extras.fair_key = "tenant";  // tidy: allow word because these bytes are golden
  return job;
}

struct Sample {
  std::string name;
  std::string payload;
};

// One payload for each effect, with something in every field. What they are in bytes is fixed for
// ever in tests/golden/effects_v1.txt.
// NOLINTNEXTLINE(readability-function-size)
std::vector<Sample> samples() {
  std::vector<Sample> samples;
  const auto add = [&](std::string name, const Effect& effect) {
    EffectEncoder encoder;
    encoder.begin(kNow);
    encoder.put(effect);
    samples.push_back({std::move(name), encoder.take()});
  };
  core::JobPut put;
  put.job.record = std::make_unique<core::JobRecord>();
  put.job.id.value = 77;
  put.job.record->args = "{}";
  put.job.record->pushed = kNow.wall;
  put.job.record->ready_at = kNow.engine;
  put.job.ready_seq = 5;
  put.queue = "mail";
  put.type = "Send";
  add("job-put-plain", std::move(put));
  core::JobPut image;
  image.why = core::JobPut::Why::kImage;
  image.job = full_job();
  image.queue = "q";
  image.type = "t";
  add("job-put-image", std::move(image));
  add("push-seen-request",
      core::PushSeen{.id = {7}, .created = true, .request = "r", .until = base::EngineTime{9}});
  add("push-seen-producer", core::PushSeen{.id = {7}, .producer = "p", .producer_seq = 300});
  add("job-granted", core::JobGranted{{7}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, "w", true});
  add("job-ungranted", core::JobUngranted{{7}});
  add("job-ended-ack", core::JobEnded{.id = {7},
                                      .outcome = core::Outcome::kSucceeded,
                                      .ending = core::Ending::kAck,
                                      .after = core::JobState::kSucceeded,
                                      .result = "42",
                                      .has_result = true});
  add("job-ended-fail", core::JobEnded{.id = {7},
                                       .outcome = core::Outcome::kFailed,
                                       .ending = core::Ending::kFail,
                                       .after = core::JobState::kDead,
                                       .run_at_ms = 5,
                                       .ready_seq = 6,
                                       .error_class = "E",
                                       .message = "m",
                                       .trace = "t",
                                       .dead_reason = core::DeadReason::kCrashes});
  add("job-moved", core::JobMoved{{7}, core::JobState::kReady, 9, true});
  add("job-cancel-requested", core::JobCancelRequested{{7}});
  add("job-progressed", core::JobProgressed{{7}, "half"});
  add("job-removed", core::JobRemoved{{7}, true});
  add("queue-put", core::QueuePut{.name = "q", .paused = true, .reason = "fire"});
  add("queue-put-counters",
      core::QueuePut{.name = "q",
                     .has_counters = true,
                     .counters = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}});
  add("producer-put",
      core::ProducerPut{"p", base::EngineTime{8}, {{1, {2}, true}, {3, {4}, false}}});
  core::LedgerEntry entry;
  entry.id.value = 7;
  entry.fence = 3;
  entry.secret_hash = 0x0123456789abcdef;
  entry.ending = core::Ending::kFail;
  entry.cancelled = true;
  entry.after = core::JobState::kScheduled;
  entry.attempt = 2;
  entry.run_at_ms = 1'000;
  entry.until = base::EngineTime{60'000};
  add("ledger-put", core::LedgerPut{{entry}});
  add("state-put", core::StatePut{100, 200});
  add("checkpoint-done", core::CheckpointDone{33});
  add("ticked", core::Ticked{});
  add("producer-forgotten", core::ProducerForgotten{"p"});
  add("flushed", core::Flushed{33});
  using Clock = core::KeyExpiry::Clock;
  add("key-put", core::KeyPut{"k", "v"});
  add("key-put-engine", core::KeyPut{"k", "", {Clock::kEngine, 1'000}});
  add("key-put-wall", core::KeyPut{"k", "v", {Clock::kWall, 1'700'000'000'000}});
  add("key-removed", core::KeyRemoved{"k"});
  core::JobPut logged;
  logged.why = core::JobPut::Why::kImage;
  logged.job = full_job();
  core::AttemptLog log{.fence = 5, .dropped = 300};
  log.add({base::WallTime{1'700'000'000'001}, core::LogLevel::kWarn, "slow"});
  log.add({base::WallTime{1'700'000'000'002}, core::LogLevel::kDebug, ""});
  logged.job.record->extras->logs.push_back(std::move(log));
  logged.queue = "q";
  logged.type = "t";
  add("job-put-logs", std::move(logged));
  add("job-logged", core::JobLogged{{7}, core::LogLevel::kError, "broken"});
  core::JobEdited edited{.id = {7},
                         .queue = "q",
                         .type = "t",
                         .args = "{}",
                         .priority = 9,
                         .numbers = {1, 2, 3, 0, 5, 6, 7},
                         .backoff = core::parse_backoff("fixed:5").value(),
                         .after = core::JobState::kScheduled,
                         .run_at_is_wall = true,
                         .run_at_ms = 8};
  add("job-edited", edited);
  add("job-edited-ready", core::JobEdited{.id = {7}, .args = "", .ready_seq = 9});
  core::QueueSettings settings{.numbers = {1, 2, 3, 0, 5, 6, 7},
                               .backoff = core::parse_backoff("fixed:5").value()};
  add("queue-settings-put", core::QueueSettingsPut{"q", settings});
  settings = {};
  settings.of(core::QueueNumber::kAlertMs) = 60'000;
  add("queue-settings-put-one", core::QueueSettingsPut{"q", settings});
  add("type-pause-put", core::TypePausePut{"Send", "q", true, "fire"});
  add("type-pause-put-ended", core::TypePausePut{"Send", "", false, ""});
  add("key-expiry-put", core::KeyExpiryPut{"h", {Clock::kEngine, 1'000}});
  add("key-expiry-put-none", core::KeyExpiryPut{"h", {}});
  add("hash-field-put", core::HashFieldPut{"h", "f", "v"});
  add("hash-field-removed", core::HashFieldRemoved{"h", "f"});
  add("queue-put-forgotten", core::QueuePut{.name = "q", .is_forgotten = true, .balance = -2});
  add("operation-put", core::OperationPut{full_operation()});
  core::Operation edit{.number = 2, .verb = core::OperationVerb::kEdit};
  edit.changes = {.queue = "q", .type = "t", .args = "{}", .priority = 9};
  edit.changes.options = {1, {}, 3, 4, 5, 6, 7, 8, 9, core::parse_backoff("fixed:5").value()};
  add("operation-put-edit", core::OperationPut{edit});
  edit.changes = {};
  edit.changes.options.at_ms = 1'700'000'000'000;
  add("operation-put-edit-at", core::OperationPut{edit});
  settings = {};
  settings.of(core::QueueNumber::kAgeMs) = 60'000;
  add("queue-settings-put-age", core::QueueSettingsPut{"q", settings});
  return samples;
}

TEST(EffectCodec, BytesAreThoseOfTheGoldenFile) {
  std::ifstream file("tests/golden/effects_v1.txt");
  ASSERT_TRUE(file.is_open());
  const std::vector<Sample> now = samples();
  size_t read = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ASSERT_LT(read, now.size()) << "the file has more: " << line;
    EXPECT_EQ(now[read].name + " " + hex(now[read].payload), line);
    ++read;
  }
  EXPECT_EQ(read, now.size()) << "the next line should be "
                              << now[std::min(read, now.size() - 1)].name << " "
                              << hex(now[std::min(read, now.size() - 1)].payload);
}

TEST(EffectCodec, EveryEffectComesBack) {
  std::set<size_t> kinds;
  for (const Sample& sample : samples()) {
    const base::Result<std::string> again = written_again(sample.payload);
    ASSERT_TRUE(again.has_value()) << sample.name << ": " << again.error().message;
    EXPECT_EQ(hex(*again), hex(sample.payload)) << sample.name;
    const base::Status read = decode_effects(sample.payload, [&](Effect&& effect, base::Now now) {
      kinds.insert(effect.index());
      EXPECT_EQ(now, kNow);
      return base::Status{};
    });
    EXPECT_TRUE(read.has_value());
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Effect>) << "an effect has no sample";
}

TEST(EffectCodec, FieldsComeBackAsTheyWere) {
  size_t seen = 0;
  for (const Sample& sample : samples()) {
    const base::Status read = decode_effects(sample.payload, [&](Effect&& effect, base::Now) {
      if (const auto* ended = std::get_if<core::JobEnded>(&effect);
          ended != nullptr && !ended->has_result) {
        ++seen;
        EXPECT_EQ(ended->outcome, core::Outcome::kFailed);
        EXPECT_EQ(ended->ending, core::Ending::kFail);
        EXPECT_EQ(ended->after, core::JobState::kDead);
        EXPECT_EQ(ended->run_at_ms, 5);
        EXPECT_EQ(ended->ready_seq, 6U);
        EXPECT_EQ(ended->error_class, "E");
        EXPECT_EQ(ended->message, "m");
        EXPECT_EQ(ended->trace, "t");
        EXPECT_EQ(ended->dead_reason, core::DeadReason::kCrashes);
      }
      if (const auto* put = std::get_if<core::LedgerPut>(&effect)) {
        ++seen;
        EXPECT_EQ(put->entries.at(0).secret_hash, 0x0123456789abcdefU);
        EXPECT_EQ(put->entries.at(0).until, base::EngineTime{60'000});
        EXPECT_EQ(put->entries.at(0).attempt, 2U);
      }
      if (const auto* put = std::get_if<core::QueuePut>(&effect);
          put != nullptr && put->has_counters) {
        ++seen;
        EXPECT_EQ(put->counters, (core::QueueCounters{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}));
      }
      if (const auto* put = std::get_if<core::KeyPut>(&effect);
          put != nullptr && put->expiry.ms == 1'000) {
        ++seen;
        EXPECT_EQ(put->name, "k");
        EXPECT_EQ(put->value, "");
        EXPECT_EQ(put->expiry.clock, core::KeyExpiry::Clock::kEngine);
      }
      if (const auto* granted = std::get_if<core::JobGranted>(&effect)) {
        ++seen;
        EXPECT_EQ(granted->worker, "w");
        EXPECT_TRUE(granted->alone);
        EXPECT_EQ(granted->secret[11], 12);
      }
      return base::Status{};
    });
    EXPECT_TRUE(read.has_value());
  }
  EXPECT_EQ(seen, 5U);
}

TEST(EffectCodec, EffectsOfOnePayloadKeepTheirTimes) {
  EffectEncoder encoder;
  encoder.begin(kNow);
  EXPECT_TRUE(encoder.empty());
  encoder.put(core::JobUngranted{{1}});
  const base::Now later{kNow.engine + base::Duration{5}, kNow.wall};
  encoder.begin(later);
  encoder.put(core::JobUngranted{{2}});
  encoder.put(core::JobUngranted{{3}});
  std::vector<std::pair<uint64_t, base::Now>> seen;
  ASSERT_TRUE(decode_effects(encoder.take(), [&](Effect&& effect, base::Now now) {
                seen.emplace_back(std::get<core::JobUngranted>(effect).id.value, now);
                return base::Status{};
              }).has_value());
  EXPECT_EQ(seen, (std::vector<std::pair<uint64_t, base::Now>>{{1, kNow}, {2, later}, {3, later}}));
  EXPECT_TRUE(encoder.empty());
}

TEST(EffectCodec, WhatIsRewoundIsNotWritten) {
  EffectEncoder encoder;
  encoder.begin(kNow);
  const size_t start = encoder.mark();
  encoder.put(core::JobUngranted{{1}});
  encoder.rewind(start);
  EXPECT_TRUE(encoder.empty());
  encoder.put(core::JobUngranted{{2}});
  std::vector<uint64_t> seen;
  ASSERT_TRUE(decode_effects(encoder.take(), [&](Effect&& effect, base::Now now) {
                seen.push_back(std::get<core::JobUngranted>(effect).id.value);
                EXPECT_EQ(now, kNow);
                return base::Status{};
              }).has_value());
  EXPECT_EQ(seen, std::vector<uint64_t>{2});
}

TEST(EffectCodec, PrefixesAndDamageAreCorruptOrEffectsButNeverACrash) {
  base::SeededRandom random(6);
  for (const Sample& sample : samples()) {
    for (size_t size = 1; size < sample.payload.size(); ++size) {
      const auto again = written_again(std::string_view(sample.payload).substr(0, size));
      EXPECT_TRUE(again || again.error().code == base::ErrorCode::kCorrupt);
    }
    for (int i = 0; i < 300; ++i) {
      std::string bytes = sample.payload;
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
      const auto again = written_again(bytes);
      if (!again) {
        EXPECT_EQ(again.error().code, base::ErrorCode::kCorrupt);
        continue;
      }
      EXPECT_EQ(hex(written_again(*again).value()), hex(*again));
    }
  }
}

TEST(EffectCodec, AnUnknownTagOrAMissingTimeIsCorrupt) {
  const auto code_of = [](std::string_view bytes) {
    const base::Result<std::string> again = written_again(bytes);
    return again ? base::ErrorCode::kInternal : again.error().code;
  };
  EXPECT_EQ(code_of(std::string_view("\x05\x07", 2)), base::ErrorCode::kCorrupt) << "no time";
  EXPECT_EQ(code_of(std::string_view("\x01\x00\x00\x7f", 4)), base::ErrorCode::kCorrupt);
  EXPECT_EQ(code_of(std::string_view("\x01\x00\x00\x00", 4)), base::ErrorCode::kCorrupt);
}

TEST(EffectCodec, AnErrorOfTheVisitorEndsTheWalk) {
  EffectEncoder encoder;
  encoder.begin(kNow);
  encoder.put(core::JobUngranted{{1}});
  encoder.put(core::JobUngranted{{2}});
  int calls = 0;
  const base::Status read =
      decode_effects(encoder.take(), [&](Effect&&, base::Now) -> base::Status {
        ++calls;
        return base::fail(base::ErrorCode::kIo, "enough");
      });
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, base::ErrorCode::kIo);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace store
