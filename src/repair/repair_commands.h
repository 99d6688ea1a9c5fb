// The commands of `dray` that work on a data directory without a server: check, salvage, backup,
// restore.
#pragma once
#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "store/file.h"

namespace repair {

inline constexpr int kExitOk = 0;
inline constexpr int kExitLeftOut = 1;  // Of salvage: something is lost.
inline constexpr int kExitUsage = 2;
inline constexpr int kExitDamaged = 65;
inline constexpr int kExitNoData = 66;  // There is no data directory.
inline constexpr int kExitIo = 74;
inline constexpr int kExitInUse = 75;  // A server holds it.

// Threading: one owner.
class RepairCommands {
 public:
  // Both must outlive this.
  RepairCommands(CLI::App& app, store::SystemCalls& calls);
  RepairCommands(const RepairCommands&) = delete;
  RepairCommands& operator=(const RepairCommands&) = delete;

  // Runs the subcommand that was parsed, and returns the exit code; nothing when it is none of
  // ours.
  std::optional<int> run();

 private:
  base::Result<int> check();
  base::Result<int> salvage();
  base::Result<int> backup();
  base::Result<int> follow();
  base::Result<int> restore();

  CLI::App* add(CLI::App& app, const char* name, const char* help,
                base::Result<int> (RepairCommands::*run)());

  struct Entry {
    CLI::App* app;
    base::Result<int> (RepairCommands::*run)();
  };
  std::vector<Entry> entries_;
  store::FileSystem files_;
  std::string from_;
  std::string to_;
  cli::Form form_ = cli::Form::kTable;
  bool follows_ = false;
};

}  // namespace repair
