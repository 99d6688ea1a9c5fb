#include "cli/operation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/cli.h"
#include "cli/command.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// How long one look at an operation may wait for its end.
constexpr std::chrono::milliseconds kLook{1'000};

bool is_over(const dray::Value& operation) {
  return operation.text_of("state") != "running";
}

// A number or a text, whichever the server chose for it.
std::string word_of(const dray::Value& record, std::string_view field) {
  const dray::Value* value = record.find(field);
  if (value == nullptr) return {};
  return value->kind == dray::Value::Kind::kInteger ? std::to_string(value->integer) : value->text;
}

void show_progress(const dray::Value& operation) {
  const std::string done = word_of(operation, "done");
  print_error("\r\x1b[K{}: {}{}{} of {}", printable(word_of(operation, "op")),
              printable(operation.text_of("state")), done.empty() ? "" : " ", printable(done),
              printable(word_of(operation, "matched")));
  std::fflush(stderr);
}

int exit_code_of(const dray::Value& operation) {
  if (operation.text_of("state") == "cancelled") return kExitFailed;
  return operation.integer_of("skipped") > 0 ? kExitPartial : kExitOk;
}

}  // namespace

void add_where(CLI::App& app, Where& where, bool with_query) {
  if (with_query) {
    app.add_option("--where", where.query, "all jobs that this finds, such as 'state:dead queue:q'")
        ->type_name("QUERY");
  }
  add_number(app, "--limit", where.limit, "at most so many jobs");
  add_number(app, "--rate", where.rate, "at most so many a second");
  app.add_flag("--dry-run", where.is_dry, "only say how many it would be");
  app.add_flag("--no-wait", where.no_wait, "do not stay until it is done");
}

bool has_target(std::string_view verb, bool has_ids, const Where& where) {
  if (has_ids == !where.query.empty()) {
    print_error("dray: {0} needs ids or --where: dray {0} 0000000000001\n", verb);
    return false;
  }
  if (has_ids && !where.is_plain()) {
    print_error("dray: --limit, --rate, --dry-run and --no-wait belong to --where\n");
    return false;
  }
  return true;
}

int run_where(dray::Client& client, std::vector<std::string> words, const Where& where, Form form) {
  words.insert(words.end(), {"WHERE", where.query});
  if (where.limit) words.insert(words.end(), {"LIMIT", std::to_string(*where.limit)});
  if (where.rate) words.insert(words.end(), {"RATE", std::to_string(*where.rate)});
  if (where.is_dry) words.emplace_back("DRYRUN");
  // Sent twice it would be two operations.
  const dray::Value answer =
      client.call(words, where.is_dry ? dray::Repeat::kSafe : dray::Repeat::kNever);
  const std::string matched = word_of(answer, "matched");
  const std::string op = word_of(answer, "op");
  if (where.is_dry) {
    print_record(form, answer, fmt::format("jobs that match: {}; nothing was changed\n", matched));
    return kExitOk;
  }
  if (where.no_wait || op.empty()) {
    print_record(form, answer,
                 op.empty() ? fmt::format("jobs that match: {}\n", matched)
                            : fmt::format("{} has begun; jobs that match: {}\n", op, matched));
    return kExitOk;
  }
  return follow_operation(client, op, form);
}

int follow_operation(dray::Client& client, const std::string& op, Form form) {
  const bool is_live = isatty(STDERR_FILENO) == 1 && !is_json(form);
  for (;;) {
    const dray::Value operation = client.call(
        {"OP.WAIT", op, "BLOCK", std::to_string(kLook.count())}, dray::Repeat::kSafe, kLook);
    if (operation.kind == dray::Value::Kind::kNil) {
      throw dray::Error(dray::ErrorCode::kNotFound, "there is no operation " + op);
    }
    if (is_over(operation)) {
      if (is_live) print_error("\r\x1b[K");
      print_record(form, operation, record_text(operation, stdout_is_coloured()));
      return exit_code_of(operation);
    }
    if (is_live) show_progress(operation);
  }
}

}  // namespace cli
