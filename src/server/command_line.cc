#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>

#include "cli/checked_stdout.h"
#include "cli/cli.h"
#include "cli/command.h"
#include "cli/help_text.h"
#include "cli/terminal.h"
#include "config/settings.h"
#include "repair/repair_commands.h"
#include "server/config_command.h"
#include "server/serve.h"
#include "server/settings.h"
#include "server/version.h"

namespace server {
namespace {

// The flags of `dray serve`: one for each setting, and the file.
class ServeCommand {
 public:
  explicit ServeCommand(CLI::App& app) : app_(*app.add_subcommand("serve", "run the server")) {
    app_.add_option("--config", sources_.file,
                    "the file to read instead of " + std::string(config::kStandardFile))
        ->type_name("FILE");
    for (const config::Key& key : serve_keys()) {
      key.kind == config::Kind::kFlag ? add_flag(key) : add_option(key);
    }
    cli::add_example(
        app_, "dray serve --data /var/lib/dray",
        "Each of these is also a line of the file and a variable of the environment; flags win:\n"
        "dray config print-default, dray config explain KEY.");
  }

  int run(store::SystemCalls& calls) {
    sources_.environment = config::process_environment();
    const auto settings = config::Settings::read(serve_keys(), std::move(sources_));
    if (settings.problems().empty()) return serve(settings, calls);
    for (const std::string& problem : settings.problems()) {
      cli::print_error("dray: {}\n", cli::printable(problem));
    }
    return kExitUsage;
  }

 private:
  void add_option(const config::Key& key) {
    const std::string otherwise =
        key.otherwise.empty() ? std::string() : fmt::format(" ({})", key.otherwise);
    app_.add_option_function<std::string>(
            std::string(key.flag), [this, &key](const std::string& text) { put(key, text); },
            std::string(key.doc) + otherwise)
        ->type_name(config::kind_name(key));
  }

  void add_flag(const config::Key& key) {
    app_.add_flag_callback(
        std::string(key.flag), [this, &key] { put(key, "true"); }, std::string(key.doc));
  }

  void put(const config::Key& key, const std::string& text) {
    sources_.flags.push_back(
        {.name = std::string(key.name), .text = text, .where = std::string(key.flag)});
  }

  CLI::App& app_;
  config::Sources sources_;
};

// Puts /dev/null where stdin, stdout or stderr is closed. Otherwise the next file or socket that is
// opened has that number, and is written what is meant for people.
void fill_standard_streams() {
  int fd = 0;
  while (fd >= 0 && fd <= STDERR_FILENO) fd = open("/dev/null", O_RDWR);
  if (fd >= 0) close(fd);
}

}  // namespace

int run_command_line(int argc, char** argv, store::SystemCalls& calls) {
  fill_standard_streams();
  CLI::App app("Dray, a durable background-job server", "dray");
  app.require_subcommand(1);
  cli::style_help(app);
  app.set_version_flag("--version", std::string(kVersion));
  ServeCommand serve_command(app);
  cli::ClientCommands client_commands(app, std::string(kVersion));
  repair::RepairCommands repair_commands(app, calls);
  const ConfigCommand config_command(app);
  cli::add_example(*app.add_subcommand("version", "print the version"), "dray version");
  cli::group_commands(app, "The server",
                      {"serve", "token", "config", "check", "salvage", "backup", "restore"});
  cli::group_commands(app, "This program", {"version"});
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return cli::with_checked_stdout([&] { return app.exit(asked); });  // Help, or the version.
  } catch (const CLI::ParseError& error) {
    cli::print_usage_error(app, error.what());
    return kExitUsage;
  }
  if (app.got_subcommand("serve")) return serve_command.run(calls);
  return cli::with_checked_stdout([&] {
    if (const auto code = client_commands.run()) return *code;
    if (const auto code = repair_commands.run()) return *code;
    if (const auto code = config_command.run()) return *code;
    std::printf("dray %s\n", std::string(kVersion).c_str());  // Nothing else is left.
    return kExitOk;
  });
}

}  // namespace server
