#include "repair/repair_commands.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "repair/backup.h"
#include "repair/end_signals.h"
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

constexpr std::chrono::milliseconds kFollowPause{1'000};

// Returns the exit code: rows that were damaged before are so in the copy.
int print_report(const std::string& place, const BackupReport& report) {
  for (const SetAside& job : report.set_aside) {
    fmt::print("DAMAGED: {}\n", cli::printable(job.error.message));
  }
  for (const std::string& flaw : report.flaws) fmt::print("DAMAGED: {}\n", cli::printable(flaw));
  const bool is_good = report.set_aside.empty() && report.flaws.empty();
  fmt::print("{}: all up to frame {}; {} segments, {} bytes, {}\n", cli::printable(place),
             report.last_seq, report.segments, report.bytes,
             is_good ? "verified" : "with the damage that is named above");
  std::fflush(stdout);
  return is_good ? kExitOk : kExitDamaged;
}

}  // namespace

RepairCommands::RepairCommands(CLI::App& app, store::SystemCalls& calls) : files_(calls) {
  CLI::App* check = add(app, "check", "see whether a stopped server's data can be verified",
                        &RepairCommands::check);
  check->add_option("DIR", from_, "the data directory, or a copy of it; nothing is changed")
      ->required();
  cli::add_output(*check, form_);
  cli::add_example(*check, "dray check /var/lib/dray");
  CLI::App* salvage = add(app, "salvage", "save what can be read of damaged data, in a new place",
                          &RepairCommands::salvage);
  salvage->add_option("DIR", from_, "the data directory; nothing in it is changed")->required();
  salvage->add_option("--to", to_, "the directory to make; it must not be there, or be empty")
      ->required();
  cli::add_output(*salvage, form_);
  cli::add_example(*salvage, "dray salvage /var/lib/dray --to /var/lib/dray-saved");
  CLI::App* backup = add(app, "backup", "copy the data of a server, also while it serves",
                         &RepairCommands::backup);
  backup->add_option("--data", from_, "the data directory")->required();
  backup->add_option("--to", to_, "the directory to make; it must not be there, or be empty")
      ->required();
  backup->add_flag("--follow", follows_,
                   "then stay, and add what the server writes, until SIGTERM; in folders of --to");
  cli::add_example(*backup, "dray backup --data /var/lib/dray --to /backup/dray");
  CLI::App* restore =
      add(app, "restore", "make a data directory from a backup", &RepairCommands::restore);
  restore->add_option("BACKUP", from_, "what dray backup has made")->required();
  restore->add_option("--to", to_, "the data directory to make; it must not be there, or be empty")
      ->required();
  cli::add_example(*restore, "dray restore /backup/dray --to /var/lib/dray-new");
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
    cli::print_error("dray: {} {}\n", base::error_word(code.error().code),
                     cli::printable(code.error().message));
    return exit_code_of(code.error().code);
  }
  return std::nullopt;
}

base::Result<int> RepairCommands::check() {
  const auto held = TRY(hold(files_, from_));
  const Examination found = TRY(examine(files_, from_));
  fmt::print("{}", cli::is_json(form_) ? json_of(found) : text_of(found));
  return found.is_good() ? kExitOk : kExitDamaged;
}

base::Result<int> RepairCommands::salvage() {
  const auto held = TRY(hold(files_, from_));
  const Account account = TRY(repair::salvage(files_, from_, to_));
  fmt::print("{}", cli::is_json(form_) ? json_of(account) : text_of(account));
  return account.is_whole() ? kExitOk : kExitLeftOut;
}

base::Result<int> RepairCommands::backup() {
  return follows_ ? follow() : print_report(to_, TRY(back_up(files_, from_, to_)));
}

base::Result<int> RepairCommands::follow() {
  FollowingBackup backup(files_, from_, to_);
  int code = print_report(backup.generation(), TRY(backup.begin()));
  const EndSignals signals;
  while (!EndSignals::wait(kFollowPause)) {
    if (const auto made = TRY(backup.go_on())) code = print_report(backup.generation(), *made);
  }
  fmt::print("{}: ended, all up to frame {}\n", cli::printable(backup.generation()),
             backup.last_seq());
  return code;
}

base::Result<int> RepairCommands::restore() {
  const BackupReport report = TRY(repair::restore(files_, from_, to_));
  const int code = print_report(to_, report);
  fmt::print("start it with: dray serve --data {}\n", cli::printable(to_));
  return code;
}

}  // namespace repair
