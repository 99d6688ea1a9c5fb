// dray queue ls | show | pause | resume | set | purge | rm
#include <fmt/format.h>

#include <cstdio>
#include <map>

#include "cli/command.h"
#include "cli/operation.h"
#include "cli/queue_listing.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class QueueListCommand final : public ServerCommand {
 public:
  explicit QueueListCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("queue", wanted_, "only these queues");
    add_output(app, form_);
    add_example(app, "dray queue ls -o wide");
  }

  int run() override {
    const Listing listing = queue_listing(stats_of(client(), wanted_));
    if (listing.empty() && !is_json(form_)) {
      fmt::print("{}", kNoQueueYet);
    } else {
      listing.print(form_);
    }
    return kExitOk;
  }

 private:
  std::vector<std::string> wanted_;
  Form form_ = Form::kTable;
};

class QueueShowCommand final : public ServerCommand {
 public:
  explicit QueueShowCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("queue", queue_, "its name")->required();
    add_output(app, form_);
    add_example(app, "dray queue show emails");
  }

  int run() override {
    const dray::QueueStats stats = client().stats(queue_);
    print_record(
        form_, stats.raw,
        "queue " + printable(queue_) + "\n\n" + record_text(stats.raw, stdout_is_coloured()));
    return kExitOk;
  }

 private:
  std::string queue_;
  Form form_ = Form::kTable;
};

class QueuePauseCommand final : public ServerCommand {
 public:
  QueuePauseCommand(CLI::App& app, bool pauses) : ServerCommand(app), pauses_(pauses) {
    app.add_option("queue", queues_, "their names")->required();
    if (pauses) app.add_option("--reason", reason_, "why; shown to whoever asks");
    add_example(app, pauses ? "dray queue pause emails --reason 'the mail server is down'"
                            : "dray queue resume emails");
  }

  int run() override {
    for (const std::string& queue : queues_) {
      pauses_ ? client().pause(queue, reason_) : client().resume(queue);
      fmt::print("{} {}\n", printable(queue), pauses_ ? "is paused" : "goes on");
    }
    return kExitOk;
  }

 private:
  bool pauses_;
  std::vector<std::string> queues_;
  std::string reason_;
};

class QueueSetCommand final : public ServerCommand {
 public:
  explicit QueueSetCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("queue", queue_, "its name")->required();
    add_number(app, "--max-length", length_max_, "refuse pushes beyond so many waiting jobs");
    add_number(app, "--attempts", attempts_, "runs in all, for jobs pushed without it");
    app.add_option("--backoff", backoff_, "pauses between attempts, the same")->type_name("SPEC");
    add_duration(app, "--lease", lease_, "how long a silent worker keeps a job, the same");
    add_duration(app, "--timeout", timeout_, "time limit of one run, the same");
    add_duration(app, "--keep", keep_, "keep finished records so long, the same");
    add_number(app, "--crashes", crashes_, "lost leases until a job is dead, the same");
    add_duration(app, "--alert", alert_, "an oldest ready job beyond this is worth an alert");
    add_duration(app, "--age", age_,
                 "a ready job's priority grows by 1 each time it waited so long");
    app.add_option("--unset", unset_, "take one of these back, such as lease; more than once")
        ->check(CLI::IsMember(kSettings))
        ->expected(1)
        ->take_all()
        ->type_name("NAME");
    add_output(app, form_);
    add_example(app, "dray queue set emails --attempts 10 --lease 2m");
  }

  int run() override {
    std::vector<std::string> words = {"QUEUE.SET", queue_};
    const auto add_count = [&](const char* option, const std::optional<int>& value) {
      if (value) words.insert(words.end(), {option, std::to_string(*value)});
    };
    const auto add_ms = [&](const char* option,
                            const std::optional<std::chrono::milliseconds>& value) {
      if (value) words.insert(words.end(), {option, std::to_string(value->count())});
    };
    add_count("MAXLEN", length_max_);
    add_count("ATTEMPTS", attempts_);
    if (!backoff_.empty()) words.insert(words.end(), {"BACKOFF", backoff_});
    add_ms("LEASE", lease_);
    add_ms("TIMEOUT", timeout_);
    add_ms("KEEP", keep_);
    add_count("CRASHES", crashes_);
    add_ms("ALERT", alert_);
    add_ms("AGE", age_);
    for (const std::string& name : unset_) {
      words.insert(words.end(), {kSettings.at(name), "default"});
    }
    if (words.size() == 2) {
      print_error("dray: nothing to set: give --attempts 10, say\n");
      return kExitUsage;
    }
    const dray::Value answer = client().call(words, dray::Repeat::kSafe);
    print_record(form_, answer, fmt::format("{} is set\n", printable(queue_)));
    return kExitOk;
  }

 private:
  // What each option is called on the wire.
  static inline const std::map<std::string, std::string> kSettings = {
      {"max-length", "MAXLEN"}, {"attempts", "ATTEMPTS"}, {"backoff", "BACKOFF"},
      {"lease", "LEASE"},       {"timeout", "TIMEOUT"},   {"keep", "KEEP"},
      {"crashes", "CRASHES"},   {"alert", "ALERT"},       {"age", "AGE"}};

  std::string queue_;
  std::vector<std::string> unset_;
  std::optional<int> length_max_;
  std::optional<int> attempts_;
  std::string backoff_;
  std::optional<std::chrono::milliseconds> lease_;
  std::optional<std::chrono::milliseconds> timeout_;
  std::optional<std::chrono::milliseconds> keep_;
  std::optional<int> crashes_;
  std::optional<std::chrono::milliseconds> alert_;
  std::optional<std::chrono::milliseconds> age_;
  Form form_ = Form::kTable;
};

