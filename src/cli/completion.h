// Scripts that let a shell complete the command line, made from the commands themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace cli {

std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);
std::string fish_completion(const CLI::App& app);

}  // namespace cli
