#include "cli/command_tree.h"

namespace cli {

// NOLINTNEXTLINE(misc-no-recursion): as deep as commands are.
std::vector<const CLI::App*> all_commands(const CLI::App& app) {
  std::vector<const CLI::App*> all = {&app};
  for (const CLI::App* inner : subcommands_of(app)) {
    const std::vector<const CLI::App*> below = all_commands(*inner);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> names_of_subcommands(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* inner : subcommands_of(app)) names.push_back(inner->get_name());
  return names;
}

std::vector<const CLI::Option*> visible_options(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

std::vector<std::string> long_options(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : visible_options(app)) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as commands are.
std::string path_of(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : path_of(*parent) + " " + app.get_name();
}

}  // namespace cli
