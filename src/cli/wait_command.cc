// dray wait <id|key:name>…
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "dray/client.h"

namespace cli {
namespace {

class WaitCommand final : public Command {
 public:
  explicit WaitCommand(CLI::App& app) {
    app.add_option("job", ids_, "ids, or key:<name>")->required();
    add_duration(app, "--timeout", timeout_, "give up after this long (1h)");
    add_url(app, url_);
    add_output(app, is_json_);
    app.footer(
        "Prints the result of each job. Exit status: 0 all succeeded, 1 one of them did not "
        "or is not finished in time, 3 there is no such job.");
  }

  int run() override {
    dray::Client client(client_options(url_));
    const auto jobs = client.wait(ids_, timeout_.value_or(std::chrono::hours(1)));
    int code = kExitOk;
    for (const dray::JobRecord& job : jobs) {
      if (is_json_) {
        std::string json;
        append_json(job.raw, json);
        fmt::print("{}\n", json);
      } else if (job.state == "succeeded") {
        print_result(job);
      } else {
        fmt::print(stderr, "dray: job {} is {}{}\n", job.id, job.state, why(job));
      }
      if (job.state != "succeeded") code = kExitFailed;
    }
    return code;
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
  std::string url_;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_wait(CLI::App& app) {
  return std::make_unique<WaitCommand>(app);
}

}  // namespace cli
