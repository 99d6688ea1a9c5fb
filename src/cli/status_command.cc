// dray status [--watch]
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/queue_listing.h"
#include "cli/screen.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class StatusCommand final : public ServerCommand {
 public:
  explicit StatusCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("queue", wanted_, "only these queues");
    app.add_flag("-w,--watch", watches_, "show it again and again, until Ctrl-C");
    add_duration(app, "--every", every_, "with --watch: how often (2s)");
    app.add_flag("-q,--quiet", is_quiet_, "print nothing; the exit status tells whether it is up");
    add_output(app, form_);
    add_example(app, "dray status --watch --every 1s");
  }

  int run() override {
    if (is_quiet_) {
      client().call({"PING"}, dray::Repeat::kSafe);
      return kExitOk;
    }
    if (!watches_) {
      fmt::print("{}", frame(stdout_columns()));
      return kExitOk;
    }
    Screen screen(Screen::Keys::kLeave);
    do {
      screen.show(frame(screen.size().columns));
    } while (screen.wait(every_.value_or(std::chrono::seconds(2))) != Screen::Event::kEnd);
    return kExitOk;
  }

 private:
  std::string frame(size_t columns) {
    const std::vector<dray::QueueStats> queues = stats_of(client(), wanted_);
    if (queues.empty() && !is_json(form_)) return kNoQueueYet;
    return queue_listing(queues).text(form_, stdout_is_coloured(), columns);
  }

  std::vector<std::string> wanted_;
  bool watches_ = false;
  bool is_quiet_ = false;
  std::optional<std::chrono::milliseconds> every_;
  Form form_ = Form::kTable;
};

}  // namespace

std::unique_ptr<Command> make_status(CLI::App& app) {
  return std::make_unique<StatusCommand>(app);
}

}  // namespace cli
