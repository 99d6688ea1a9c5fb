#include "sim/run.h"

#include <fmt/core.h>

#include <deque>
#include <unordered_set>

#include "model/generator.h"
#include "model/model.h"

namespace sim {
namespace {

constexpr size_t kTraceSteps = 30;
constexpr uint64_t kLookOverEach = 16;

// A step as it is reported.
struct Traced {
  uint64_t number = 0;
  model::Planned planned;
  Server::Seen seen;
};

std::string printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

std::string asked(const model::Planned& planned) {
  return fmt::format("{:>12} {} {}", planned.now.engine_ms,
                     planned.now.wall_ms - planned.now.engine_ms,
                     printable(model::describe(planned.op)));
}

std::string answered(const Server::Seen& seen) {
  std::string text = "-> " + printable(model::describe(seen.reply));
  for (const model::WaiterAnswer& answer : seen.answers) {
    text += fmt::format("; #{} hears {}", answer.conn, printable(model::describe(answer.reply)));
  }
  return text;
}

class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        generator_(options.seed),
        server_(options.seed, model::Generator::start()) {}

  std::optional<std::string> operator()(Tally& tally) {
    std::string wrong;
    for (uint64_t number = 0; number < options_.steps && wrong.empty(); ++number) {
      wrong = step(number);
    }
    server_.add_to(tally);
    if (wrong.empty()) return std::nullopt;
    std::string report;
    for (const Traced& traced : trace_) {
      report += fmt::format("{:>5} {}\n      {}\n", traced.number, asked(traced.planned),
                            answered(traced.seen));
    }
    return report + wrong;
  }

 private:
  // Returns what is wrong; empty if nothing is.
  std::string step(uint64_t number) {
    if (trace_.size() == kTraceSteps) trace_.pop_front();
    Traced& traced = trace_.emplace_back();
    traced.number = number;
    traced.planned = generator_.next(model_);
    const auto& [op, now] = traced.planned;
    if (options_.verbose) {
      fmt::print("{:>5} {}\n", number, asked(traced.planned));
      std::fflush(stdout);
    }
    traced.seen = server_.perform(op, now);
    if (options_.verbose) fmt::print("      {}\n", answered(traced.seen));
    if (number % kLookOverEach == 0 || number + 1 == options_.steps) server_.look_over();
    if (!server_.fault().empty()) return server_.fault();
    if (auto wrong = model_.check(op, now, traced.seen.reply, traced.seen.answers)) {
      return *std::move(wrong);
    }
    if (auto wrong = model_.compare(server_.snapshot())) return *std::move(wrong);
    return compare_due();
  }

  // Both must agree on when time has something to do, or the engine would sleep too long.
  std::string compare_due() const {
    const auto expected = model_.until_next_due();
    const auto seen = server_.until_next_due();
    if (expected == seen) return {};
    const auto text = [](const std::optional<int64_t>& due) {
      return due ? fmt::format("in {} ms", *due) : std::string("never");
    };
    return fmt::format("the next due work should be {}, the machine says {}", text(expected),
                       text(seen));
  }

  const RunOptions options_;
  model::Generator generator_;
  model::Model model_{model::Generator::start(), kKeysBytesMax};
  Server server_;
  std::deque<Traced> trace_;
};

}  // namespace

std::optional<std::string> run_seed(const RunOptions& options, Tally& tally) {
  return Run(options)(tally);
}

}  // namespace sim
