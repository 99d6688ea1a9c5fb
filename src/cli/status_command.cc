// dray status
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "config/duration.h"
#include "dray/client.h"

namespace cli {
namespace {

class StatusCommand final : public Command {
 public:
  explicit StatusCommand(CLI::App& app) {
    app.add_option("queue", wanted_, "only these queues");
    add_url(app, url_);
    add_output(app, is_json_);
  }

  int run() override {
    dray::Client client(client_options(url_));
    std::vector<dray::QueueStats> queues;
    for (const std::string& name : wanted_.empty() ? client.queues() : wanted_) {
      queues.push_back(client.stats(name));
    }
    is_json_ ? print_json(queues) : print_table(queues);
    return kExitOk;
  }

 private:
  static void print_json(const std::vector<dray::QueueStats>& queues) {
    std::string json = "{\"queues\":[";
    for (const dray::QueueStats& queue : queues) {
      if (json.back() != '[') json += ',';
      json += "{\"queue\":";
      append_json_text(queue.queue, json);
      // The answer's own fields, all of them, behind the name.
      std::string fields;
      append_json(queue.raw, fields);
      json += fields.size() > 2 ? "," + fields.substr(1) : "}";
    }
    fmt::print("{}]}}\n", json);
  }

  static void print_table(const std::vector<dray::QueueStats>& queues) {
    if (queues.empty()) {
      fmt::print(
          "no queue yet; the first push makes one:\n"
          "  dray push emails send_email '{{\"to\": \"ann@example.com\"}}'\n");
      return;
    }
    Table table(
        {"queue", "ready", "scheduled", "running", "waiting", "succeeded", "dead", "oldest", ""});
    for (const dray::QueueStats& queue : queues) {
      const auto number = [](int64_t value) { return std::to_string(value); };
      table.add({queue.queue, number(queue.ready), number(queue.scheduled), number(queue.running),
                 number(queue.waiting), number(queue.succeeded), number(queue.dead),
                 queue.ready > 0 ? config::duration_text(queue.oldest) : "-",
                 queue.paused ? "paused" : ""},
                {Colour::kNone, Colour::kNone, Colour::kNone, Colour::kCyan, Colour::kNone,
                 Colour::kGreen, queue.dead > 0 ? Colour::kRed : Colour::kNone, Colour::kNone,
                 Colour::kYellow});
    }
    fmt::print("{}", table.text(stdout_is_coloured()));
  }

  std::vector<std::string> wanted_;
  std::string url_;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_status(CLI::App& app) {
  return std::make_unique<StatusCommand>(app);
}

}  // namespace cli
