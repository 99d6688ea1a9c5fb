#include "cli/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "cli/terminal.h"
#include "config/duration.h"

namespace cli {
namespace {

using std::chrono::milliseconds;

// AT and schedules go by the server's calendar; tokens of other systems begin to fail at seconds.
constexpr int64_t kSkewMsMax = 2'000;
constexpr int64_t kFreeBytesMin = int64_t{2} << 30;
// A push waits for one sync, and a worker for two a job.
constexpr int64_t kCommitP99UsMax = 50'000;
// What a server takes, and its own files.
constexpr int64_t kFilesMin = 10'256;
// A queue whose jobs nobody starts for so long has no worker.
constexpr int64_t kIdleMs = 60'000;
// Of a hundred leases, as many as this may be lost before it is no accident.
constexpr int64_t kLostPercentMax = 1;
constexpr int64_t kLostMin = 10;

Finding good(std::string subject, std::string what) {
  return {Verdict::kGood, std::move(subject), std::move(what)};
}
Finding unknown(std::string subject) {
  return {Verdict::kUnknown, std::move(subject), "this server does not tell"};
}

Finding look_at_clock(const Facts& facts) {
  const int64_t skew = std::abs(facts.skew_ms);
  const std::string what =
      fmt::format("the server's is {} {} ours", config::duration_text(milliseconds(skew)),
                  facts.skew_ms < 0 ? "behind" : "ahead of");
  if (skew <= kSkewMsMax + facts.round_trip_ms / 2) return good("clock", what);
  return {Verdict::kBad, "clock", what,
          "let both machines take their time from NTP (timedatectl status)"};
}

Finding look_at_version(const Facts& facts) {
  const std::string version = text_of(facts.server.info, "dray_version");
  if (version.empty()) return unknown("version");
  if (version == facts.own_version) return good("version", version + " on both sides");
  return {Verdict::kBad, "version",
          fmt::format("the server is {}, this program {}", printable(version), facts.own_version),
          "install the same version on both"};
}

Finding look_at_disk(const Facts& facts) {
  const Info& info = facts.server.info;
  const int64_t free = number_of(info, "data_free_bytes", -1);
  if (free < 0) return unknown("disk");
  const std::string what = fmt::format("{} MiB are free for the data", free >> 20);
  const bool is_refusing = number_of(info, "pushes_refused_now") != 0;
  if (free >= kFreeBytesMin && !is_refusing) return good("disk", what);
  return {Verdict::kBad, "disk", what + (is_refusing ? "; pushes are refused" : ""),
          "free space, move the data to a larger volume, or work jobs off"};
}

Finding look_at_commits(const Facts& facts) {
  const int64_t p99_us = number_of(facts.server.info, "commit_p99_us", -1);
  if (p99_us < 0) return unknown("sync");
  const std::string what =
      fmt::format("of 100 commits 99 took less than {:.1f} ms", static_cast<double>(p99_us) / 1e3);
  if (p99_us <= kCommitP99UsMax) return good("sync", what);
  return {Verdict::kBad, "sync", what,
          "use a disk whose fdatasync is quick (an SSD with power-loss protection), and for "
          "nothing else"};
}

Finding look_at_files(const Facts& facts) {
  const int64_t files = number_of(facts.server.info, "files_max", -1);
  if (files < 0) return unknown("files");
  const std::string what = fmt::format("the server may open {}", files);
  if (files >= kFilesMin) return good("files", what);
  return {Verdict::kBad, "files", what, "LimitNOFILE=65536 in its unit: each connection is one"};
}

Finding look_at_access(const Facts& facts) {
  const std::string address = text_of(facts.server.info, "resp_address");
  const int64_t auth = number_of(facts.server.info, "auth_required", -1);
  if (address.empty() || auth < 0) return unknown("access");
  const bool is_loopback = address.starts_with("127.") || address.starts_with("[::1]");
  if (auth != 0) return good("access", printable(address) + " asks for a token");
  if (is_loopback) return good("access", printable(address) + " is for this machine alone");
  return {Verdict::kBad, "access", printable(address) + " lets anybody in",
          "make tokens (dray token create), or bind it to 127.0.0.1"};
}

void look_at_queue(const dray::QueueStats& queue, std::vector<Finding>& findings) {
  const std::string subject = "queue " + printable(queue.queue);
  if (queue.paused) {
    const std::string reason = queue.raw.text_of("pause_reason");
    findings.push_back({Verdict::kBad, subject,
                        "is paused" + (reason.empty() ? std::string() : ": " + printable(reason)) +
                            fmt::format(", {} jobs are ready", queue.ready),
                        "dray queue resume " + printable(queue.queue)});
  } else if (queue.ready > 0 && queue.running == 0 && queue.oldest.count() > kIdleMs) {
    findings.push_back(
        {Verdict::kBad, subject,
         fmt::format("{} jobs are ready, the oldest for {}, and none runs", queue.ready,
                     config::duration_text(queue.oldest)),
         "start a worker that serves this queue and these types: dray worker ls, dray ls queue:" +
             printable(queue.queue)});
  }
  const int64_t lost = queue.raw.integer_of("lost");
  if (lost >= kLostMin && lost * 100 > queue.started * kLostPercentMax) {
    findings.push_back(
        {Verdict::kBad, subject, fmt::format("{} of {} leases were lost", lost, queue.started),
         "workers die, or a handler keeps its worker from beating for longer than the lease: dray "
         "queue show " +
             printable(queue.queue) + ", push with a longer --lease"});
  }
}

}  // namespace

std::vector<Finding> diagnose(const Facts& facts) {
  std::vector<Finding> findings = {look_at_version(facts), look_at_clock(facts),
                                   look_at_access(facts),  look_at_disk(facts),
                                   look_at_commits(facts), look_at_files(facts)};
  const size_t before = findings.size();
  for (const dray::QueueStats& queue : facts.server.queues) look_at_queue(queue, findings);
  if (findings.size() == before) {
    findings.push_back(good(
        "queues", fmt::format("{}, none paused, none left alone", facts.server.queues.size())));
  }
  if (facts.server.workers) {
    findings.push_back(good("workers", fmt::format("{} are there", facts.server.workers->size())));
  }
  return findings;
}

}  // namespace cli
