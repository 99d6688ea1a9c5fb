// dray exec --queue q [--type t…] -- command {}
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "cli/child.h"
#include "cli/child_groups.h"
#include "cli/command.h"
#include "cli/own_stderr.h"
#include "cli/terminal.h"
#include "config/duration.h"
#include "dray/worker.h"

namespace cli {
namespace {

constexpr int kExitPermanent = 65;  // EX_DATAERR: what is wrong with the job will not go away.
constexpr size_t kResultBytesMax = size_t{1} << 20;
constexpr size_t kErrorBytesMax = size_t{4} << 10;
constexpr std::string_view kArgsPlace = "{}";
// How long it may take, at most, until the end of a killed command is seen.
constexpr std::chrono::milliseconds kEndSeen{1'000};
// How long a job waits that could not be started here, for this machine or for another.
constexpr std::chrono::milliseconds kCannotStartDelay{5'000};
// For so long who could not start a command takes no other job: it may be one of many workers.
constexpr std::chrono::milliseconds kCannotStartRest{1'000};

[[noreturn]] void fail_job(std::string error_class, std::string message, bool permanent) {
  dray::Failure failure;
  failure.error_class = std::move(error_class);
  failure.message = std::move(message);
  failure.permanent = permanent;
  throw dray::JobError(std::move(failure));
}

std::string trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1));
}

// Each command that runs takes four files; what is usual (1,024) is not enough for concurrency
// 1,000. Returns the limit that was, for the commands: some cannot work with more.
std::optional<rlimit> raise_file_limit() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return {};
  const rlimit before = files;
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) return {};
  return before;
}

// At the first one the worker stops, at the second it does not wait for its commands. Once it has
// let go of the signals, while the last commands have their --kill-after, one more ends all of
// them.
void stop_on_signals(dray::Worker& worker) {
  kill_children_at({SIGTERM, SIGINT, SIGHUP, SIGQUIT});
  std::vector<int> ignored;
  for (const int signal : {SIGHUP, SIGQUIT}) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) {
      ignored.push_back(signal);
    }
  }
  worker.stop_on_signals({SIGTERM, SIGINT, SIGHUP, SIGQUIT});
  // As nohup has it, or a shell for what runs in its background.
  for (const int signal : ignored) std::signal(signal, SIG_IGN);  // NOLINT: as below.
}

