// What one client command of the command line is made of, and the sets of them. Each file
// *_command.cc holds one, each *_commands.cc those of a family.
#pragma once
#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/server_choice.h"
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

// One that talks to a server.
class ServerCommand : public Command {
 public:
  explicit ServerCommand(CLI::App& app) { add_server(app, server_); }

 protected:
  // Made when it is first asked for: only then is the command line read.
  dray::Client& client() {
    if (!client_) client_ = std::make_unique<dray::Client>(client_options(server_));
    return *client_;
  }

 private:
  ServerChoice server_;
  std::unique_ptr<dray::Client> client_;
};

// Subcommands with what they run. Threading: one owner.
class CommandSet {
 public:
  using Make = std::function<std::unique_ptr<Command>(CLI::App& app)>;

  // `make` adds the options to the subcommand it is given. Returns that one.
  CLI::App& add(CLI::App& parent, const std::string& name, const std::string& help,
                const Make& make);
  // One that only holds others.
  static CLI::App& add_group(CLI::App& parent, const std::string& name, const std::string& help);

  // The command that was parsed; null when it is none of these.
  Command* parsed() const;

 private:
  struct Entry {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };
  std::vector<Entry> entries_;
};

std::unique_ptr<Command> make_bench(CLI::App& app);
std::unique_ptr<Command> make_doctor(CLI::App& app, const std::string& version);
std::unique_ptr<Command> make_exec(CLI::App& app);
std::unique_ptr<Command> make_push(CLI::App& app);
std::unique_ptr<Command> make_show(CLI::App& app);
std::unique_ptr<Command> make_status(CLI::App& app);
std::unique_ptr<Command> make_tail(CLI::App& app);
std::unique_ptr<Command> make_top(CLI::App& app);
std::unique_ptr<Command> make_wait(CLI::App& app);

// Families of commands.
void add_change_commands(CommandSet& commands, CLI::App& app);  // retry, cancel, delete
void add_edit_commands(CommandSet& commands, CLI::App& app);    // edit, move
void add_list_commands(CommandSet& commands, CLI::App& app);    // ls, count
void add_op_commands(CommandSet& commands, CLI::App& app);
void add_queue_commands(CommandSet& commands, CLI::App& app);
void add_token_commands(CommandSet& commands, CLI::App& app);
void add_worker_commands(CommandSet& commands, CLI::App& app);  // worker, type
// help, completion: about `app` itself.
void add_help_commands(CommandSet& commands, CLI::App& app, const std::string& version);

// An option whose value is a duration such as 5m.
void add_duration(CLI::App& app, const std::string& name,
                  std::optional<std::chrono::milliseconds>& target, const std::string& help);
// One whose value is a whole number.
void add_number(CLI::App& app, const std::string& name, std::optional<int>& target,
                const std::string& help);

// The example at the end of a command's help.
void add_example(CLI::App& app, const std::string& example, const std::string& more = {});

}  // namespace cli
