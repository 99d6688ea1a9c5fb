// The commands of the program as a tree, for what is made from them: completions, the man page.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cli {

// `app` and all below it, parents first.
std::vector<const CLI::App*> all_commands(const CLI::App& app);
std::vector<const CLI::App*> subcommands_of(const CLI::App& app);
std::vector<std::string> names_of_subcommands(const CLI::App& app);
// Options, without the words that have no dashes.
std::vector<const CLI::Option*> visible_options(const CLI::App& app);
// "--url".
std::vector<std::string> long_options(const CLI::App& app);
// "dray queue ls".
std::string path_of(const CLI::App& app);

}  // namespace cli
