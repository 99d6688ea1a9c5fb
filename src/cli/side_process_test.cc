#include "cli/side_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace cli {
namespace {

TEST(SideProcess, AFunctionRunsBesideThisOneAndItsResultComesBack) {
  const pid_t here = getpid();
  auto process = SideProcess::run_function([] { return std::to_string(getpid()); });
  ASSERT_TRUE(process.has_value());
  const std::string there = process->output();
  EXPECT_FALSE(there.empty());
  EXPECT_NE(there, std::to_string(here));
}

TEST(SideProcess, AProgramIsReadLineByLine) {
  auto process = SideProcess::run_program({"/bin/sh", "-c", "echo one; echo two; printf three"});
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(process->read_line(), "one");
  EXPECT_EQ(process->read_line(), "two");
  EXPECT_EQ(process->output(), "three");
}

TEST(SideProcess, AProgramThatIsNotThereSaysNothing) {
  auto process = SideProcess::run_program({"/nothing/here"});
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(process->read_line(), "");
}

TEST(SideProcess, ItsOwnersEndIsItsEnd) {
  pid_t id = 0;
  {
    auto process = SideProcess::run_program({"/bin/sh", "-c", "echo $$; exec tail -f /dev/null"});
    ASSERT_TRUE(process.has_value());
    id = std::stoi(process->read_line());
    EXPECT_EQ(kill(id, 0), 0);
  }
  EXPECT_NE(kill(id, 0), 0) << "it goes on without its owner";
}

}  // namespace
}  // namespace cli
