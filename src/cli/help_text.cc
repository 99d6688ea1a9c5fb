#include "cli/help_text.h"

#include <CLI/CLI.hpp>
#include <memory>

namespace cli {
namespace {

constexpr size_t kNameWidth = 30;
constexpr size_t kDocWidth = 70;

class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    column_width(kNameWidth);
    label("SUBCOMMAND", "COMMAND");
    label("Subcommands", "Commands");
    label("Positionals", "Arguments");
  }

  // Without the list of what excludes what: the error says it when it matters.
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text;
    if (option->get_type_size() != 0 && !option->get_type_name().empty()) {
      text += " " + option->get_type_name();
    }
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
    if (option->get_required()) text += " (required)";
    return text;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), kDocWidth);
  }
};

}  // namespace

void style_help(CLI::App& app) {
  // shared_ptr: CLI11's apps share theirs.
  app.formatter(std::make_shared<HelpFormatter>());
}

void group_commands(CLI::App& app, const std::string& heading,
                    const std::vector<std::string>& names) {
  for (const std::string& name : names) app.get_subcommand(name)->group(heading);
}

std::string wrapped(const std::string& text, size_t width) {
  std::string out;
  size_t line = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    const bool breaks = line > 0 && line + 1 + word.size() > width;
    if (line > 0) out += breaks ? '\n' : ' ';
    line = breaks || line == 0 ? word.size() : line + 1 + word.size();
    out += word;
    begin = end + 1;
  }
  return out;
}

}  // namespace cli
