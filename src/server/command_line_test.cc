#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "server/options.h"
#include "server/test_process.h"
#include "server/version.h"
#include "store/temp_directory.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Said {
  int code = 0;
  std::string output;
  std::string errors;
};

Said dray(const std::vector<std::string>& arguments) {
  TestProcess process(arguments);
  const int code = process.wait();
  return {code, process.output(), process.errors()};
}

TEST(CommandLine, TellsItsVersion) {
  EXPECT_EQ(dray({"version"}).output, "dray " + std::string(kVersion) + "\n");
  const Said said = dray({"--version"});
  EXPECT_EQ(said.code, kExitOk);
  EXPECT_THAT(said.output, HasSubstr(kVersion));
}

TEST(CommandLine, HelpNamesWhatThereIs) {
  const Said all = dray({"--help"});
  EXPECT_EQ(all.code, kExitOk);
  for (const char* word : {"serve", "version"}) EXPECT_THAT(all.output, HasSubstr(word));
  const Said serve = dray({"serve", "--help"});
  EXPECT_EQ(serve.code, kExitOk);
  EXPECT_EQ(serve.errors, "");
  for (const char* word :
       {"--data", "--resp IP:PORT", "127.0.0.1:3729", "--http IP:PORT", "127.0.0.1:3730",
        "--token-file", "--journal-budget", "--allow-volatile"}) {
    EXPECT_THAT(serve.output, HasSubstr(word));
  }
}

TEST(CommandLine, WhatIsWrongIsNamed) {
  store::TempDirectory directory;
  const std::pair<std::vector<std::string>, const char*> faults[] = {
      {{}, "subcommand"},
      {{"nosuch"}, "nosuch"},
      {{"serve"}, "--data"},
      {{"serve", "--data"}, "--data"},
      {{"serve", "--data", directory.path(), "--nosuch"}, "--nosuch"},
      {{"serve", "--data", directory.path(), "--resp", "3729"}, "--resp"},
      {{"serve", "--data", directory.path(), "--resp", ":3729"}, "--resp"},
      {{"serve", "--data", directory.path(), "--resp", "127.0.0.1:"}, "--resp"},
      {{"serve", "--data", directory.path(), "--resp", "127.0.0.1:65536"}, "--resp"},
      {{"serve", "--data", directory.path(), "--resp", "127.0.0.1:-1"}, "--resp"},
      {{"serve", "--data", directory.path(), "--http", "127.0.0.1:x"}, "--http"},
      {{"serve", "--data", directory.path(), "--journal", "tape"}, "--journal"},
      {{"serve", "--data", directory.path(), "--journal-budget", "lots"}, "--journal-budget"}};
  for (const auto& [arguments, word] : faults) {
    const Said said = dray(arguments);
    EXPECT_EQ(said.code, kExitUsage) << said.errors;
    EXPECT_THAT(said.output + said.errors, HasSubstr(word));
  }
}

TEST(CommandLine, ConfigTellsOfTheSettings) {
  const Said file = dray({"config", "print-default"});
  EXPECT_EQ(file.code, kExitOk);
  EXPECT_THAT(file.output, HasSubstr("[journal]\n"));
  EXPECT_THAT(file.output, HasSubstr("#budget = \"4GiB\"\n"));
  const Said key = dray({"config", "explain", "journal.budget"});
  EXPECT_EQ(key.code, kExitOk);
  EXPECT_THAT(key.output, HasSubstr("DRAY_JOURNAL__BUDGET"));
  EXPECT_EQ(dray({"config", "explain", "journal-budget"}).output, key.output);
  const Said none = dray({"config", "explain", "journal.buget"});
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.errors, HasSubstr("did you mean journal.budget?"));
}

TEST(CommandLine, ConfigCheckReadsAFileAsTheServerWould) {
  store::TempDirectory directory;
  const std::string path = directory.path() + "/dray.toml";
  std::ofstream(path) << "[log]\nlevel = \"debug\"\n";
  const Said good = dray({"config", "check", path});
  EXPECT_EQ(good.code, kExitOk) << good.errors;
  EXPECT_THAT(good.output, HasSubstr("log.level"));
  EXPECT_THAT(good.output, HasSubstr(path + ":2"));
  std::ofstream(path) << "[log]\nlevle = \"debug\"\n";
  const Said bad = dray({"config", "check", path});
  EXPECT_EQ(bad.code, kExitUsage);
  EXPECT_THAT(bad.errors, HasSubstr(path + ":2: there is no setting log.levle (did you mean "
                                           "log.level?)"));
}

TEST(CommandLine, AnAddressThatIsNoneIsNotTaken) {
  store::TempDirectory directory;
  for (const char* host : {"example.invalid:1", "300.0.0.1:1"}) {
    const Said said =
        dray({"serve", "--data", directory.path() + "/d", "--allow-volatile", "--resp", host});
    EXPECT_EQ(said.code, kExitUsage);
    EXPECT_THAT(said.errors, HasSubstr("is not an IP address"));
  }
}

}  // namespace
}  // namespace server
