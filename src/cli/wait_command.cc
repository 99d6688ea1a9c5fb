// dray wait <id|key:name>…
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class WaitCommand final : public ServerCommand {
 public:
  explicit WaitCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("job", ids_, "ids, or key:<name>")->required();
    add_duration(app, "--timeout", timeout_, "give up after this long (1h)");
    add_output(app, form_);
    add_example(app, "dray wait 0000000000001 0000000000002 --timeout 10m",
                "Prints the result of each job. Exit status: 0 all succeeded, 1 none did or not "
                "in time,\n3 there is no such job, 4 some did.");
  }

  int run() override {
    const auto jobs = client().wait(ids_, timeout_.value_or(std::chrono::hours(1)));
    size_t succeeded = 0;
    Listing records("jobs", {});
    for (const dray::JobRecord& job : jobs) {
      if (is_json(form_)) {
        records.add({}, json_of(job.raw));
      } else if (job.state == "succeeded") {
        print_result(job);
      } else {
        print_error("dray: job {} is {}{}\n", job.id, job.state, why(job));
      }
      succeeded += job.state == "succeeded" ? 1 : 0;
    }
    if (is_json(form_)) records.print(form_);
    if (succeeded == jobs.size()) return kExitOk;
    return succeeded > 0 ? kExitPartial : kExitFailed;
  }

 private:
  // As it is for a program, made safe for a terminal.
  static void print_result(const dray::JobRecord& job) {
    if (!job.result) return;
    const bool is_terminal = isatty(STDOUT_FILENO) == 1;
    fmt::print("{}\n", is_terminal ? printable(*job.result, true) : *job.result);
  }

  static std::string why(const dray::JobRecord& job) {
    if (!job.finished_state()) return ", still, when the time was up";
    if (job.state == "gone") return ": its record is not kept any more; how it ended is not known";
    if (job.history.empty()) return "";
    const dray::AttemptRecord& last = job.history.back();
    return fmt::format(" ({}): {}: {}", job.reason, printable(last.error_class),
                       printable(last.message));
  }

  std::vector<std::string> ids_;
  std::optional<std::chrono::milliseconds> timeout_;
  Form form_ = Form::kTable;
};

}  // namespace

std::unique_ptr<Command> make_wait(CLI::App& app) {
  return std::make_unique<WaitCommand>(app);
}

}  // namespace cli
