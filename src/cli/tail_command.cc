// dray tail
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>

#include "base/time.h"
#include "cli/checked_stdout.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// How long one question waits for the next event, and how many it takes.
constexpr std::chrono::milliseconds kBlock{5'000};
constexpr int kCount = 500;
constexpr size_t kMessageCharactersMax = 120;

// The fields of an event that a line for people shows in its own way.
constexpr std::array<std::string_view, 7> kShown = {"event", "job",   "queue",  "type",
                                                    "at_ms", "class", "message"};

std::string text_in(const simdjson::dom::object& event, std::string_view field) {
  std::string_view text;
  if (event[field].get(text) != simdjson::SUCCESS) return {};
  return printable(text);
}

class TailCommand final : public ServerCommand {
 public:
  explicit TailCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("--queue", queues_, "only events of this queue; more than once: of any of them")
        ->expected(1)
        ->take_all();
    app.add_option("--event", events_, "only these, such as failed or dead; more than once")
        ->expected(1)
        ->take_all();
    app.add_option("--cursor", cursor_, "from this place on, instead of from now on")
        ->type_name("C");
    app.add_option("-n,--limit", limit_, "end after so many events")->type_name("N");
    add_output(app, form_);
    add_example(app, "dray tail --queue emails --event failed --event dead",
                "Shows what happens to jobs as it happens, until Ctrl-C.");
  }

  int run() override {
    if (cursor_.empty()) cursor_ = "$";
    for (;;) {
      const dray::Value answer =
          client().call({"EVENT.READ", cursor_, "COUNT", std::to_string(kCount), "BLOCK",
                         std::to_string(kBlock.count())},
                        dray::Repeat::kSafe, kBlock);
      const std::string next = answer.text_of("cursor");
      if (next.empty()) {
        throw dray::Error(dray::ErrorCode::kInternal, "the answer to EVENT.READ makes no sense");
      }
      cursor_ = next;
      if (answer.integer_of("gap") != 0) {
        print_error("dray: some events are missing here: they are no longer kept\n");
      }
      if (const dray::Value* events = answer.find("events")) {
        for (const dray::Value& event : events->items) {
          if (show(event.text)) return kExitOk;
        }
      }
      flush_stdout();
    }
  }

 private:
  // Returns whether it was the last that is wanted.
  bool show(const std::string& text) {
    simdjson::dom::object event;
    const auto fault = parser_.parse(text).get(event);
    if (fault != simdjson::SUCCESS) return false;
    if (!is_wanted(event)) return false;
    fmt::print("{}\n", is_json(form_) ? text : line_of(event));
    ++shown_;
    return limit_ && shown_ >= *limit_;
  }

  bool is_wanted(const simdjson::dom::object& event) const {
    const auto fits = [&](std::string_view field, const std::vector<std::string>& wanted) {
      return wanted.empty() || std::ranges::find(wanted, text_in(event, field)) != wanted.end();
    };
    return fits("queue", queues_) && fits("event", events_);
  }

  // "2026-03-01T09:00:00.000Z  failed  0000000000001  emails  send_email  attempt=1  SmtpError: …"
  static std::string line_of(const simdjson::dom::object& event) {
    int64_t at_ms = 0;
    std::string line;
    if (event["at_ms"].get(at_ms) == simdjson::SUCCESS) {
      line = base::rfc3339(base::WallTime{at_ms}) + "  ";
    }
    line += painted(fmt::format("{:<9}", text_in(event, "event")),
                    colour_of(text_in(event, "event")), stdout_is_coloured());
    for (const char* field : {"job", "queue", "type"}) {
      const std::string text = text_in(event, field);
      if (!text.empty()) line += "  " + text;
    }
    for (const auto& [field, value] : event) {
      if (std::ranges::find(kShown, field) != kShown.end()) continue;
      line += fmt::format("  {}={}", printable(field),
                          shortened(simdjson::minify(value), kMessageCharactersMax));
    }
    const std::string message = text_in(event, "message");
    const std::string error_class = text_in(event, "class");
    if (!error_class.empty()) line += "  " + error_class;
    if (!message.empty()) line += ": " + shortened(message, kMessageCharactersMax);
    return line;
  }

  std::vector<std::string> queues_;
  std::vector<std::string> events_;
  std::string cursor_;
  std::optional<int> limit_;
  int shown_ = 0;
  Form form_ = Form::kTable;
  simdjson::dom::parser parser_;
};

}  // namespace

std::unique_ptr<Command> make_tail(CLI::App& app) {
  return std::make_unique<TailCommand>(app);
}

}  // namespace cli
