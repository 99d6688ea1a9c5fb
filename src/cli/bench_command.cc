// dray bench
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "base/base32.h"
#include "base/clock.h"
#include "base/random.h"
#include "cli/command.h"
#include "cli/measurement.h"
#include "cli/side_process.h"
#include "cli/terminal.h"
#include "dray/worker.h"

namespace cli {
namespace {

constexpr size_t kBatchJobs = 1'000;
constexpr int kRoundTrips = 200;
constexpr int64_t kNsPerUs = 1'000;

// A server on a folder of its own, both gone with this.
class ThrowawayServer {
 public:
  static base::Result<std::unique_ptr<ThrowawayServer>> start(const std::string& parent) {
    std::string folder = parent + "/dray-bench-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) {
      return base::fail(base::ErrorCode::kIo, "no folder can be made in {}", parent);
    }
    std::error_code fault;
    const std::string self = std::filesystem::read_symlink("/proc/self/exe", fault).string();
    auto process = SideProcess::run_program(
        {self, "serve", "--config", "/dev/null", "--data", folder + "/data", "--resp",
         "127.0.0.1:0", "--http", "127.0.0.1:0", "--allow-volatile", "--log-level", "error"});
    if (!process) return tl::unexpected(process.error());
    std::unique_ptr<ThrowawayServer> server(new ThrowawayServer(*std::move(process), folder));
    const std::string line = server->process_->read_line();
    const size_t begin = line.find("resp=");
    if (begin == std::string::npos) {
      return base::fail(base::ErrorCode::kIo, "the server did not start");
    }
    const size_t end = line.find(' ', begin);
    server->url_ = "dray://" + line.substr(begin + 5, end - begin - 5);
    return server;
  }
  ~ThrowawayServer() {
    process_.reset();
    std::error_code fault;
    std::filesystem::remove_all(folder_, fault);
  }
  ThrowawayServer(const ThrowawayServer&) = delete;
  ThrowawayServer& operator=(const ThrowawayServer&) = delete;

  const std::string& url() const { return url_; }

 private:
  ThrowawayServer(SideProcess process, std::string folder)
      : process_(std::move(process)), folder_(std::move(folder)) {}

