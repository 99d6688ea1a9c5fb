// sim: random operations, time jumps and restarts on the real core and on the reference model.
// Any seed can be replayed alone. Exit code 0: no difference; 1: a difference, printed with its
// seed; 3: nothing was wrong, but so little happened that it says nothing.
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "sim/run.h"

#ifdef DRAY_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

namespace {

// What the threads work on, for whoever has to say why the process ended.
thread_local uint64_t current_seed = 0;

void write_seed() {
  char text[96];
  const auto end =
      fmt::format_to_n(text, sizeof text - 1, "sim: seed {} ended the process: ./x sim --seed {}\n",
                       current_seed, current_seed);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, end.size);
}

void on_death(int number) {
  write_seed();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

struct Options {
  uint64_t seeds = 1'000;
  uint64_t first = 1;
  uint64_t steps = 300;
  unsigned threads = std::max(1U, std::thread::hardware_concurrency());
};

struct Found {
  std::mutex mutex;
  std::atomic<bool> stop = false;
  uint64_t seed = 0;  // Guarded by mutex, like the two below.
  std::string report;
  sim::Tally tally;
};

void work(const Options& options, std::atomic<uint64_t>& next, Found& found) {
  sim::Tally tally;
  while (!found.stop) {
    const uint64_t seed = next++;
    if (seed >= options.first + options.seeds) break;
    current_seed = seed;
    auto report = sim::run_seed({.seed = seed, .steps = options.steps}, tally);
    if (!report) continue;
    const std::lock_guard lock(found.mutex);
    if (found.stop.exchange(true)) break;
    found.seed = seed;
    found.report = *std::move(report);
  }
  const std::lock_guard lock(found.mutex);
  for (const auto& [name, count] : tally) found.tally[name] += count;
}

// What must have happened at least once in so many steps, or the run says nothing.
constexpr std::pair<const char*, uint64_t> kOnceIn[] = {{"jobs pushed", 20},
                                                        {"leases", 20},
                                                        {"attempts succeeded", 200},
                                                        {"attempts failed", 200},
                                                        {"leases lost", 200},
                                                        {"leases released", 400},
                                                        {"jobs dead", 1'000},
                                                        {"jobs cancelled", 400},
                                                        {"jobs expired", 2'000},
                                                        {"jobs deleted", 400},
                                                        {"jobs retried", 2'000},
                                                        {"jobs forgotten", 2'000},
                                                        {"restarts", 500},
                                                        {"flushes", 1'000},
                                                        {"audits", 500},
                                                        {"frames trimmed", 500},
                                                        {"waiting commands answered", 200},
                                                        {"records read", 100},
                                                        {"commands parked", 200},
                                                        {"keys set", 200},
                                                        {"keys not set", 1'000},
                                                        {"keys over", 500},
                                                        {"keys beyond the limit", 2'000},
                                                        {"numbers refused", 3'000},
                                                        {"scans ended", 1'000},
                                                        {"keys taken back", 20'000},
                                                        {"slices of operations", 200},
                                                        {"lines logged", 200},
                                                        {"jobs edited", 200},
                                                        {"types paused", 500},
                                                        {"queues set", 200},
                                                        {"jobs for full queues", 2'000},
                                                        {"workers told", 2'000},
                                                        {"hashes set", 1'000},
                                                        {"fields counted up", 1'000}};

int report(const Options& options, const Found& found, uint64_t seeds,
           std::chrono::nanoseconds took) {
  if (found.stop) {
    fmt::print("{}\nsim: seed {} differs; ./x sim --seed {} --steps {} shows all of it\n",
               found.report, found.seed, found.seed, options.steps);
    return 1;
  }
  const uint64_t steps = seeds * options.steps;
  fmt::print("sim: {} seeds, {} steps, {:.1f} s: no difference\n", seeds, steps,
             std::chrono::duration<double>(took).count());
  bool vacuous = false;
  for (const auto& [name, once_in] : kOnceIn) {
    const auto count = found.tally.find(name);
    const uint64_t happened = count == found.tally.end() ? 0 : count->second;
    fmt::print("  {:>9} {}\n", happened, name);
    if (happened >= steps / once_in) continue;
    fmt::print("sim: invalid: {} should have happened at least {} times\n", name, steps / once_in);
    vacuous = true;
  }
  constexpr int kInvalid = 3;
  return vacuous ? kInvalid : 0;
}

int run_one(uint64_t seed, uint64_t steps) {
  current_seed = seed;
  sim::Tally tally;
  const auto wrong = sim::run_seed({.seed = seed, .steps = steps, .verbose = true}, tally);
  for (const auto& [name, count] : tally) fmt::print("  {:>9} {}\n", count, name);
  fmt::print("{}\n", wrong ? *wrong : "no difference");
  return wrong ? 1 : 0;
}

int run_many(const Options& options) {
  const base::SystemClock clock;
  const base::MonoTime start = clock.mono();
  std::atomic<uint64_t> next = options.first;
  Found found;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::max(1U, options.threads); ++i) {
    threads.emplace_back([&] { work(options, next, found); });
  }
  for (std::thread& thread : threads) thread.join();
  return report(options, found, options.seeds, clock.mono() - start);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGABRT, on_death);
  std::signal(SIGSEGV, on_death);
#ifdef DRAY_SANITIZED
  __sanitizer_set_death_callback(write_seed);
#endif
  Options options;
  std::optional<uint64_t> seed;
  CLI::App app("Random operations on the real core and on the reference model", "sim");
  app.add_option("--seeds", options.seeds, "how many seeds");
  app.add_option("--first", options.first, "the first of them");
  app.add_option("--steps", options.steps, "operations of each seed");
  app.add_option("--threads", options.threads, "processors to use");
  app.add_option("--seed", seed, "replay this one and print every step");
  CLI11_PARSE(app, argc, argv);
  return seed ? run_one(*seed, options.steps) : run_many(options);
}
