// dray edit <id>, dray move 'QUERY' --to q
#include <fmt/format.h>

#include <cstdio>

#include "cli/calendar.h"
#include "cli/command.h"
#include "cli/operation.h"
#include "cli/push_line.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// What can be changed of a job, each as it stands in JOB.EDIT.
class Edits {
 public:
  explicit Edits(CLI::App& app) {
    app.add_option("--queue", queue_, "move it to this queue");
    app.add_option("--type", type_, "give it to another handler");
    add_number(app, "--priority", priority_, "0 to 9, 9 first");
    app.add_option("--at", at_, "not before this time: RFC 3339, or milliseconds since 1970")
        ->type_name("TIME");
    add_duration(app, "--delay", delay_, "not before this long from now");
    app.add_option("--args", args_, "other args: JSON")->type_name("JSON");
    add_number(app, "--attempts", attempts_, "runs in all");
    app.add_option("--backoff", backoff_, "pauses between attempts")->type_name("SPEC");
    add_duration(app, "--timeout", timeout_, "time limit of one run; 0: none");
    add_duration(app, "--soft-timeout", soft_timeout_, "tell the handler after this long");
    add_duration(app, "--lease", lease_, "how long a silent worker keeps it");
    add_duration(app, "--expire", expire_, "drop it when not started by then");
    add_number(app, "--crashes", crashes_, "lost leases until it is dead");
    add_duration(app, "--keep", keep_, "keep the finished record so long");
  }

  // Errors: BADREQ for a value that is wrong, or when nothing is to be changed.
  base::Result<std::vector<std::string>> words() const {
    std::vector<std::string> words;
    const auto add_text = [&](const char* option, const std::string& text) {
      if (!text.empty()) words.insert(words.end(), {option, text});
    };
    const auto add_count = [&](const char* option, const std::optional<int>& value) {
      if (value) words.insert(words.end(), {option, std::to_string(*value)});
    };
    const auto add_ms = [&](const char* option,
                            const std::optional<std::chrono::milliseconds>& value) {
      if (value) words.insert(words.end(), {option, std::to_string(value->count())});
    };
    add_text("QUEUE", queue_);
    add_text("TYPE", type_);
    add_count("PRIORITY", priority_);
    if (!at_.empty()) add_text("AT", std::to_string(TRY(parse_time(at_)).ms));
    add_ms("DELAY", delay_);
    if (!args_.empty()) TRY(check_json(args_));
    add_text("ARGS", args_);
    add_count("ATTEMPTS", attempts_);
    add_text("BACKOFF", backoff_);
    add_ms("TIMEOUT", timeout_);
    add_ms("SOFTTIMEOUT", soft_timeout_);
    add_ms("LEASE", lease_);
    add_ms("EXPIRE", expire_);
    add_count("CRASHES", crashes_);
    add_ms("KEEP", keep_);
    if (words.empty()) {
      return base::fail(base::ErrorCode::kBadReq, "nothing to change: give --priority 9, say");
    }
    return words;
  }

 private:
  std::string queue_;
  std::string type_;
  std::optional<int> priority_;
  std::string at_;
  std::optional<std::chrono::milliseconds> delay_;
  std::string args_;
  std::optional<int> attempts_;
  std::string backoff_;
  std::optional<std::chrono::milliseconds> timeout_;
  std::optional<std::chrono::milliseconds> soft_timeout_;
  std::optional<std::chrono::milliseconds> lease_;
  std::optional<std::chrono::milliseconds> expire_;
  std::optional<int> crashes_;
  std::optional<std::chrono::milliseconds> keep_;
};

class EditCommand final : public ServerCommand {
 public:
  explicit EditCommand(CLI::App& app) : ServerCommand(app), edits_(app) {
    app.add_option("job", id_, "the job's id, or key:<name>");
    add_where(app, where_);
    add_output(app, form_);
    add_example(app, "dray edit 0000000000001 --priority 9 --delay 10m",
                "A running job cannot be changed.");
  }

  int run() override {
    if (!has_target("edit", !id_.empty(), where_)) return kExitUsage;
    const auto changes = edits_.words();
    if (!changes) {
      print_error("dray: {}\n", printable(changes.error().message));
      return kExitUsage;
    }
    std::vector<std::string> words = {"JOB.EDIT"};
    if (!id_.empty()) words.push_back(id_);
    words.insert(words.end(), changes->begin(), changes->end());
    if (!where_.query.empty()) return run_where(client(), std::move(words), where_, form_);
    const dray::Value answer = client().call(words, dray::Repeat::kSafe);
    print_record(form_, answer, "changed\n");
    return kExitOk;
  }

 private:
  Edits edits_;
  std::string id_;
  Where where_;
  Form form_ = Form::kTable;
};

class MoveCommand final : public ServerCommand {
 public:
  explicit MoveCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("query", query_, "which jobs, such as 'queue:emails state:ready'")
        ->required()
        ->type_name("QUERY");
    app.add_option("--to", queue_, "the queue to move them to")->required()->type_name("QUEUE");
    add_where(app, where_, false);
    add_output(app, form_);
    add_example(app, "dray move 'queue:emails type:Newsletter' --to bulk --dry-run",
                "Running jobs stay where they are.");
  }

  int run() override {
    where_.query = joined(query_);
    return run_where(client(), {"JOB.EDIT", "QUEUE", queue_}, where_, form_);
  }

 private:
  std::vector<std::string> query_;
  std::string queue_;
  Where where_;
  Form form_ = Form::kTable;
};

}  // namespace

void add_edit_commands(CommandSet& commands, CLI::App& app) {
  commands.add(app, "edit", "change jobs that do not run",
               [](CLI::App& sub) { return std::make_unique<EditCommand>(sub); });
  commands.add(app, "move", "move jobs that a query finds to another queue",
               [](CLI::App& sub) { return std::make_unique<MoveCommand>(sub); });
}

}  // namespace cli
