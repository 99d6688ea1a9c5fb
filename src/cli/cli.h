// The commands of `dray` that are clients of a server.
//
//   cli::ClientCommands commands(app, version);   // Beside the program's own subcommands.
//   app.parse(argc, argv);
//   if (const auto code = commands.run()) return *code;
#pragma once
#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>

namespace cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitPartial = 4;
inline constexpr int kExitUnreachable = 5;
inline constexpr int kExitOutput = 74;  // EX_IOERR: stdout could not be written.

class CommandSet;

// Threading: one owner.
class ClientCommands {
 public:
  // `app` must outlive this. `version` is the program's.
  ClientCommands(CLI::App& app, const std::string& version);
  ~ClientCommands();
  ClientCommands(const ClientCommands&) = delete;
  ClientCommands& operator=(const ClientCommands&) = delete;

  // Runs the subcommand that was parsed, and returns the exit code; nothing when it is none of
  // ours. Errors go to stderr and say what to do.
  std::optional<int> run();

 private:
  std::unique_ptr<CommandSet> commands_;
};

// Says on stderr what was wrong with the command line, with the word that was meant if there is
// one, and where to read on.
void print_usage_error(const CLI::App& app, const std::string& what);

}  // namespace cli
