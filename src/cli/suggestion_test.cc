#include "cli/suggestion.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace cli {
namespace {

TEST(Nearest, FindsSlipsAndNothingElse) {
  const std::vector<std::string> verbs = {"push", "pause", "status", "ls", "completion"};
  EXPECT_EQ(nearest(verbs, "psuh"), "push");
  EXPECT_EQ(nearest(verbs, "stauts"), "status");
  EXPECT_EQ(nearest(verbs, "lss"), "ls");
  EXPECT_EQ(nearest(verbs, "comp"), "completion") << "a beginning is near";
  EXPECT_EQ(nearest(verbs, "kangaroo"), "");
  EXPECT_EQ(nearest({}, "push"), "");
}

class SuggestionTest : public testing::Test {
 protected:
  SuggestionTest() : app_("", "dray") {
    app_.require_subcommand(1);
    CLI::App* push = app_.add_subcommand("push");
    push->add_option("queue");
    push->add_option("--priority", priority_);
    CLI::App* queue = app_.add_subcommand("queue");
    queue->require_subcommand(1);
    queue->add_subcommand("pause");
  }
  void parse(std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());
    EXPECT_THROW(app_.parse(words), CLI::ParseError);
  }

  CLI::App app_;
  int priority_ = 0;
};

TEST_F(SuggestionTest, AnOptionThatThereIsNot) {
  parse({"push", "q", "--prioriy=3"});
  EXPECT_EQ(suggestion(app_), "--priority");
  EXPECT_EQ(unknown_verb(app_), "");
  EXPECT_EQ(&deepest_parsed(app_), app_.get_subcommand("push"));
}

TEST_F(SuggestionTest, AVerbThatThereIsNot) {
  parse({"pusch"});
  EXPECT_EQ(suggestion(app_), "push");
  EXPECT_EQ(unknown_verb(app_), "pusch");
}

TEST_F(SuggestionTest, AVerbBelowAnother) {
  parse({"queue", "puase"});
  EXPECT_EQ(suggestion(app_), "pause");
  EXPECT_EQ(unknown_verb(app_), "puase");
  EXPECT_EQ(&deepest_parsed(app_), app_.get_subcommand("queue"));
}

TEST_F(SuggestionTest, NothingToSuggestIsEmpty) {
  parse({"wholly-else", "--hepl"});
  EXPECT_EQ(suggestion(app_), "");
}

}  // namespace
}  // namespace cli