  std::optional<SideProcess> process_;
  std::string folder_;
  std::string url_;
};

// Set by SIGINT and SIGTERM, which end the process that measures instead of this one.
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t measuring = 0;

void interrupt(int) {
  interrupted = 1;
  if (measuring != 0) kill(measuring, SIGTERM);
}

class BenchCommand final : public Command {
 public:
  explicit BenchCommand(CLI::App& app) {
    app.add_option("-n,--jobs", jobs_, "jobs of each workload (20000)")
        ->check(CLI::Range(100, 10'000'000))
        ->type_name("N");
    app.add_option("--clients", clients_, "processes that push at the same time (4)")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    app.add_option("--workers", workers_, "worker processes (2)")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    app.add_option("--concurrency", concurrency_, "jobs at the same time in each (64)")
        ->check(CLI::Range(1, 1'000))
        ->type_name("N");
    app.add_option("--size", args_bytes_, "bytes of a job's args (100)")
        ->check(CLI::Range(2, 1'000'000))
        ->type_name("N");
    app.add_option("--data", folder_, "where the throwaway server keeps its data ($TMPDIR)")
        ->type_name("DIR");
    add_server(app, server_);
    add_output(app, form_);
    add_example(app, "dray bench --data /var/tmp",
                "Without --url or --profile it starts a server of its own and throws it away (it "
                "pays no\nheed to DRAY_URL). A server that is named gets the load in a queue "
                "dray-bench-…, which\nis removed in the end, at Ctrl-C as well.");
  }

  int run() override {
    std::unique_ptr<ThrowawayServer> own;
    if (server_.url.empty() && server_.profile.empty()) {
      if (folder_.empty()) folder_ = std::filesystem::temp_directory_path().string();
      auto started = ThrowawayServer::start(folder_);
      if (!started) {
        print_error("dray: {}\n", printable(started.error().message));
        return kExitFailed;
      }
      own = *std::move(started);
      server_.url = own->url();
    }
    base::SystemRandom random;
    const std::string name{base::base32_encode({random.next(), 0}).view()};
    queue_ = "dray-bench-" + name.substr(name.size() - 6);
    args_ = "\"" + std::string(args_bytes_ - 2, 'x') + "\"";
    const std::string said = measured_aside();
    if (interrupted != 0) {
      print_error("dray: interrupted\n");
      if (!own) {
        end_running_jobs();
        remove_queue();
      }
      return kExitFailed;
    }
    const size_t word_end = said.find(kErrorMark);
    if (word_end != std::string::npos) {
      throw dray::Error(said.substr(0, word_end), said.substr(word_end + 1));
    }
    if (said.empty()) throw dray::Error(dray::ErrorCode::kOther, "the process that measures died");
    fmt::print("{}", said);
    if (!own) remove_queue();
    return kExitOk;
  }

 private:
  // Between the word and the message of an error; no table or JSON has one.
  static constexpr char kErrorMark = '\0';

  // Does it all in a process of its own, so that this one is there to clean up when Ctrl-C ends the
  // others. Their pipe is closed when the last of them has gone.
  std::string measured_aside() {
    std::signal(SIGINT, interrupt);   // NOLINT: sigaction would say no more here.
    std::signal(SIGTERM, interrupt);  // NOLINT
    SideProcess process = take(SideProcess::run_function([this] {
      std::signal(SIGINT, SIG_DFL);   // NOLINT
      std::signal(SIGTERM, SIG_DFL);  // NOLINT
      try {
        return text_of({push_one_by_one(), push_in_batches(), live()});
      } catch (const dray::Error& error) {
        return error.word() + kErrorMark + error.message();
      }
    }));
    measuring = process.id();
    if (interrupted != 0) kill(process.id(), SIGTERM);
    std::string said = process.output();
    measuring = 0;
    return said;
  }

  // Those of the workers that were killed, which would keep their queue.
  void end_running_jobs() {
    try {
      dray::Client client(client_options(server_));
      const dray::Value begun = client.call(
          {"JOB.CANCEL", "FORCE", "WHERE", fmt::format("queue:{} state:running", queue_)});
      const dray::Value* op = begun.find("op");
      if (op == nullptr || op->text.empty()) return;
      constexpr std::chrono::milliseconds kPatience{10'000};
      client.call({"OP.WAIT", op->text, "BLOCK", std::to_string(kPatience.count())},
                  dray::Repeat::kSafe, kPatience);
    } catch (const dray::Error& error) {
      print_error("dray: jobs of {} go on: {}\n", queue_, printable(error.what()));
    }
  }

  dray::NewJob job() const {
    dray::NewJob job{.queue = queue_, .type = "bench", .args = args_};
    job.options.keep = std::chrono::seconds(10);
    return job;
  }

  // In a process of its own.
  std::string push_share(int jobs) const {
    Latencies latencies;
    try {
      dray::Client client(client_options(server_));
      const dray::NewJob each = job();
      for (int i = 0; i < jobs; ++i) {
        const base::MonoTime before = clock_.mono();
        client.push(each);
        latencies.add((clock_.mono() - before).count() / kNsPerUs);
      }
      return latencies.text();
    } catch (const dray::Error& error) {
      return error.what();
    }
  }

  Measurement push_one_by_one() {
    Measurement result{.name = fmt::format("push, {} clients", clients_)};
    const base::MonoTime begin = clock_.mono();
    std::vector<SideProcess> pushers;
    for (int i = 0; i < clients_; ++i) {
      pushers.push_back(
          take(SideProcess::run_function([&] { return push_share(jobs_ / clients_); })));
    }
    for (SideProcess& pusher : pushers) {
      const std::string said = pusher.output();
      if (!result.latencies.take(said)) throw dray::Error(dray::ErrorCode::kOther, said);
    }
    result.ns = (clock_.mono() - begin).count();
    result.jobs = static_cast<int64_t>(result.latencies.count());
    pushed_ += result.jobs;
    return result;
  }

  Measurement push_in_batches() {
    Measurement result{.name = fmt::format("push, {} a batch", kBatchJobs)};
    dray::Client client(client_options(server_));
    const std::vector<dray::NewJob> batch(kBatchJobs, job());
    const base::MonoTime begin = clock_.mono();
    while (result.jobs < jobs_) {
      const base::MonoTime before = clock_.mono();
      client.push_many(batch);
      result.latencies.add((clock_.mono() - before).count() / kNsPerUs);
      result.jobs += static_cast<int64_t>(kBatchJobs);
    }
    result.ns = (clock_.mono() - begin).count();
    pushed_ += result.jobs;
    return result;
  }

  // In a process of its own, until SIGTERM.
  std::string work() const {
    try {
      dray::WorkerOptions options;
      options.queues.push_back({queue_});
      options.concurrency = concurrency_;
      dray::Worker worker(client_options(server_), options);
      worker.on_any([](dray::Context&) { return std::nullopt; });
      worker.stop_on_signals();
      worker.run();
      return {};
    } catch (const dray::Error& error) {
      return error.what();
    }
  }

  // All that was pushed is worked off; then one job at a time, from its push to its end.
  Measurement live() {
    Measurement result{.name = fmt::format("life, {} workers", workers_), .jobs = pushed_};
    std::vector<SideProcess> workers;
    const base::MonoTime begin = clock_.mono();
    for (int i = 0; i < workers_; ++i) {
      workers.push_back(take(SideProcess::run_function([&] { return work(); })));
    }
    dray::Client client(client_options(server_));
    // The last in line: when it is done, so are the others, but for those that run.
    dray::NewJob last = job();
    last.options.priority = 0;
    client.wait(client.push(last).id, std::chrono::hours(1));
    while (client.stats(queue_).succeeded < pushed_) {
      // A job that goes through takes as long as a look should wait.
      client.wait(client.push(last).id, std::chrono::minutes(1));
    }
    result.ns = (clock_.mono() - begin).count();
    for (int i = 0; i < kRoundTrips; ++i) {
      const base::MonoTime before = clock_.mono();
      client.wait(client.push(job()).id, std::chrono::minutes(1));
      result.latencies.add((clock_.mono() - before).count() / kNsPerUs);
    }
    return result;
  }

  // A server that cannot keeps an empty queue.
  void remove_queue() {
    try {
      dray::Client client(client_options(server_));
      client.call({"QUEUE.DELETE", queue_}, dray::Repeat::kNever);
    } catch (const dray::Error& error) {
      print_error("dray: the queue {} stays: {}\n", queue_, printable(error.what()));
    }
  }

  static SideProcess take(base::Result<SideProcess> process) {
    if (!process) throw dray::Error(dray::ErrorCode::kOther, process.error().message);
    return *std::move(process);
  }

  std::string text_of(const std::vector<Measurement>& results) const {
    Listing listing("results",
                    {{"workload"}, {"jobs"}, {"jobs/s"}, {"p50 ms"}, {"p99 ms"}, {"most ms"}});
    for (const Measurement& result : results) {
      const auto ms = [&](double percent) {
        return fmt::format("{:.2f}",
                           static_cast<double>(result.latencies.percentile_us(percent)) / 1e3);
      };
      const auto rate = fmt::format("{:.0f}", result.jobs_per_second());
      listing.add(
          {{result.name}, {std::to_string(result.jobs)}, {rate}, {ms(50)}, {ms(99)}, {ms(100)}},
          fmt::format(R"({{"workload":"{}","jobs":{},"jobs_per_second":{},"p50_ms":{},)"
                      R"("p99_ms":{},"most_ms":{}}})",
                      result.name, result.jobs, rate, ms(50), ms(99), ms(100)));
    }
    std::string text = listing.text(form_, stdout_is_coloured(), stdout_columns());
    if (!is_json(form_)) {
      text +=
          "latencies: of one push; of one batch; of one job from its push to its end, with idle "
          "workers\n";
    }
    return text;
  }

  int jobs_ = 20'000;
  int clients_ = 4;
  int workers_ = 2;
  int concurrency_ = 64;
  size_t args_bytes_ = 100;
  std::string folder_;
  ServerChoice server_;
  Form form_ = Form::kTable;

  base::SystemClock clock_;
  std::string queue_;
  std::string args_;
  int64_t pushed_ = 0;
};

}  // namespace

std::unique_ptr<Command> make_bench(CLI::App& app) {
  return std::make_unique<BenchCommand>(app);
}

}  // namespace cli
