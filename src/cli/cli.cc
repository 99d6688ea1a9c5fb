#include "cli/cli.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/duration.h"
#include "cli/terminal.h"
#include "dray/errors.h"

namespace cli {
namespace {

int exit_code(dray::ErrorCode code) {
  switch (code) {
    case dray::ErrorCode::kNotFound:
    case dray::ErrorCode::kGone:
      return kExitNotFound;
    case dray::ErrorCode::kUnreachable:
      return kExitUnreachable;
    case dray::ErrorCode::kBadReq:
      return kExitUsage;
    default:
      return kExitFailed;
  }
}

// What to do about it, where the message itself does not say.
std::string_view advice(dray::ErrorCode code) {
  switch (code) {
    case dray::ErrorCode::kUnreachable:
      return "start one with `dray serve --data DIR`, or name it with --url or DRAY_URL";
    case dray::ErrorCode::kNoAuth:
    case dray::ErrorCode::kWrongPass:
      return "give the token in the URL: dray://:TOKEN@host:port";
    case dray::ErrorCode::kNotYet:
      return "this server does not have it yet; see CHANGELOG.md";
    case dray::ErrorCode::kUnknown:
      return "the same command may be given again if its push has a --key or --request";
    default:
      return {};
  }
}

int report(const dray::Error& error) {
  fmt::print(stderr, "dray: {}\n", printable(error.what()));
  const std::string_view hint = advice(error.code());
  if (!hint.empty()) fmt::print(stderr, "      {}\n", hint);
  return exit_code(error.code());
}

}  // namespace

void add_url(CLI::App& app, std::string& url) {
  app.add_option("--url", url, "the server: dray://[user:password@]host[:port][/namespace]")
      ->envname("DRAY_URL")
      ->type_name("URL");
}

void add_duration(CLI::App& app, const std::string& name,
                  std::optional<std::chrono::milliseconds>& target, const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target, name](const std::string& text) {
           const auto duration = parse_duration(text);
           if (!duration) throw CLI::ValidationError(name, duration.error().message);
           target = *duration;
         },
         help)
      ->type_name("DURATION");
}

void add_output(CLI::App& app, bool& is_json) {
  app.add_option_function<std::string>(
         "-o,--output", [&is_json](const std::string& form) { is_json = form == "json"; },
         "table (for people) or json (for programs)")
      ->check(CLI::IsMember({"table", "json"}))
      ->type_name("FORM");
}

dray::ClientOptions client_options(const std::string& url) {
  dray::ClientOptions options;
  options.url = url;
  options.retry_for = std::chrono::seconds(5);
  return options;
}

ClientCommands::ClientCommands(CLI::App& app) {
  const auto add = [&](const char* name, const char* help, auto make) {
    CLI::App* sub = app.add_subcommand(name, help);
    entries_.push_back({sub, make(*sub)});
  };
  add("exec", "run a command for each job of a queue", make_exec);
  add("push", "push a job, or many from stdin", make_push);
  add("show", "show all that is known of a job", make_show);
  add("status", "show the queues and what is in them", make_status);
  add("token", "make, list, rotate and revoke the tokens of a server", make_token);
  add("wait", "wait until a job is finished", make_wait);
}

ClientCommands::~ClientCommands() = default;

std::optional<int> ClientCommands::run() {
  for (const Entry& entry : entries_) {
    if (!entry.app->parsed()) continue;
    try {
      return entry.command->run();
    } catch (const dray::Error& error) {
      return report(error);
    }
  }
  return std::nullopt;
}

}  // namespace cli
