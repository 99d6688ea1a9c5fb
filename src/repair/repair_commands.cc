#include "repair/repair_commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "repair/examination_text.h"
#include "repair/examine.h"

namespace repair {
namespace {

using base::ErrorCode;

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCorrupt:
      return kExitDamaged;
    case ErrorCode::kNotFound:
      return kExitNoData;
    case ErrorCode::kUnavailable:
      return kExitInUse;
    case ErrorCode::kBadReq:
      return kExitUsage;
    default:
      return kExitIo;
  }
}

}  // namespace

RepairCommands::RepairCommands(CLI::App& app, store::SystemCalls& calls) : files_(calls) {
  CLI::App* check = add(app, "check", "see whether a stopped server's data can be verified",
                        &RepairCommands::check);
  check->add_option("DIR", from_, "the data directory, or a copy of it; nothing is changed")
      ->required();
  cli::add_output(*check, is_json_);
}

CLI::App* RepairCommands::add(CLI::App& app, const char* name, const char* help,
                              base::Result<int> (RepairCommands::*run)()) {
  CLI::App* sub = app.add_subcommand(name, help);
  entries_.push_back({sub, run});
  return sub;
}

std::optional<int> RepairCommands::run() {
  for (const Entry& entry : entries_) {
    if (!entry.app->parsed()) continue;
    const base::Result<int> code = (this->*entry.run)();
    if (code.has_value()) return *code;
    fmt::print(stderr, "dray: {} {}\n", base::error_word(code.error().code),
               cli::printable(code.error().message));
    return exit_code_of(code.error().code);
  }
  return std::nullopt;
}

base::Result<int> RepairCommands::check() {
  const auto held = TRY(hold(files_, from_));
  const Examination found = TRY(examine(files_, from_));
  fmt::print("{}", is_json_ ? json_of(found) : text_of(found));
  return found.damage ? kExitDamaged : kExitOk;
}

}  // namespace repair
