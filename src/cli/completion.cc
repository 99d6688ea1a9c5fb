#include "cli/completion.h"

#include <fmt/format.h>

#include <vector>

#include "cli/command_tree.h"
#include "cli/terminal.h"

namespace cli {
namespace {

// The part that bash and zsh share: which command the words so far name.
std::string path_cases(const std::vector<const CLI::App*>& commands) {
  std::string out;
  for (const CLI::App* command : commands) {
    if (command->get_parent() == nullptr) continue;
    out += (out.empty() ? "" : "|") + fmt::format("\"{}\"", path_of(*command));
  }
  return out;
}

// In single quotes, as fish and zsh read it.
std::string single_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  const std::vector<const CLI::App*> commands = all_commands(app);
  std::string out = fmt::format(
      "# bash completion for dray: source <(dray completion bash)\n"
      "_dray() {{\n"
      "  local word path=dray i cur=${{COMP_WORDS[COMP_CWORD]}}\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"$path ${{COMP_WORDS[i]}}\"\n"
      "    case \"$word\" in\n"
      "      {}) path=$word ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n",
      path_cases(commands));
  for (const CLI::App* command : commands) {
    std::vector<std::string> words = names_of_subcommands(*command);
    for (std::string& option : long_options(*command)) words.push_back(std::move(option));
    out += fmt::format("    \"{}\") COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")) ;;\n",
                       path_of(*command), joined(words));
  }
  return out + "  esac\n}\ncomplete -o default -F _dray dray\n";
}

std::string zsh_completion(const CLI::App& app) {
  const std::vector<const CLI::App*> commands = all_commands(app);
  std::string out = fmt::format(
      "#compdef dray\n"
      "# zsh completion for dray: dray completion zsh > \"${{fpath[1]}}/_dray\"\n"
      "_dray() {{\n"
      "  local path=dray word i\n"
      "  local -a verbs\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    word=\"$path ${{words[i]}}\"\n"
      "    case \"$word\" in\n"
      "      {}) path=$word ;;\n"
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n",
      path_cases(commands));
  for (const CLI::App* command : commands) {
    out += fmt::format("    \"{}\")\n      verbs=(", path_of(*command));
    for (const CLI::App* verb : subcommands_of(*command)) {
      out += " " + single_quoted(verb->get_name() + ":" + verb->get_description());
    }
    out += fmt::format(" )\n      _describe verb verbs\n      compadd -- {}\n      _files ;;\n",
                       joined(long_options(*command)));
  }
  return out + "  esac\n}\n_dray \"$@\"\n";
}

std::string fish_completion(const CLI::App& app) {
  const std::vector<const CLI::App*> commands = all_commands(app);
  std::string paths;
  for (const CLI::App* command : commands) {
    if (command->get_parent() != nullptr) paths += " " + single_quoted(path_of(*command));
  }
  std::string out = fmt::format(
      "# fish completion for dray: dray completion fish > ~/.config/fish/completions/dray.fish\n"
      "function __dray_path\n"
      "  set -l path dray\n"
      "  for word in (commandline -opc)[2..-1]\n"
      "    contains -- \"$path $word\"{}; and set path \"$path $word\"\n"
      "  end\n"
      "  echo $path\n"
      "end\n",
      paths);
  for (const CLI::App* command : commands) {
    const std::string condition =
        single_quoted(fmt::format("test (__dray_path) = \"{}\"", path_of(*command)));
    for (const CLI::App* verb : subcommands_of(*command)) {
      out += fmt::format("complete -c dray -f -n {} -a {} -d {}\n", condition, verb->get_name(),
                         single_quoted(verb->get_description()));
    }
    for (const CLI::Option* option : visible_options(*command)) {
      for (const std::string& name : option->get_lnames()) {
        out += fmt::format("complete -c dray -n {} -l {} -d {}\n", condition, name,
                           single_quoted(option->get_description()));
      }
    }
  }
  return out;
}

}  // namespace cli
