#include "cli/help_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Wrapped, LinesBreakAtSpacesAlone) {
  EXPECT_EQ(wrapped("one two three", 7), "one two\nthree");
  EXPECT_EQ(wrapped("one two three", 13), "one two three");
  EXPECT_EQ(wrapped("incomprehensible it is", 5), "incomprehensible\nit is");
  EXPECT_EQ(wrapped("", 5), "");
}

TEST(HelpStyle, OptionsAreShownWithoutWhatTheyExclude) {
  CLI::App app("a program", "dray");
  style_help(app);
  CLI::App* push = app.add_subcommand("push", "push a job");
  std::string text;
  std::vector<std::string> list;
  CLI::Option* at = push->add_option("--at", text, "when")->type_name("TIME");
  push->add_option("--delay", text, "how long")->excludes(at);
  push->add_option("job", list, "ids")->required();
  app.add_subcommand("ls", "list jobs");
  group_commands(app, "Jobs", {"push", "ls"});
  const std::string help = push->help("dray");
  EXPECT_THAT(help, HasSubstr("--at TIME "));
  EXPECT_THAT(help, HasSubstr("job TEXT ... (required)"));
  EXPECT_THAT(help, Not(HasSubstr("Excludes")));
  EXPECT_THAT(app.help(), HasSubstr("\nJobs:\n  push "));
}

}  // namespace
}  // namespace cli
