// How help texts look: lines that fit a terminal, and options without what only a program would
// want to know of them.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cli {

// For `app` and the subcommands that are added to it after this.
void style_help(CLI::App& app);

// Puts these subcommands under a heading of their own.
void group_commands(CLI::App& app, const std::string& heading,
                    const std::vector<std::string>& names);

// Breaks `text` at spaces, so that no line is longer than `width` unless a word is.
std::string wrapped(const std::string& text, size_t width);

}  // namespace cli
