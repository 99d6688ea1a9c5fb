// dray worker ls | quiet | stop, dray type pause | resume
#include <fmt/format.h>

#include "cli/command.h"
#include "cli/terminal.h"
#include "cli/worker_listing.h"

namespace cli {
namespace {

class WorkerListCommand final : public ServerCommand {
 public:
  explicit WorkerListCommand(CLI::App& app) : ServerCommand(app) {
    add_output(app, form_);
    add_example(app, "dray worker ls -o wide");
  }

  int run() override {
    const Listing listing = worker_listing(workers_of(client()));
    if (listing.empty() && !is_json(form_)) {
      fmt::print("no worker is there\n");
    } else {
      listing.print(form_);
    }
    return kExitOk;
  }

 private:
  Form form_ = Form::kTable;
};

class WorkerTellCommand final : public ServerCommand {
 public:
  WorkerTellCommand(CLI::App& app, bool stops) : ServerCommand(app), stops_(stops) {
    app.add_option("worker", workers_, "their names, as `dray worker ls` shows them")->required();
    add_example(app,
                stops ? "dray worker stop host-1:4711:k3x9" : "dray worker quiet host-1:4711:k3x9");
  }

  int run() override {
    for (const std::string& worker : workers_) {
      client().call({stops_ ? "WORKER.STOP" : "WORKER.QUIET", worker}, dray::Repeat::kSafe);
      fmt::print("{} {}\n", printable(worker), stops_ ? "is to stop" : "takes no more jobs");
    }
    return kExitOk;
  }

 private:
  bool stops_;
  std::vector<std::string> workers_;
};

class TypePauseCommand final : public ServerCommand {
 public:
  TypePauseCommand(CLI::App& app, bool pauses) : ServerCommand(app), pauses_(pauses) {
    app.add_option("type", type_, "the type of jobs")->required();
    app.add_option("--queue", queue_, "in this queue alone");
    if (pauses) app.add_option("--reason", reason_, "why; shown to whoever asks");
    add_example(app, pauses ? "dray type pause send_email --reason 'wrong template'"
                            : "dray type resume send_email");
  }

  int run() override {
    std::vector<std::string> words = {pauses_ ? "TYPE.PAUSE" : "TYPE.RESUME", type_};
    if (!queue_.empty()) words.insert(words.end(), {"QUEUE", queue_});
    if (!reason_.empty()) words.insert(words.end(), {"REASON", reason_});
    client().call(words, dray::Repeat::kSafe);
    fmt::print("{} {}\n", printable(type_), pauses_ ? "is paused" : "goes on");
    return kExitOk;
  }

 private:
  bool pauses_;
  std::string type_;
  std::string queue_;
  std::string reason_;
};

}  // namespace

void add_worker_commands(CommandSet& commands, CLI::App& app) {
  CLI::App& worker = CommandSet::add_group(app, "worker", "look at workers, and end them");
  commands.add(worker, "ls", "list workers",
               [](CLI::App& sub) { return std::make_unique<WorkerListCommand>(sub); });
  commands.add(worker, "quiet", "let them finish what they have and take no more",
               [](CLI::App& sub) { return std::make_unique<WorkerTellCommand>(sub, false); });
  commands.add(worker, "stop", "let them stop in order",
               [](CLI::App& sub) { return std::make_unique<WorkerTellCommand>(sub, true); });
  CLI::App& type = CommandSet::add_group(app, "type", "pause one type of jobs");
  commands.add(type, "pause", "give no more jobs of it to workers",
               [](CLI::App& sub) { return std::make_unique<TypePauseCommand>(sub, true); });
  commands.add(type, "resume", "end a pause",
               [](CLI::App& sub) { return std::make_unique<TypePauseCommand>(sub, false); });
}

}  // namespace cli
