// dray push <queue> <type> [json], and dray push --ndjson FILE
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "base/base32.h"
#include "base/random.h"
#include "cli/calendar.h"
#include "cli/command.h"
#include "cli/line_pusher.h"
#include "cli/push_line.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class PushCommand final : public ServerCommand {
 public:
  explicit PushCommand(CLI::App& app) : ServerCommand(app) {
    app.add_option("queue", job_.queue, "the queue; it comes into being when first used");
    app.add_option("type", job_.type, "the name of the handler");
    app.add_option("args", args_, "JSON, by default {}; - reads them from stdin");
    app.add_flag("--raw", is_raw_, "the args are any bytes, not JSON");
    add_options(app);
    app.add_option("--ndjson", ndjson_,
                   "push many: a file with one JSON object per line (queue, type, args, and the "
                   "options here without dashes); - is stdin")
        ->type_name("FILE");
    app.add_flag("-q,--quiet", is_quiet_, "do not print the ids");
    add_output(app, form_);
    add_example(app,
                "dray push emails send_email '{\"to\": \"ann@example.com\"}' --delay 5m\n"
                "  dray push --ndjson jobs.ndjson --request import-7   # given again, it goes on",
                "Prints the id. Durations: 250ms, 30s, 5m, 2h, 1d.");
  }

  int run() override {
    if (!ndjson_.empty() && !job_.queue.empty()) {
      print_error("dray: with --ndjson each line names its own queue and type\n");
      return kExitUsage;
    }
    if (!ndjson_.empty()) {
      LinePusher lines(client(), {.request = job_.options.request,
                                  .request_for = job_.options.request_for,
                                  .prints_ids = !is_quiet_,
                                  .form = form_});
      return lines.run(ndjson_);
    }
    if (job_.queue.empty() || job_.type.empty()) {
      print_error(
          "dray: push needs a queue and a type: dray push emails send_email '{{\"to\": 1}}'\n");
      return kExitUsage;
    }
    if (const base::Status ready = prepare(); !ready) {
      print_error("dray: {}\n", ready.error().message);
      return kExitUsage;
    }
    const dray::Pushed pushed = client().push(job_);
    if (!is_quiet_) print_pushed(pushed, form_);
    if (!pushed.created) {
      print_error("dray: there was such a job already; nothing was pushed\n");
    }
    return kExitOk;
  }

 private:
  void add_options(CLI::App& app) {
    dray::PushOptions& options = job_.options;
    add_duration(app, "--delay", options.delay, "not before this long from now");
    app.add_option("--at", at_, "not before this time: RFC 3339, or milliseconds since 1970")
        ->type_name("TIME")
        ->excludes("--delay");
    add_number(app, "--priority", options.priority, "0 to 9, 9 first (5)");
    add_number(app, "--attempts", options.attempts, "runs in all (4)");
    app.add_option_function<int>(
           "--retries", [&options](int retries) { options.attempts = retries + 1; },
           "runs after the first: one less than --attempts")
        ->type_name("N")
        ->excludes("--attempts");
    app.add_option("--backoff", options.backoff,
                   "pauses between attempts: exponential:1000,2,3600000 fixed:500 sidekiq …")
        ->type_name("SPEC");
    add_duration(app, "--timeout", options.timeout, "time limit of one run; 0: none (30m)");
    add_duration(app, "--soft-timeout", options.soft_timeout, "tell the handler after this long");
    add_duration(app, "--lease", options.lease, "how long a silent worker keeps it (30s)");
    add_duration(app, "--expire", options.expire, "drop it when not started by then");
    add_duration(app, "--keep", options.keep, "keep the finished record so long");
    add_number(app, "--crashes", options.crashes, "lost leases until it is dead (3)");
    app.add_option("--key,--id", options.key,
                   "an id of your own; a second push with it is no new job");
    app.add_option("--on-duplicate", on_duplicate_, "what a key that is held means")
        ->check(CLI::IsMember({"return", "error", "replace"}));
    app.add_option("--request", options.request,
                   "names this push: giving the command twice pushes one job; with --ndjson each "
                   "line's job");
    add_duration(app, "--request-for", options.request_for,
                 "how long the server knows it again, at most 24h (10m; with --ndjson 1h)");
    app.add_option("--meta", meta_, "FIELD=VALUE, more than once if need be")->type_name("F=V");
  }

  base::Status prepare() {
    job_.args = args_;
    if (args_ == "-") {
      job_.args.assign(std::istreambuf_iterator<char>(std::cin), {});
    }
    if (!is_raw_) TRY(check_json(job_.args));
    if (!at_.empty()) {
      job_.options.at = dray::WallTime(dray::milliseconds(TRY(parse_time(at_)).ms));
    }
    job_.options.on_duplicate = TRY(parse_on_duplicate(on_duplicate_));
    for (const std::string& pair : meta_) {
      const size_t equals = pair.find('=');
      if (equals == std::string::npos) {
        return base::fail(base::ErrorCode::kBadReq, "--meta {} has no =", printable(pair));
      }
      job_.options.meta.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    }
    name_push();
    return {};
  }

  // A process that pushes once is no producer worth remembering: the server keeps few of those, and
  // many requests.
  void name_push() {
    if (!job_.options.request.empty()) return;
    base::SystemRandom random;
    job_.options.request =
        fmt::format("dray-push:{}", base::base32_encode({random.next(), random.next()}).view());
    job_.options.request_for = dray::milliseconds(60'000);
  }

  dray::NewJob job_;
  std::string args_ = "{}";
  std::string at_;
  std::string on_duplicate_ = "return";
  std::vector<std::string> meta_;
  std::string ndjson_;
  bool is_raw_ = false;
  bool is_quiet_ = false;
  Form form_ = Form::kTable;
};

}  // namespace

std::unique_ptr<Command> make_push(CLI::App& app) {
  return std::make_unique<PushCommand>(app);
}

}  // namespace cli
