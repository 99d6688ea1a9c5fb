// The commands of `dray` that are clients of a server: exec, push, show, status, token,
// wait.
//
//   cli::ClientCommands commands(app);   // Beside the program's own subcommands.
//   app.parse(argc, argv);
//   if (const auto code = commands.run()) return *code;
#pragma once
#include <CLI/App.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitPartial = 4;
inline constexpr int kExitUnreachable = 5;

class Command;

// Threading: one owner.
class ClientCommands {
 public:
  // `app` must outlive this.
  explicit ClientCommands(CLI::App& app);
  ~ClientCommands();
  ClientCommands(const ClientCommands&) = delete;
  ClientCommands& operator=(const ClientCommands&) = delete;

  // Runs the subcommand that was parsed, and returns the exit code; nothing when it is none of
  // ours. Errors go to stderr and say what to do.
  std::optional<int> run();

 private:
  struct Entry {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };
  std::vector<Entry> entries_;
};

}  // namespace cli
