// A worker for a service manager: at SIGTERM it takes no more jobs, gives running ones ten seconds,
// and gives back what is not finished by then, without the loss of an attempt.
//   shutdown [URL]
#include <dray/worker.h>

#include <cstdio>
#include <cstdlib>

namespace {

// Long work asks now and then whether it is still wanted, and leaves a checkpoint for the next run.
std::string count_rows(dray::Context& job) {
  using std::chrono_literals::operator""ms;
  const int rows = 1'000;
  for (int row = std::atoi(job.saved_progress().value_or("0").c_str()); row < rows; ++row) {
    if (job.wait(10ms)) return {};  // Cancelled: what we return now is dropped.
    if (row % 100 == 0) job.progress(std::to_string(row));
  }
  return std::to_string(rows);
}

}  // namespace

int main(int argc, char** argv) {
  using std::chrono_literals::operator""s;
  try {
    // [shutdown]
    dray::Worker worker(dray::ClientOptions{.url = argc > 1 ? argv[1] : ""},
                        {.queues = {{"reports"}}, .concurrency = 8, .grace = 10s});
    worker.on("count_rows", count_rows);
    worker.stop_on_signals();
    const dray::WorkerReport report = worker.run();
    // [shutdown]
    std::printf("%llu succeeded, %llu failed, %llu given back\n",
                static_cast<unsigned long long>(report.succeeded),
                static_cast<unsigned long long>(report.failed),
                static_cast<unsigned long long>(report.released));
    return 0;
  } catch (const dray::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
