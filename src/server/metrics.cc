#include "server/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>
#include <map>
#include <sstream>

#include "server/version.h"

namespace server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr double kNsPerSecond = 1e9;

// As operators of queues and of write-ahead logs know them.
constexpr const char* kPushed = "dray_jobs_enqueued_total";    // tidy: allow word because known so
constexpr const char* kJournalBytes = "dray_wal_bytes_total";  // tidy: allow word because known so
constexpr const char* kJournalFrames =
    "dray_wal_frames_total";  // tidy: allow word because known so

// Collects samples under their family's name, in order of first use.
class Families {
 public:
  using Labels = std::vector<ClientMetric::Label>;

  // Of all that is added from now on.
  void set_common(Labels labels) { common_ = std::move(labels); }

  void add(const char* name, const char* help, MetricType type, const Labels& labels,
           double value) {
    ClientMetric metric;
    metric.label = common_;
    metric.label.insert(metric.label.end(), labels.begin(), labels.end());
    if (type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    family(name, help, type).metric.push_back(std::move(metric));
  }

  void add_histogram(const char* name, const char* help, const engine::Histogram& histogram) {
    ClientMetric metric;
    metric.label = common_;
    uint64_t count = 0;
    for (size_t i = 0; i < engine::Histogram::kBuckets; ++i) {
      count += histogram.bucket(i);
      const bool last = i + 1 == engine::Histogram::kBuckets;
      const double bound =
          last ? std::numeric_limits<double>::infinity() : engine::Histogram::bound_seconds(i);
      metric.histogram.bucket.push_back({count, bound});
    }
    metric.histogram.sample_count = count;
    metric.histogram.sample_sum = static_cast<double>(histogram.sum_ns()) / kNsPerSecond;
    family(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }

  std::string text() const {
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families_);
    return out.str();
  }

 private:
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    const auto [found, fresh] = places_.try_emplace(name, families_.size());
    if (fresh) families_.push_back(MetricFamily{name, help, type, {}});
    return families_[found->second];
  }

  Labels common_;
  std::vector<MetricFamily> families_;
  std::map<std::string, size_t> places_;
};

using Stats = std::map<std::string, int64_t, std::less<>>;

// The tape of QueueStatsAll: name -> field -> number; texts are passed over.
std::map<std::string, Stats> read_stats(const core::Reply& reply) {
  std::map<std::string, Stats> queues;
  core::ReplyReader reader(reply.tape());
  if (reader.done() || reader.peek() != core::ReplyTag::kMap) return queues;
  reader.tag();
  const uint32_t count = reader.count();
  for (uint32_t i = 0; i < count; ++i) {
    reader.tag();
    Stats& stats = queues[std::string(reader.bytes())];
    reader.tag();
    const uint32_t fields = reader.count();
    for (uint32_t f = 0; f < fields; ++f) {
      reader.tag();
      const std::string field(reader.bytes());
      if (reader.tag() == core::ReplyTag::kInteger) {
        stats[field] = reader.integer();
      } else {
        reader.bytes();
      }
    }
  }
  return queues;
}

