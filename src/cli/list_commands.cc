// dray ls [QUERY], dray count [QUERY]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/operation.h"
#include "cli/terminal.h"
#include "config/duration.h"

namespace cli {
namespace {

constexpr int kLimitDefault = 50;
// One page of the server's.
constexpr int kPageMax = 1'000;
constexpr size_t kArgsCharactersMax = 120;

constexpr const char* kQueryHelp =
    "terms that must all hold: state:dead queue:emails type:Send* key:… worker:host-1 "
    "error:\"timed out\" attempt:>3 age:>1h args.user.id:42";

class ListCommand final : public ServerCommand {
 public:
  explicit ListCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("query", query_, kQueryHelp)->type_name("QUERY");
    app.add_option("-n,--limit", limit_, "at most so many (50)")
        ->check(CLI::Range(1, 1'000'000))
        ->type_name("N");
    app.add_option("--cursor", cursor_, "go on from where an earlier list ended")->type_name("C");
    add_output(app, form_);
    add_example(app, "dray ls 'state:dead queue:emails age:>1h' --limit 100");
  }

  int run() override {
    Listing listing("jobs", {{"id"},
                             {"state"},
                             {"queue"},
                             {"type"},
                             {"attempt"},
                             {"age"},
                             {"priority", true},
                             {"key", true},
                             {"worker", true},
                             {"run at", true},
                             {"args", true}});
    const int64_t now_ms = base::SystemClock().wall().ms;
    size_t found = 0;
    do {
      for (const dray::Value& job : next_page(limit_ - static_cast<int>(found))) {
        ++found;
        add(listing, job, now_ms);
      }
      // Each page at once: a list may be long, and its reader may stop.
      if (form_ == Form::kNdjson) {
        listing.print(form_);
        listing.clear();
      }
    } while (!is_over_ && found < static_cast<size_t>(limit_));
    if (form_ != Form::kNdjson) print(listing);
    if (!is_over_) {
      print_error("dray: there may be more: --limit {}, or --cursor {}\n", 2 * limit_,
                  printable(cursor_));
    }
    return kExitOk;
  }

 private:
  std::vector<dray::Value> next_page(int count) {
    std::vector<std::string> words = {"JOB.LIST"};
    if (!query_.empty()) words.insert(words.end(), {"WHERE", joined(query_)});
    if (!cursor_.empty()) words.insert(words.end(), {"CURSOR", cursor_});
    words.insert(words.end(), {"COUNT", std::to_string(std::min(count, kPageMax))});
    const dray::Value answer = client().call(words, dray::Repeat::kSafe);
    const dray::Value* jobs = answer.find("jobs");
    if (jobs == nullptr) {
      throw dray::Error(dray::ErrorCode::kInternal, "the answer to JOB.LIST makes no sense");
    }
    // The last page has none.
    cursor_ = answer.text_of("cursor");
    is_over_ = cursor_.empty();
    return jobs->items;
  }

  static void add(Listing& listing, const dray::Value& job, int64_t now_ms) {
    const std::string state = job.text_of("state");
    const int64_t pushed_ms = job.integer_of("pushed_ms");
    const auto age = std::chrono::milliseconds(std::max<int64_t>(0, now_ms - pushed_ms));
    const dray::Value* run_at = job.find("run_at_ms");
    listing.add({{job.text_of("id")},
                 {state, colour_of(state)},
                 {job.text_of("queue")},
                 {job.text_of("type")},
                 {fmt::format("{}/{}", job.integer_of("attempt"), job.integer_of("max_attempts"))},
                 {pushed_ms > 0 ? config::duration_text(age) : ""},
                 {std::to_string(job.integer_of("priority"))},
                 {printable(job.text_of("key"))},
                 {printable(job.text_of("worker"))},
                 {run_at == nullptr ? "" : field_text("run_at_ms", *run_at)},
                 {shortened(job.text_of("args"), kArgsCharactersMax)}},
                json_of(job));
  }

  void print(const Listing& listing) const {
    if (listing.empty() && !is_json(form_)) {
      fmt::print("no job{}\n", query_.empty() ? "" : " matches");
      return;
    }
    listing.print(form_);
  }

  std::vector<std::string> query_;
  int limit_ = kLimitDefault;
  std::string cursor_;
  Form form_ = Form::kTable;
  bool is_over_ = false;
};

class CountCommand final : public ServerCommand {
 public:
  explicit CountCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("query", query_, kQueryHelp)->type_name("QUERY");
    add_output(app, form_);
    add_example(app, "dray count state:ready queue:emails");
  }

  int run() override {
    std::vector<std::string> words = {"JOB.COUNT"};
    if (!query_.empty()) words.insert(words.end(), {"WHERE", joined(query_)});
    const dray::Value answer = client().call(words, dray::Repeat::kSafe);
    if (is_json(form_)) {
      fmt::print("{{\"count\":{}}}\n", answer.integer);
    } else {
      fmt::print("{}\n", answer.integer);
    }
    return kExitOk;
  }

 private:
  std::vector<std::string> query_;
  Form form_ = Form::kTable;
};

}  // namespace

void add_list_commands(CommandSet& commands, CLI::App& app) {
  commands.add(app, "ls", "list jobs that a query finds",
               [](CLI::App& sub) { return std::make_unique<ListCommand>(sub); });
  commands.add(app, "count", "count jobs that a query finds",
               [](CLI::App& sub) { return std::make_unique<CountCommand>(sub); });
}

}  // namespace cli
