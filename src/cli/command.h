// What one client command of the command line is made of. Each file *_command.cc holds one.
#pragma once
#include <CLI/App.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "dray/client.h"

namespace cli {

// Lifetime: its options are bound to a CLI::App, so it stays where it is until after the parse.
class Command {
 public:
  Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;
  virtual ~Command() = default;

  // Returns the exit code. May throw dray::Error, which the caller reports.
  virtual int run() = 0;
};

// Each adds its options to its subcommand.
std::unique_ptr<Command> make_exec(CLI::App& app);
std::unique_ptr<Command> make_push(CLI::App& app);
std::unique_ptr<Command> make_show(CLI::App& app);
std::unique_ptr<Command> make_status(CLI::App& app);
std::unique_ptr<Command> make_token(CLI::App& app);
std::unique_ptr<Command> make_wait(CLI::App& app);

// --url, for every command.
void add_url(CLI::App& app, std::string& url);
// An option whose value is a duration such as 5m.
void add_duration(CLI::App& app, const std::string& name,
                  std::optional<std::chrono::milliseconds>& target, const std::string& help);
// -o json; the flag is true for JSON.
void add_output(CLI::App& app, bool& is_json);

// The settings of a client for one command: it reports an absent server soon.
dray::ClientOptions client_options(const std::string& url);

}  // namespace cli