// purge and rm: both an operation of the server's.
class QueueEmptyCommand final : public ServerCommand {
 public:
  QueueEmptyCommand(CLI::App& app, bool removes) : ServerCommand(app), removes_(removes) {
    app.add_option("queue", queue_, "its name")->required();
    app.add_flag("--dry-run", is_dry_, "only say how many jobs it would be");
    app.add_flag("--no-wait", no_wait_, "do not stay until it is done");
    add_output(app, form_);
    add_example(app, removes ? "dray queue rm old-queue" : "dray queue purge emails --dry-run");
  }

  int run() override {
    if (is_dry_) {
      // Those that run are left alone.
      const std::string query =
          "queue:" + queue_ + " state:waiting,scheduled,ready,succeeded,dead,cancelled,expired";
      const dray::Value count = client().call({"JOB.COUNT", "WHERE", query}, dray::Repeat::kSafe);
      if (is_json(form_)) {
        fmt::print("{{\"matched\":{}}}\n", count.integer);
      } else {
        fmt::print("jobs in {}: {}; nothing was changed\n", printable(queue_), count.integer);
      }
      return kExitOk;
    }
    const dray::Value answer =
        client().call({removes_ ? "QUEUE.DELETE" : "QUEUE.PURGE", queue_}, dray::Repeat::kNever);
    const dray::Value* op = answer.find("op");
    if (op == nullptr || no_wait_) {
      print_record(form_, answer, record_text(answer, stdout_is_coloured()));
      return kExitOk;
    }
    return follow_operation(client(), field_text("op", *op), form_);
  }

 private:
  bool removes_;
  std::string queue_;
  bool is_dry_ = false;
  bool no_wait_ = false;
  Form form_ = Form::kTable;
};

}  // namespace

void add_queue_commands(CommandSet& commands, CLI::App& app) {
  CLI::App& group = CommandSet::add_group(app, "queue", "look at queues, pause, set, empty them");
  commands.add(group, "ls", "list queues",
               [](CLI::App& sub) { return std::make_unique<QueueListCommand>(sub); });
  commands.add(group, "show", "show all numbers of one",
               [](CLI::App& sub) { return std::make_unique<QueueShowCommand>(sub); });
  commands.add(group, "pause", "give no more of its jobs to workers",
               [](CLI::App& sub) { return std::make_unique<QueuePauseCommand>(sub, true); });
  commands.add(group, "resume", "end a pause",
               [](CLI::App& sub) { return std::make_unique<QueuePauseCommand>(sub, false); });
  commands.add(group, "set", "set bounds and defaults of one",
               [](CLI::App& sub) { return std::make_unique<QueueSetCommand>(sub); });
  commands.add(group, "purge", "delete all jobs of one that do not run",
               [](CLI::App& sub) { return std::make_unique<QueueEmptyCommand>(sub, false); });
  commands.add(group, "rm", "delete a queue with its jobs",
               [](CLI::App& sub) { return std::make_unique<QueueEmptyCommand>(sub, true); });
}

}  // namespace cli
