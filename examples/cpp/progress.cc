// Long work that says how far it is, leaves a checkpoint, and keeps its time limits.
//   progress [URL]
#include <dray/client.h>
#include <dray/worker.h>

#include <cstdio>
#include <thread>

// [codec]
struct Report {
  int rows = 0;
};

template <>
struct dray::Codec<Report> {
  static std::string encode(const Report& report) { return std::to_string(report.rows); }
  static Report decode(std::string_view text) { return {std::stoi(std::string(text))}; }
};
// [codec]

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// [progress]
std::string make_report(dray::Context& job, const Report& report) {
  // A run that comes after a crash goes on where the last one had come to.
  int row = std::stoi(job.saved_progress().value_or("0"));
  job.log(dray::LogLevel::kInfo, "beginning at row " + std::to_string(row));
  for (; row < report.rows; ++row) {
    if (job.wait(1ms)) return {};  // Cancelled: what we return now is dropped.
    // Time to come to an end by ourselves, before the hard limit does it.
    if (job.soft_timed_out()) throw dray::RetryLater(1ms, "to be continued");
    if (row % 10 == 0) job.progress(row);
  }
  job.progress(row);
  return std::to_string(row) + " rows";
}
// [progress]

}  // namespace

int main(int argc, char** argv) {
  try {
    dray::Client client({.url = argc > 1 ? argv[1] : ""});
    dray::Worker worker(client, {.queues = {{"reports"}}});
    worker.on<Report>("make_report", make_report);
    // Around every handler.
    worker.use([](dray::Context& job, const dray::RunNext& next) {
      std::printf("run %d\n", job.attempt());
      return next();
    });
    std::thread running([&] { worker.run(); });

    const dray::PushOptions limits{.attempts = 500, .timeout = 30s, .soft_timeout = 100ms};
    const dray::Pushed pushed = client.push("reports", "make_report", Report{300}, limits);
    dray::JobRecord job = client.wait(pushed.id, 50ms);
    while (!job.finished_state()) {
      if (job.progress) std::printf("%s rows so far\n", job.progress->c_str());
      job = client.wait(pushed.id, 50ms);
    }
    std::printf("%s: %s, at row %s\n", job.state.c_str(), job.result.value_or("none").c_str(),
                job.progress.value_or("none").c_str());
    worker.stop();
    running.join();
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