class ExecCommand final : public Command {
 public:
  explicit ExecCommand(CLI::App& app) {
    app.add_option("-Q,--queue", queues_, "a queue to serve; more than once: in this order")
        ->required()
        ->expected(1)
        ->take_all();
    app.add_option("-t,--type", types_,
                   "run only jobs of this type; more than once: of any of them")
        ->expected(1)
        ->take_all();
    app.add_option("-c,--concurrency", concurrency_, "jobs at the same time (1)")
        ->check(CLI::Range(1, 1'000));
    add_duration(app, "--grace", grace_, "after SIGTERM: how long running jobs may take (25s)");
    add_duration(app, "--kill-after", kill_after_,
                 "from SIGTERM to SIGKILL, for a job that is cancelled or out of time (5s)");
    app.add_option("--name", name_, "a label for people (host:pid:random)");
    app.add_flag("--no-result", no_result_, "do not keep stdout as the job's result");
    add_server(app, server_);
    app.add_option("command", words_, "the command; {} in a word stands for the job's args")
        ->required()
        ->type_name("COMMAND");
    app.positionals_at_end();
    add_example(
        app, "dray exec --queue mail --type send_email -- sh -c 'jq -r .to | xargs notify'",
        "The command gets the job's args on stdin, and in its environment DRAY_JOB_ID, "
        "DRAY_QUEUE,\n"
        "DRAY_TYPE, DRAY_ATTEMPT, DRAY_MAX_ATTEMPTS, DRAY_FENCE, DRAY_PRIORITY, DRAY_KEY and\n"
        "DRAY_PUSHED_MS. What it writes to stdout is the job's result, at most 1 MiB.\n"
        "Its exit status: 0 done, 65 failed for good, any other or a signal: run it again later.\n"
        "The end of its stderr is the error message. A job that is cancelled or beyond its time\n"
        "limit is ended with all the processes it started.");
  }

  int run() override {
    const auto program = find_program(words_.front());
    if (!program) {
      print_error("dray: {}\n", program.error().message);
      return kExitUsage;
    }
    program_ = *program;
    open_files_ = raise_file_limit();
    // A child that does not read its stdin is not our end.
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT: sigaction would say no more here.
    dray::Worker worker(client_options(server_), worker_options());
    const auto handler = [this](dray::Context& context) { return run_job(context); };
    for (const std::string& type : types_) worker.on(type, handler);
    if (types_.empty()) worker.on_any(handler);
    stop_on_signals(worker);
    const dray::WorkerReport report = worker.run();
    notice(fmt::format("{} succeeded, {} failed, {} given back, {} lost", report.succeeded,
                       report.failed, report.released, report.lost));
    return kExitOk;
  }

 private:
  dray::WorkerOptions worker_options() const {
    dray::WorkerOptions options;
    for (const std::string& queue : queues_) options.queues.push_back({queue});
    options.concurrency = concurrency_;
    options.grace = grace_.value_or(options.grace);
    // A command that was told to end has ended by then: its job does not run beside it.
    options.cancel_grace = kill_after_.value_or(ChildSpec().kill_after) + kEndSeen;
    options.name = name_;
    options.notice = notice;
    return options;
  }

  // Called by threads that keep leases, among others: nothing may wait for a reader here.
  static void notice(std::string_view line) {
    write_at_once(fmt::format("dray exec: {}\n", printable(line)));
  }

  std::optional<std::string> run_job(dray::Context& context) {
    ChildSpec spec;
    spec.program = program_;
    spec.words = words_for(context);
    spec.environment = environment_for(context);
    spec.input = context.args();
    spec.output_bytes_max = kResultBytesMax;
    spec.error_bytes_max = kErrorBytesMax;
    spec.pass_errors_on = true;
    spec.open_files = open_files_;
    spec.kill_after = kill_after_.value_or(spec.kill_after);
    const auto end = run_child(spec, [&] { return context.cancelled(); });
    if (!end) could_not_start(context, end.error());
    return result_of(*end);
  }

  // No file left, no process, the command not there while it is replaced: none of this is the job's
  // fault, and all of the queue would use up its attempts within seconds.
  [[noreturn]] void could_not_start(dray::Context& context, const base::Error& error) {
    if (error.code == base::ErrorCode::kTooBig) {
      fail_job("ArgsTooBig", error.message + ": take the args from stdin, without {}", true);
    }
    // Once for all jobs that have the same trouble.
    const base::MonoTime now = base::SystemClock{}.mono();
    base::MonoTime next = next_notice_;
    if (now >= next && next_notice_.compare_exchange_strong(next, now + kCannotStartDelay)) {
      notice(fmt::format("{}; such jobs are given back for {}", error.message,
                         config::duration_text(kCannotStartDelay)));
    }
    context.wait(kCannotStartRest);
    throw dray::Snooze(kCannotStartDelay);
  }

  std::optional<std::string> result_of(const ChildEnd& end) const {
    const std::string errors = trimmed(end.errors);
    const auto said = [&](const std::string& otherwise) {
      return errors.empty() ? otherwise : errors;
    };
    if (end.signal != 0) {
      const std::string what =
          fmt::format("ended by signal {} (SIG{})", end.signal, sigabbrev_np(end.signal));
      fail_job("Signal", errors.empty() ? what : what + ": " + errors, false);
    }
    if (end.exit_code != 0) {
      fail_job(fmt::format("Exit {}", end.exit_code),
               said(fmt::format("exit status {}", end.exit_code)), end.exit_code == kExitPermanent);
    }
    if (no_result_) return std::nullopt;
    if (end.output_was_cut) {
      fail_job("ResultTooBig",
               fmt::format("stdout is more than {} bytes, which a result may not be; the command "
                           "ended well (use --no-result, or write large things elsewhere)",
                           kResultBytesMax),
               true);
    }
    return end.output;
  }

  // Each {} is the job's args. Args with a NUL byte cannot be a word; stdin has them all the same.
  std::vector<std::string> words_for(const dray::Context& context) const {
    std::vector<std::string> words = words_;
    for (std::string& word : words) {
      for (size_t at = word.find(kArgsPlace); at != std::string::npos;
           at = word.find(kArgsPlace, at + context.args().size())) {
        if (context.args().find('\0') != std::string::npos) {
          fail_job("ArgsNoText", "the args hold a NUL byte: take them from stdin, without {}",
                   true);
        }
        word.replace(at, kArgsPlace.size(), context.args());
      }
    }
    return words;
  }

  static std::vector<std::pair<std::string, std::string>> environment_for(
      const dray::Context& context) {
    const int64_t pushed_ms = context.pushed().time_since_epoch().count();
    return {{"DRAY_JOB_ID", context.id()},
            {"DRAY_QUEUE", context.queue()},
            {"DRAY_TYPE", context.type()},
            {"DRAY_ATTEMPT", std::to_string(context.attempt())},
            {"DRAY_MAX_ATTEMPTS", std::to_string(context.max_attempts())},
            {"DRAY_FENCE", std::to_string(context.fence())},
            {"DRAY_PRIORITY", std::to_string(context.priority())},
            {"DRAY_KEY", context.key()},
            {"DRAY_PUSHED_MS", std::to_string(pushed_ms)}};
  }

  std::vector<std::string> queues_;
  std::vector<std::string> types_;
  std::vector<std::string> words_;
  int concurrency_ = 1;
  std::optional<std::chrono::milliseconds> grace_;
  std::optional<std::chrono::milliseconds> kill_after_;
  std::string name_;
  ServerChoice server_;
  std::string program_;
  std::optional<rlimit> open_files_;
  std::atomic<base::MonoTime> next_notice_{};
  bool no_result_ = false;
};

}  // namespace

std::unique_ptr<Command> make_exec(CLI::App& app) {
  return std::make_unique<ExecCommand>(app);
}

}  // namespace cli
