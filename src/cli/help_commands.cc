// dray help, dray completion
#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "cli/command_tree.h"
#include "cli/completion.h"
#include "cli/man_page.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"

namespace cli {
namespace {

class HelpCommand final : public Command {
 public:
  HelpCommand(CLI::App& app, CLI::App& root, std::string version)
      : root_(root), version_(std::move(version)) {
    app.add_option("command", words_, "the command, such as push, or queue ls");
    app.add_flag("--man", is_man_, "the manual page dray(1), as troff reads it");
    add_example(app, "dray help queue pause");
  }

  int run() override {
    if (is_man_) {
      fmt::print("{}", man_page(root_, version_));
      return kExitOk;
    }
    const CLI::App* found = &root_;
    for (const std::string& word : words_) {
      const CLI::App* next = nullptr;
      for (const CLI::App* inner : subcommands_of(*found)) {
        if (inner->get_name() == word) next = inner;
      }
      if (next == nullptr) {
        print_error("dray: there is no command {} {}{}\n", path_of(*found), printable(word),
                    did_you_mean(nearest(names_of_subcommands(*found), word)));
        return kExitUsage;
      }
      found = next;
    }
    // Not its own help(): that speaks of what was parsed, which is `dray help`.
    fmt::print("{}", found->get_formatter()->make_help(found, path_of(*found),
                                                       CLI::AppFormatMode::Normal));
    return kExitOk;
  }

 private:
  CLI::App& root_;
  std::string version_;
  std::vector<std::string> words_;
  bool is_man_ = false;
};

class CompletionCommand final : public Command {
 public:
  CompletionCommand(CLI::App& app, const CLI::App& root) : root_(root) {
    app.add_option("shell", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    add_example(app, "source <(dray completion bash)");
  }

  int run() override {
    fmt::print("{}", shell_ == "bash"  ? bash_completion(root_)
                     : shell_ == "zsh" ? zsh_completion(root_)
                                       : fish_completion(root_));
    return kExitOk;
  }

 private:
  const CLI::App& root_;
  std::string shell_;
};

}  // namespace

void add_help_commands(CommandSet& commands, CLI::App& app, const std::string& version) {
  commands.add(app, "help", "tell about a command",
               [&](CLI::App& sub) { return std::make_unique<HelpCommand>(sub, app, version); });
  commands.add(app, "completion", "print a script that completes commands in your shell",
               [&](CLI::App& sub) { return std::make_unique<CompletionCommand>(sub, app); });
}

}  // namespace cli
