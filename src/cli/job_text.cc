#include "cli/job_text.h"

#include <fmt/format.h>

#include "base/time.h"
#include "cli/terminal.h"
#include "config/duration.h"

namespace cli {
namespace {

constexpr size_t kValueCharactersMax = 400;
constexpr size_t kMessageCharactersMax = 100;

std::string time_text(dray::WallTime time) {
  return base::rfc3339(base::WallTime{time.time_since_epoch().count()});
}

class Lines {
 public:
  explicit Lines(bool coloured) : coloured_(coloured) {}

  void add(std::string_view name, std::string_view value, Colour colour = Colour::kNone) {
    if (value.empty()) return;
    const std::string padded = fmt::format("{:<10}", name);
    text_ += painted(padded, Colour::kDim, coloured_) + painted(value, colour, coloured_) + "\n";
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool coloured_;
};

std::string attempts_text(const dray::JobRecord& job) {
  std::string text = fmt::format("{} of {}", job.attempt, job.max_attempts);
  if (job.crashes > 0) {
    text += fmt::format(", {} of {} crashes", job.crashes, job.max_crashes);
  }
  if (job.suspect) text += ", runs alone from now on";
  if (job.generation > 1) text += fmt::format(", started anew {} times", job.generation - 1);
  return text;
}

// Lines of a longer text, each behind a margin.
std::string indented(std::string_view text) {
  std::string out = "    ";
  for (const char c : printable(text, true)) {
    out += c;
    if (c == '\n') out += "    ";
  }
  return out + "\n";
}

// The lines that a handler logged, of an entry of the history.
std::string log_text(const dray::Value& attempt) {
  const dray::Value* log = attempt.find("log");
  std::string out;
  if (log == nullptr) return out;
  const int64_t dropped = attempt.integer_of("log_dropped");
  if (dropped > 0) out += fmt::format("    … {} older lines made room\n", dropped);
  for (const dray::Value& line : log->items) {
    out +=
        fmt::format("    {}  {:<5}  {}\n", base::rfc3339(base::WallTime{line.integer_of("at_ms")}),
                    printable(line.text_of("level")), printable(line.text_of("text")));
  }
  return out;
}

std::string details_text(const dray::JobRecord& job) {
  std::string out;
  const dray::Value* history = job.raw.find("history");
  for (size_t i = 0; i < job.history.size(); ++i) {
    const dray::AttemptRecord& attempt = job.history[i];
    std::string text;
    if (!attempt.message.empty()) text += indented(attempt.message);
    if (!attempt.trace.empty()) text += indented(attempt.trace);
    if (history != nullptr && i < history->items.size()) text += log_text(history->items[i]);
    if (text.empty()) continue;
    out +=
        fmt::format("\nattempt {}: {}\n{}", attempt.attempt, printable(attempt.error_class), text);
  }
  return out;
}

std::string history_text(const dray::JobRecord& job, bool coloured) {
  Table table({"attempt", "outcome", "started", "took", "worker", "error"});
  for (const dray::AttemptRecord& attempt : job.history) {
    std::string error = attempt.error_class;
    if (!attempt.message.empty()) error += (error.empty() ? "" : ": ") + attempt.message;
    table.add({std::to_string(attempt.attempt), attempt.outcome, time_text(attempt.started),
               config::duration_text(attempt.ended - attempt.started), printable(attempt.worker),
               shortened(error, kMessageCharactersMax)},
              {Colour::kNone, colour_of(attempt.outcome)});
  }
  return table.text(coloured);
}

}  // namespace

std::string job_text(const dray::JobRecord& job, bool coloured, bool whole) {
  const auto value = [&](std::string_view bytes) {
    return whole ? printable(bytes) : shortened(bytes, kValueCharactersMax);
  };
  Lines lines(coloured);
  lines.add("job", job.id);
  lines.add("key", printable(job.key));
  std::string state = job.state;
  if (job.cancel_requested) state += ", asked to stop";
  lines.add("state", state, colour_of(job.state));
  lines.add("reason", printable(job.reason), Colour::kRed);
  lines.add("queue", job.queue);
  lines.add("type", job.type);
  lines.add("priority", std::to_string(job.priority));
  lines.add("attempts", attempts_text(job));
  lines.add("worker", printable(job.worker));
  lines.add("pushed", time_text(job.pushed));
  if (job.run_at) lines.add("runs", time_text(*job.run_at));
  if (job.finished) lines.add("finished", time_text(*job.finished));
  lines.add("args", value(job.args));
  if (job.progress) lines.add("progress", value(*job.progress));
  if (job.result) lines.add("result", value(*job.result));
  for (const auto& [field, text] : job.meta) {
    lines.add("meta", printable(field) + "=" + value(text));
  }
  if (job.history.empty()) return lines.text();
  return lines.text() + "\n" + history_text(job, coloured) + (whole ? details_text(job) : "");
}

}  // namespace cli
