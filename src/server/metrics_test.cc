#include "server/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "base/clock.h"
#include "base/random.h"
#include "server/version.h"
#include "store/memory/null_journal.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class FakeHost final : public MetricsHost {
 public:
  explicit FakeHost(const std::vector<std::string>& namespaces = {"default"}) {
    for (const std::string& name : namespaces) {
      shards_.push_back(
          std::make_unique<Shard>(Served{name, engine_}, Shard::Ask(), EventFeed::Later()));
    }
  }

  const Shards& shards() const override { return shards_; }
  const engine::BufferGauge& gauge() const override { return gauge_; }
  bool is_ready() const override { return true; }
  engine::Pressure pressure() const override { return engine::Pressure::kYellow; }
  size_t connections() const override { return 3; }
  std::string resp_text() const override { return "127.0.0.1:1"; }
  Doorman& doorman() override { return doorman_; }
  void fetch_stats(const auth::PrincipalPtr& /*asker*/, StatsDone done) override { done({}); }

  // With the same stats of queues in all namespaces.
  std::string text(const core::Reply& queues) {
    std::vector<NamespaceStats> stats;
    for (const auto& shard : shards_) {
      stats.push_back({*shard, {}});
      stats.back().queues.append(queues);
    }
    return metrics_text(*this, stats);
  }

 private:
  ConnectionLimits limits_;
  Doorman doorman_{limits_};
  base::ManualClock clock_;
  base::SystemRandom random_;
  engine::BufferGauge gauge_;
  engine::Engine engine_{std::make_unique<store::NullJournal>(), nullptr, clock_, random_, gauge_};
  Shards shards_;
};

// {queue → stats}, as the engine tells it.
core::Reply stats_of(const std::string& queue) {
  core::Reply stats;
  stats.map(1);
  stats.bulk(queue);
  const std::pair<const char*, int64_t> fields[] = {
      {"ready", 1},  {"scheduled", 2}, {"running", 3},      {"waiting", 4}, {"dead", 5},
      {"pushed", 6}, {"started", 7},   {"succeeded", 8},    {"failed", 9},  {"died", 10},
      {"lost", 11},  {"retrying", 12}, {"oldest_ms", 1500}, {"paused", 1},  {"alert", 1}};
  stats.map(std::size(fields) + 1);
  stats.bulk("reason");
  stats.bulk("a text");
  for (const auto& [name, value] : fields) {
    stats.bulk(name);
    stats.integer(value);
  }
  return stats;
}

std::map<std::string, std::string> samples(const std::string& text) {
  std::map<std::string, std::string> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    const size_t space = line.rfind(' ');
    const bool fresh = samples.emplace(line.substr(0, space), line.substr(space + 1)).second;
    EXPECT_TRUE(fresh) << "twice: " << line;
  }
  return samples;
}

TEST(Metrics, TellsOfEachQueue) {
  FakeHost host;
  const auto found = samples(host.text(stats_of("mail")));
  const std::pair<const char*, const char*> wanted[] = {
      {"dray_queue_jobs{queue=\"mail\",state=\"ready\"}", "1"},
      {"dray_queue_jobs{queue=\"mail\",state=\"scheduled\"}", "2"},
      {"dray_queue_jobs{queue=\"mail\",state=\"running\"}", "3"},
      {"dray_queue_jobs{queue=\"mail\",state=\"waiting\"}", "4"},
      {"dray_queue_jobs{queue=\"mail\",state=\"dead\"}", "5"},
      {"dray_jobs_enqueued_total{queue=\"mail\"}", "6"},  // tidy: allow word because known so
      {"dray_jobs_started_total{queue=\"mail\"}", "7"},
      {"dray_jobs_finished_total{queue=\"mail\",result=\"ok\"}", "8"},
      {"dray_jobs_finished_total{queue=\"mail\",result=\"failed\"}", "9"},
      {"dray_jobs_finished_total{queue=\"mail\",result=\"dead\"}", "10"},
      {"dray_jobs_finished_total{queue=\"mail\",result=\"cancelled\"}", "0"},
      {"dray_leases_expired_total{queue=\"mail\"}", "11"},
      {"dray_job_retries_total{queue=\"mail\"}", "12"},
      {"dray_queue_oldest_ready_seconds{queue=\"mail\"}", "1.5"},
      {"dray_queue_paused{queue=\"mail\"}", "1"},
      {"dray_queue_alert{queue=\"mail\"}", "1"},
      {"dray_connections", "3"}};
  for (const auto& [name, value] : wanted) {
    const auto sample = found.find(name);
    ASSERT_NE(sample, found.end()) << name;
    EXPECT_EQ(sample->second, value) << name;
  }
  EXPECT_TRUE(found.contains("dray_build_info{version=\"" + std::string(kVersion) + "\"}"));
}

TEST(Metrics, NamesOfQueuesAreEscaped) {
  FakeHost host;
  const std::string text = host.text(stats_of("a\"b\\c\nd"));
  EXPECT_THAT(text, HasSubstr("dray_queue_paused{queue=\"a\\\"b\\\\c\\nd\"} 1\n"));
}

TEST(Metrics, WithoutQueuesTheServerIsThere) {
  FakeHost host;
  core::Reply refused;
  refused.error(base::ErrorCode::kOverloaded, "full");
  const std::string texts[] = {host.text(core::Reply()), host.text(refused)};
  for (const std::string& text : texts) {
    EXPECT_THAT(text, HasSubstr("\ndray_connections 3\n"));
    EXPECT_THAT(text, Not(HasSubstr("queue=")));
  }
}

TEST(Metrics, HistogramsCountUpToAll) {
  FakeHost host;
  const auto found = samples(host.text(core::Reply()));
  EXPECT_EQ(found.at("dray_store_commit_seconds_count"), "0");
  EXPECT_EQ(found.at("dray_store_commit_seconds_bucket{le=\"+Inf\"}"), "0");
}

TEST(Metrics, OfSeveralNamespacesEachNumberSaysOfWhich) {
  FakeHost host({"default", "shop"});
  const auto found = samples(host.text(stats_of("mail")));
  for (const std::string name : {"default", "shop"}) {
    const std::string label = "namespace=\"" + name + "\"";
    EXPECT_TRUE(found.contains("dray_jobs{" + label + "}"));
    EXPECT_TRUE(found.contains("dray_store_commit_seconds_count{" + label + "}"));
    EXPECT_EQ(found.at("dray_queue_jobs{" + label + ",queue=\"mail\",state=\"ready\"}"), "1");
  }
  EXPECT_EQ(found.at("dray_connections"), "3");
  EXPECT_TRUE(found.contains("dray_buffer_bytes"));
}

}  // namespace
}  // namespace server
