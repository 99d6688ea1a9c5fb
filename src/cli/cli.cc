#include "cli/cli.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/help_text.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"
#include "config/duration.h"
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
std::string_view advice(const dray::Error& error) {
  switch (error.code()) {
    case dray::ErrorCode::kBadReq:
      if (error.message().find("field=tls.") == std::string::npos) return {};
      return "here these are --tls-ca, --tls-cert, --tls-key and --tls-name, or tls_… in a profile";
    case dray::ErrorCode::kUnreachable:
      return "start one with `dray serve --data DIR`, or name it with --url, --profile or DRAY_URL";
    case dray::ErrorCode::kNoAuth:
    case dray::ErrorCode::kWrongPass:
      return "give the token in the URL, dray://:TOKEN@host:port, or a profile with token_file";
    case dray::ErrorCode::kNotYet:
      return "this server does not have it yet; see CHANGELOG.md";
    case dray::ErrorCode::kUnknown:
      return "the same command may be given again if its push has a --key or --request";
    default:
      return {};
  }
}

int report(const dray::Error& error) {
  print_error("dray: {}\n", printable(error.what()));
  const std::string_view hint = advice(error);
  if (!hint.empty()) print_error("      {}\n", hint);
  return exit_code(error.code());
}

}  // namespace

void add_duration(CLI::App& app, const std::string& name,
                  std::optional<std::chrono::milliseconds>& target, const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target, name](const std::string& text) {
           const auto duration = config::parse_duration(text);
           if (!duration) throw CLI::ValidationError(name, duration.error().message);
           target = *duration;
         },
         help)
      ->type_name("DURATION");
}

void add_number(CLI::App& app, const std::string& name, std::optional<int>& target,
                const std::string& help) {
  app.add_option_function<int>(
         name, [&target](int value) { target = value; }, help)
      ->type_name("N");
}

void add_example(CLI::App& app, const std::string& example, const std::string& more) {
  app.footer((more.empty() ? std::string() : more + "\n\n") + "Example:\n  " + example);
}

CLI::App& CommandSet::add(CLI::App& parent, const std::string& name, const std::string& help,
                          const Make& make) {
  CLI::App* sub = parent.add_subcommand(name, help);
  entries_.push_back({sub, make(*sub)});
  return *sub;
}

CLI::App& CommandSet::add_group(CLI::App& parent, const std::string& name,
                                const std::string& help) {
  CLI::App* sub = parent.add_subcommand(name, help);
  sub->require_subcommand(1);
  return *sub;
}

Command* CommandSet::parsed() const {
  for (const Entry& entry : entries_) {
    if (entry.app->parsed()) return entry.command.get();
  }
  return nullptr;
}

ClientCommands::ClientCommands(CLI::App& app, const std::string& version)
    : commands_(std::make_unique<CommandSet>()) {
  CommandSet& all = *commands_;
  all.add(app, "push", "push a job, or many from a file", make_push);
  all.add(app, "show", "show all that is known of jobs", make_show);
  all.add(app, "wait", "wait until jobs are finished", make_wait);
  add_list_commands(all, app);
  add_change_commands(all, app);
  add_edit_commands(all, app);
  add_op_commands(all, app);
  add_queue_commands(all, app);
  add_worker_commands(all, app);
  all.add(app, "exec", "run a command for each job of a queue", make_exec);
  all.add(app, "status", "show the queues and what is in them", make_status);
  all.add(app, "top", "watch queues, rates and workers live", make_top);
  all.add(app, "tail", "show what happens to jobs, as it happens", make_tail);
  all.add(app, "doctor", "look for the usual mistakes",
          [&](CLI::App& sub) { return make_doctor(sub, version); });
  add_token_commands(all, app);
  all.add(app, "bench", "measure pushes and whole lives of jobs", make_bench);
  add_help_commands(all, app, version);
  group_commands(
      app, "Jobs",
      {"push", "show", "wait", "ls", "count", "retry", "cancel", "delete", "edit", "move", "op"});
  group_commands(app, "Queues and workers", {"queue", "type", "worker", "exec"});
  group_commands(app, "Looking on", {"status", "top", "tail", "doctor", "bench"});
  group_commands(app, "This program", {"help", "completion"});
}

ClientCommands::~ClientCommands() = default;

std::optional<int> ClientCommands::run() {
  Command* command = commands_->parsed();
  if (command == nullptr) return std::nullopt;
  try {
    return command->run();
  } catch (const dray::Error& error) {
    return report(error);
  }
}

void print_usage_error(const CLI::App& app, const std::string& what) {
  const CLI::App& command = deepest_parsed(app);
  const std::string verb = unknown_verb(app);
  const std::string fault =
      verb.empty() ? printable(what, true)
                   : fmt::format("there is no command {} {}", path_of(command), printable(verb));
  print_error("dray: {}{}\n      {} --help tells more\n", fault, did_you_mean(suggestion(app)),
              path_of(command));
}

}  // namespace cli
