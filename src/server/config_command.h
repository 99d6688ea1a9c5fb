// `dray config`: print-default, check, explain.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/output.h"
#include "config/settings.h"

namespace server {

// Threading: one owner.
class ConfigCommand {
 public:
  // `app` must outlive this.
  explicit ConfigCommand(CLI::App& app);
  ConfigCommand(const ConfigCommand&) = delete;
  ConfigCommand& operator=(const ConfigCommand&) = delete;

  // Runs what was parsed, and returns the exit code; nothing when it is none of ours.
  std::optional<int> run() const;

 private:
  void list(const std::vector<config::Setting>& settings) const;
  int check() const;
  int explain() const;

  CLI::App* print_default_;
  CLI::App* check_;
  CLI::App* explain_;
  std::string file_;
  std::string key_;
  cli::Form form_ = cli::Form::kTable;
};

}  // namespace server
