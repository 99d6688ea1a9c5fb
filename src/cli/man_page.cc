#include "cli/man_page.h"

#include <fmt/format.h>

#include "cli/command_tree.h"

namespace cli {
namespace {

// As troff reads text: no dash is a hyphen, and no line begins with its own marks.
std::string troff_text(std::string_view text) {
  std::string out;
  bool begins = true;
  for (const char c : text) {
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '-') {
      out += "\\-";
    } else if (c == '\\') {
      out += "\\e";
    } else {
      out += c;
    }
    begins = c == '\n';
  }
  return out;
}

std::string synopsis(const CLI::App& command) {
  std::string words = path_of(command);
  if (!subcommands_of(command).empty()) return words + " COMMAND";
  if (!visible_options(command).empty()) words += " [OPTIONS]";
  const auto places =
      command.get_options([](const CLI::Option* option) { return option->get_positional(); });
  for (const CLI::Option* option : places) {
    const bool is_list = option->get_items_expected_max() > 1;
    const std::string word = option->get_name(true, false) + (is_list ? "…" : "");
    words += option->get_required() ? " " + word : " [" + word + "]";
  }
  return words;
}

std::string options_text(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : visible_options(command)) {
    std::string names = option->get_name(false, true);
    const std::string type = option->get_type_name();
    if (option->get_items_expected_max() > 0 && !type.empty()) names += " " + type;
    out +=
        fmt::format(".TP\n.B {}\n{}\n", troff_text(names), troff_text(option->get_description()));
  }
  return out;
}

}  // namespace

std::string man_page(const CLI::App& app, const std::string& version) {
  std::string out = fmt::format(
      ".TH DRAY 1 \"\" \"dray {}\" \"User Commands\"\n"
      ".SH NAME\ndray \\- {}\n"
      ".SH SYNOPSIS\n.B dray\nCOMMAND [OPTIONS]\n.SH COMMANDS\n",
      version, troff_text(app.get_description()));
  for (const CLI::App* command : all_commands(app)) {
    if (command->get_parent() == nullptr) continue;
    out += fmt::format(".SS {}\n{}\n", troff_text(synopsis(*command)),
                       troff_text(command->get_description()));
    out += options_text(*command);
    const std::string footer = command->get_footer();
    if (!footer.empty()) out += fmt::format(".PP\n.nf\n{}\n.fi\n", troff_text(footer));
  }
  out +=
      ".SH EXIT STATUS\n"
      ".TP\n0\ndone\n.TP\n1\nfailed\n.TP\n2\nnot given rightly\n.TP\n3\nnot found\n"
      ".TP\n4\ndone in part\n.TP\n5\nno server answered\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B DRAY_URL\nthe server, as \\-\\-url\n"
      ".TP\n.B DRAY_PROFILE\nthe server by its name, as \\-\\-profile\n"
      ".TP\n.B DRAY_TLS_CA, DRAY_TLS_CERT, DRAY_TLS_KEY, DRAY_TLS_NAME\n"
      "certificates for a server with TLS, as \\-\\-tls\\-ca and so on\n"
      ".TP\n.B NO_COLOR\nno colour, when it is not empty\n"
      ".TP\n.B DRAY_SECTION__KEY\na setting of dray serve; see dray config explain\n"
      ".SH FILES\n"
      ".TP\n.I /etc/dray/dray.toml\nsettings of dray serve\n"
      ".TP\n.I ~/.config/dray/config.toml\nprofiles: url, token_file and tls_… in "
      "[profiles.NAME]\n";
  return out;
}

}  // namespace cli
