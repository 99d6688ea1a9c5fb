// dray top
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/screen.h"
#include "cli/terminal.h"
#include "cli/top_view.h"

namespace cli {
namespace {

class TopCommand final : public ServerCommand {
 public:
  explicit TopCommand(CLI::App& app) : ServerCommand(app) {
    add_duration(app, "--every", every_, "how often it looks (1s)");
    add_example(app, "dray top",
                "q or Ctrl-C ends it. Where stdout is no terminal it prints one frame, with the "
                "rates of\none --every.");
  }

  int run() override {
    const auto every = every_.value_or(std::chrono::seconds(1));
    const Screen screen(Screen::Keys::kTake);
    Snapshot before = take_snapshot(client(), clock_);
    if (!screen.is_terminal()) {
      if (screen.wait(every) == Screen::Event::kEnd) return kExitOk;
      screen.show(frame(take_snapshot(client(), clock_), &before, screen));
      return kExitOk;
    }
    Snapshot now = before;
    screen.show(frame(now, nullptr, screen));
    for (;;) {
      const Screen::Event event = screen.wait(every);
      if (event == Screen::Event::kEnd) return kExitOk;
      if (event == Screen::Event::kTime) {
        before = std::move(now);
        now = take_snapshot(client(), clock_);
      }
      screen.show(frame(now, &before, screen));
    }
  }

 private:
  std::string frame(const Snapshot& now, const Snapshot* before, const Screen& screen) {
    const Screen::Size size = screen.size();
    const TopView view{.columns = size.columns,
                       .lines = size.lines,
                       .coloured = stdout_is_coloured(),
                       .server = text_of(now.info, "resp_address")};
    return top_frame(now, before, view);
  }

  base::SystemClock clock_;
  std::optional<std::chrono::milliseconds> every_;
};

}  // namespace

std::unique_ptr<Command> make_top(CLI::App& app) {
  return std::make_unique<TopCommand>(app);
}

}  // namespace cli