void add_queue(Families& families, const std::string& queue, const Stats& stats) {
  const auto value = [&](std::string_view field) {
    const auto found = stats.find(field);
    return found == stats.end() ? 0.0 : static_cast<double>(found->second);
  };
  const auto gauge = [&](const char* name, const char* help, double number) {
    families.add(name, help, MetricType::Gauge, {{"queue", queue}}, number);
  };
  const auto counter = [&](const char* name, const char* help, double number) {
    families.add(name, help, MetricType::Counter, {{"queue", queue}}, number);
  };
  for (const char* state : {"ready", "scheduled", "running", "waiting", "dead"}) {
    families.add("dray_queue_jobs", "Jobs by state.", MetricType::Gauge,
                 {{"queue", queue}, {"state", state}}, value(state));
  }
  const std::pair<const char*, const char*> results[] = {{"ok", "succeeded"},
                                                         {"failed", "failed"},
                                                         {"dead", "died"},
                                                         {"cancelled", "cancelled"},
                                                         {"expired", "expired"}};
  for (const auto& [result, field] : results) {
    families.add("dray_jobs_finished_total",
                 "Ends of jobs and of attempts; failed counts every attempt that failed.",
                 MetricType::Counter, {{"queue", queue}, {"result", result}}, value(field));
  }
  constexpr double kMsPerSecond = 1e3;
  gauge("dray_queue_oldest_ready_seconds", "Age of the job that has been ready longest.",
        value("oldest_ms") / kMsPerSecond);
  gauge("dray_queue_paused", "1 while the queue is paused.", value("paused"));
  if (stats.contains("alert")) {
    gauge("dray_queue_alert", "1 while the oldest ready job is older than QUEUE.SET ALERT allows.",
          value("alert"));
  }
  counter(kPushed, "Jobs pushed.", value("pushed"));
  counter("dray_jobs_started_total", "Leases given.", value("started"));
  counter("dray_leases_expired_total", "Leases that ran out.", value("lost"));
  counter("dray_job_retries_total", "Attempts after which the job is to run again.",
          value("retrying"));
}

// Who was turned away and put out, and what those hold who are there.
void add_doors(Families& families, MetricsHost& host) {
  const auto gauge = [&](const char* name, const char* help, uint64_t value) {
    families.add(name, help, MetricType::Gauge, {}, static_cast<double>(value));
  };
  gauge("dray_strangers", "Of them, those that did not log in yet.", host.doorman().strangers());
  for (size_t at = 0; at < kRefusalCount; ++at) {
    const auto refusal = static_cast<Refusal>(at);
    families.add("dray_connections_refused_total", "Connections that were not taken, by reason.",
                 MetricType::Counter, {{"reason", std::string(refusal_word(refusal))}},
                 static_cast<double>(host.doorman().refused(refusal)));
  }
  for (size_t at = 0; at < kClosureCount; ++at) {
    const auto closure = static_cast<Closure>(at);
    families.add("dray_connections_closed_total", "Connections that the server ended, by reason.",
                 MetricType::Counter, {{"reason", std::string(closure_word(closure))}},
                 static_cast<double>(host.doorman().closed(closure)));
  }
  const engine::BufferGauge& buffers = host.gauge();
  gauge("dray_buffer_bytes", "Memory of all connections: input, commands, replies not taken.",
        buffers.used());
  gauge("dray_buffer_budget_bytes", "What it must stay below.", buffers.budget());
  gauge("dray_overload_level", "0 none, 1 yellow, 2 orange: no new jobs, 3 red: no large reads.",
        static_cast<uint64_t>(host.pressure()));
}

void add_server(Families& families, MetricsHost& host) {
  families.add("dray_build_info", "The version of this server.", MetricType::Gauge,
               {{"version", std::string(kVersion)}}, 1);
  families.add("dray_connections", "Open RESP connections.", MetricType::Gauge, {},
               static_cast<double>(host.connections()));
  add_doors(families, host);
}

