#include "server/config_command.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/terminal.h"
#include "config/manual.h"
#include "server/options.h"
#include "server/settings.h"

namespace server {
namespace {

void print_problems(const config::Settings& settings) {
  for (const std::string& problem : settings.problems()) {
    cli::print_error("dray: {}\n", cli::printable(problem));
  }
}

}  // namespace

ConfigCommand::ConfigCommand(CLI::App& app) {
  CLI::App* config = app.add_subcommand("config", "look at the settings of dray serve");
  config->require_subcommand(1);
  print_default_ = config->add_subcommand("print-default", "print a file with every default in it");
  check_ = config->add_subcommand("check", "read the settings as the server would, change nothing");
  cli::add_output(*check_, form_);
  check_->add_option("FILE", file_, "instead of " + std::string(config::kStandardFile));
  cli::add_example(*print_default_, "dray config print-default > /etc/dray/dray.toml");
  cli::add_example(*check_, "dray config check /etc/dray/dray.toml",
                   "Prints what differs from the defaults and who says so. Exit status 2: it would "
                   "not start.");
  explain_ = config->add_subcommand("explain", "tell all about one setting");
  cli::add_output(*explain_, form_);
  explain_->add_option("KEY", key_, "server.data, DRAY_SERVER__DATA or data; none: all");
  explain_->add_option("--config", file_, "instead of " + std::string(config::kStandardFile))
      ->type_name("FILE");
  cli::add_example(*explain_, "dray config explain journal.budget");
}

std::optional<int> ConfigCommand::run() const {
  if (print_default_->parsed()) {
    fmt::print("{}", config::default_file(serve_keys()));
    return kExitOk;
  }
  if (check_->parsed()) return check();
  if (explain_->parsed()) return explain();
  return std::nullopt;
}

void ConfigCommand::list(const std::vector<config::Setting>& settings) const {
  cli::Listing listing("settings", {{"setting"}, {"value"}, {"from"}, {"what it is"}});
  for (const config::Setting& setting : settings) {
    std::string json = fmt::format("{{\"setting\":\"{}\",\"value\":", setting.key->name);
    cli::append_json_text(setting.value.text, json);
    json += ",\"from\":";
    cli::append_json_text(setting.where, json);
    json += ",\"default\":";
    cli::append_json_text(setting.key->otherwise, json);
    json += '}';
    listing.add({{std::string(setting.key->name)},
                 {cli::printable(setting.value.text)},
                 {cli::printable(setting.where)},
                 {std::string(setting.key->doc)}},
                std::move(json));
  }
  listing.print(form_);
}

int ConfigCommand::check() const {
  const auto settings = config::Settings::read(
      serve_keys(), {.file = file_, .environment = config::process_environment()});
  for (const std::string& file : settings.files()) cli::print_error("read {}\n", file);
  std::vector<config::Setting> changed = settings.all();
  std::erase_if(changed, [](const config::Setting& one) { return one.where == "default"; });
  list(changed);
  std::fflush(stdout);
  print_problems(settings);
  return settings.problems().empty() ? kExitOk : kExitUsage;
}

int ConfigCommand::explain() const {
  const auto settings = config::Settings::read(
      serve_keys(), {.file = file_, .environment = config::process_environment()});
  print_problems(settings);
  if (key_.empty()) {
    list(settings.all());
    return kExitOk;
  }
  const auto is_meant = [&](const config::Setting& setting) {
    return setting.key->name == key_ || setting.key->flag.substr(2) == key_ ||
           config::environment_name(*setting.key) == key_;
  };
  const auto found = std::ranges::find_if(settings.all(), is_meant);
  if (found == settings.all().end()) {
    cli::print_error("dray: there is no setting {}{}\n", cli::printable(key_),
                     config::nearest_key(serve_keys(), key_));
    return cli::kExitNotFound;
  }
  if (cli::is_json(form_)) {
    list({*found});
  } else {
    fmt::print("{}", config::explanation(*found));
  }
  return kExitOk;
}

}  // namespace server
