#include "repair/repair_commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/terminal.h"
#include "repair/copy_journal.h"
#include "repair/examination_text.h"
#include "repair/examine.h"
#include "repair/salvage.h"

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
  CLI::App* salvage = add(app, "salvage", "save what can be read of damaged data, in a new place",
                          &RepairCommands::salvage);
  salvage->add_option("DIR", from_, "the data directory; nothing in it is changed")->required();
  salvage->add_option("--to", to_, "the directory to make; it must not be there, or be empty")
      ->required();
  cli::add_output(*salvage, is_json_);
  CLI::App* backup = add(app, "backup", "copy the data of a server, also while it serves",
                         &RepairCommands::backup);
  backup->add_option("--data", from_, "the data directory")->required();
  backup->add_option("--to", to_, "the directory to make; it must not be there, or be empty")
      ->required();
  CLI::App* restore =
      add(app, "restore", "make a data directory from a backup", &RepairCommands::restore);
  restore->add_option("BACKUP", from_, "what dray backup has made")->required();
  restore->add_option("--to", to_, "the data directory to make; it must not be there, or be empty")
      ->required();
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

base::Result<int> RepairCommands::salvage() {
  const auto held = TRY(hold(files_, from_));
  const Account account = TRY(repair::salvage(files_, from_, to_));
  fmt::print("{}", is_json_ ? json_of(account) : text_of(account));
  return account.is_whole() ? kExitOk : kExitLeftOut;
}

base::Result<int> RepairCommands::backup() {
  const Copied copied = TRY(copy_journal(files_, from_, to_));
  fmt::print("{}: all up to frame {}; {} segments, {} bytes, verified\n", cli::printable(to_),
             copied.last_seq, copied.segments, copied.bytes);
  return kExitOk;
}

base::Result<int> RepairCommands::restore() {
  const Copied copied = TRY(copy_journal(files_, from_, to_));
  const Examination found = TRY(examine(files_, to_));
  fmt::print("{}", text_of(found));
  if (found.damage) return kExitDamaged;
  fmt::print("{}: restored up to frame {}; start it with: dray serve --data {}\n",
             cli::printable(to_), copied.last_seq, cli::printable(to_));
  return kExitOk;
}

}  // namespace repair