void add_engine(Families& families, const Shard& shard) {
  const engine::Engine& of = *shard.engine;
  const engine::EngineCounters& engine = of.counters();
  const store::StoreCounters& store = of.store_counters();
  const store::JournalSpace space = of.space();
  const auto gauge = [&](const char* name, const char* help, uint64_t value) {
    families.add(name, help, MetricType::Gauge, {}, static_cast<double>(value));
  };
  const auto counter = [&](const char* name, const char* help, uint64_t value) {
    families.add(name, help, MetricType::Counter, {}, static_cast<double>(value));
  };
  gauge("dray_jobs", "Job records held.", engine.jobs.load());
  gauge("dray_keys", "Keys held.", engine.keys.load());
  gauge("dray_keys_bytes", "What the keys count against their limit of 64 MiB.",
        engine.keys_bytes.load());
  gauge("dray_record_bytes", "Of job records in memory; the others lie in the tables.",
        engine.record_bytes.load());
  gauge("dray_unflushed_bytes", "Of unfinished jobs that wait to be written to the tables.",
        engine.unflushed_bytes.load());
  gauge("dray_damaged_jobs", "Jobs set aside because their row cannot be read.",
        engine.damaged.load());
  const engine::AuditorCounters& auditor = of.auditor_counters();
  counter("dray_audits_total", "Recounts of all jobs, one an hour.", auditor.audits.load());
  gauge("dray_audit_findings", "What the last of them found that does not agree; page somebody.",
        auditor.findings.load());
  families.add(
      "dray_unaccounted_jobs",
      "Pushed, and neither kept nor deleted nor retired: damaged jobs that were deleted, or "
      "jobs that are lost.",
      MetricType::Gauge, {}, static_cast<double>(auditor.unaccounted.load()));
  counter("dray_loads_total", "Job records read from the tables.", engine.loads.load());
  gauge("dray_waiting_commands", "Fetches and waits that wait.", engine.waiting.load());
  gauge("dray_pushes_refused", "1 while new jobs are refused.", engine.refusing.load());
  gauge("dray_store_bytes", "Bytes of the journal.", space.bytes_used);
  gauge("dray_store_budget_bytes", "What the journal must stay below.", space.bytes_budget);
  gauge("dray_store_disk_level", "0 fine, 1 low, 2 on the ballast, 3 full.",
        static_cast<uint64_t>(space.disk));
  counter(kJournalBytes, "Bytes of effects written.", store.bytes.load());
  counter(kJournalFrames, "Frames written, each with one sync.", store.frames.load());
  counter("dray_commands_total", "Commands applied.", engine.commands.load());
  counter("dray_loop_stalls_total", "Times the loop stood still for over a second.",
          engine.stalls.load());
  families.add_histogram("dray_store_commit_seconds", "From a turn's end to its durability.",
                         engine.commit_seconds);
  families.add_histogram("dray_engine_turn_seconds", "How long one turn holds the engine.",
                         engine.turn_seconds);
  if (shard.is_held) return;  // What follows is being made.
  if (const store::FlusherCounters* flusher = of.flusher_counters()) {
    counter("dray_flushes_total", "Flushes to the tables.", flusher->flushes.load());
    counter("dray_flushed_rows_total", "Rows of jobs written by them.", flusher->rows_put.load());
    counter("dray_flushed_bytes_total", "Bytes of jobs and side records written by them.",
            flusher->bytes.load());
  }
  if (const store::ScrubberCounters* scrubber = of.scrubber_counters()) {
    counter("dray_scrubs_total", "Verifications of all tables, one an hour.",
            scrubber->passes.load());
    gauge("dray_scrub_damages", "Damaged places that the last of them found; page somebody.",
          scrubber->damages.load());
  }
}

void add_queues(Families& families, const NamespaceStats& stats) {
  const std::map<std::string, Stats> queues = read_stats(stats.queues);
  const uint64_t used = stats.shard.engine->counters().queues.load();
  families.add("dray_queues", "Queues that were ever used.", MetricType::Gauge, {},
               static_cast<double>(used));
  families.add("dray_queues_left_out", "Queues whose numbers are not here, since they are many.",
               MetricType::Gauge, {}, static_cast<double>(used - std::min(used, queues.size())));
  for (const auto& [queue, numbers] : queues) add_queue(families, queue, numbers);
}

}  // namespace

std::string metrics_text(MetricsHost& host, const std::vector<NamespaceStats>& stats) {
  Families families;
  add_server(families, host);
  for (const NamespaceStats& one : stats) {
    if (host.shards().size() > 1) families.set_common({{"namespace", one.shard.name}});
    add_engine(families, one.shard);
    add_queues(families, one);
  }
  return families.text();
}

}  // namespace server
