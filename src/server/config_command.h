// `dray config`: print-default, check, explain.
#pragma once
#include <CLI/App.hpp>
#include <optional>
#include <string>

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
  int check() const;
  int explain() const;

  CLI::App* print_default_;
  CLI::App* check_;
  CLI::App* explain_;
  std::string file_;
  std::string key_;
};

}  // namespace server
