// The manual page dray(1), made from the commands themselves.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

namespace cli {

std::string man_page(const CLI::App& app, const std::string& version);

}  // namespace cli
