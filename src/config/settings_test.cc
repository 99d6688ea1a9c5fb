#include "config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/manual.h"

namespace config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Key kKeys[] = {
    {.name = "server.data", .flag = "--data", .kind = Kind::kPath, .doc = "The data directory."},
    {.name = "journal.budget",
     .flag = "--journal-budget",
     .kind = Kind::kSize,
     .otherwise = "4GiB",
     .doc = "What the journal may take."},
    {.name = "log.level",
     .flag = "--log-level",
     .kind = Kind::kChoice,
     .otherwise = "info",
     .doc = "What is logged.",
     .is_reloadable = true,
     .choices = "debug info"},
};

class SettingsTest : public testing::Test {
 protected:
  SettingsTest() {
    std::string name = std::filesystem::temp_directory_path() / "dray-config-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(folder_ / "conf.d");
  }
  ~SettingsTest() override { std::filesystem::remove_all(folder_); }
  SettingsTest(const SettingsTest&) = delete;
  SettingsTest& operator=(const SettingsTest&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
  }
  std::string path(const std::string& name) const { return folder_ / name; }

  Settings read(Environment environment = {}, std::vector<Entry> flags = {}) const {
    return Settings::read(kKeys, {.file = path("dray.toml"),
                                  .environment = std::move(environment),
                                  .flags = std::move(flags)});
  }

 private:
  std::filesystem::path folder_;
};

TEST_F(SettingsTest, EachSourceIsOverTheOneBefore) {
  write("dray.toml", "[server]\ndata = \"/file\"\n[journal]\nbudget = \"1GiB\"\n");
  EXPECT_EQ(read().value("server.data").text, "/file");
  EXPECT_EQ(read().value("log.level").text, "info");
  write("conf.d/20.toml", "server.data = \"/twenty\"\n");
  write("conf.d/10.toml", "server.data = \"/ten\"\n");
  write("conf.d/30.txt", "this is no toml");
  EXPECT_EQ(read().value("server.data").text, "/twenty");
  EXPECT_EQ(read().value("journal.budget").number, int64_t{1} << 30);
  const Environment environment = {{"DRAY_SERVER__DATA", "/environment"}, {"DRAY_URL", "x"}};
  EXPECT_EQ(read(environment).value("server.data").text, "/environment");
  const Settings all = read(environment, {{"server.data", "/flag", "--data"}});
  EXPECT_EQ(all.value("server.data").text, "/flag");
  EXPECT_EQ(all.all().front().where, "--data");
  EXPECT_THAT(all.problems(), IsEmpty());
  EXPECT_THAT(all.files(),
              ElementsAre(path("dray.toml"), path("conf.d/10.toml"), path("conf.d/20.toml")));
}

TEST_F(SettingsTest, NumbersAndTruthValuesMayBeBare) {
  write("dray.toml", "journal.budget = 65536\n");
  EXPECT_EQ(read().value("journal.budget").number, 65'536);
}

TEST_F(SettingsTest, AnUnknownKeyIsNamedWithItsPlaceAndTheNearest) {
  write("dray.toml", "[journal]\n\nbuget = \"1GiB\"\n[log]\nbudget = 1\nwholly_else = 1\n");
  EXPECT_THAT(
      read().problems(),
      ElementsAre(
          path("dray.toml") +
              ":3: there is no setting journal.buget (did you mean journal.budget?)",
          path("dray.toml") + ":5: there is no setting log.budget (did you mean journal.budget?)",
          path("dray.toml") + ":6: there is no setting log.wholly_else"));
  write("dray.toml", "");
  EXPECT_THAT(read({{"DRAY_LOG__LEVLE", "info"}}).problems(),
              ElementsAre("DRAY_LOG__LEVLE: there is no setting log.levle (did you mean "
                          "log.level?)"));
}

TEST_F(SettingsTest, AWrongValueIsNamedWithItsPlace) {
  write("dray.toml", "[log]\nlevel = \"loud\"\n");
  const Settings settings =
      read({{"DRAY_JOURNAL__BUDGET", "lots"}}, {{"journal.budget", "more", "--journal-budget"}});
  ASSERT_EQ(settings.problems().size(), 3U);
  EXPECT_THAT(settings.problems()[0],
              HasSubstr("dray.toml:2: log.level: 'loud' is none of: debug info"));
  EXPECT_THAT(settings.problems()[1], HasSubstr("DRAY_JOURNAL__BUDGET: journal.budget: 'lots'"));
  EXPECT_THAT(settings.problems()[2], HasSubstr("--journal-budget: 'more' is no size"));
  EXPECT_EQ(settings.value("log.level").text, "info");
}

TEST_F(SettingsTest, BrokenTomlIsNamedWithLineAndColumn) {
  write("dray.toml", "[server]\ndata = \n");
  ASSERT_EQ(read().problems().size(), 1U);
  EXPECT_THAT(read().problems()[0], HasSubstr("dray.toml:2, column 8: "));
  write("dray.toml", "[server]\ndata = [1, 2]\n");
  EXPECT_THAT(read().problems()[0], HasSubstr("dray.toml:2: server.data must be a text"));
}

TEST_F(SettingsTest, AFileThatIsNamedMustBeThere) {
  EXPECT_THAT(read().problems(), ElementsAre("there is no file " + path("dray.toml")));
}

TEST_F(SettingsTest, AChangeIsFoundAndReloadablesAreAdopted) {
  write("dray.toml", "log.level = \"info\"\njournal.budget = \"1GiB\"\n");
  Settings before = read();
  write("dray.toml", "log.level = \"debug\"\njournal.budget = \"1024MiB\"\nserver.data = \"/x\"\n");
  const Settings now = before.read_again();
  const std::vector<Change> changes = before.changes_to(now);
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].key->name, "server.data");
  EXPECT_EQ(changes[1].key->name, "log.level");
  EXPECT_EQ(changes[1].before, "info");
  EXPECT_EQ(changes[1].now, "debug");
  before.adopt_reloadable(now);
  ASSERT_EQ(before.changes_to(now).size(), 1U) << "what needs a restart is still a change";
}

TEST_F(SettingsTest, ThePrintedDefaultsAreReadBackAsDefaults) {
  const std::string text = default_file(kKeys);
  std::string bare;
  for (size_t i = 0; i < text.size(); ++i) {
    // A default is "#key = …"; a remark is "# Words".
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (!(begins && text[i] == '#' && text[i + 1] != ' ')) bare += text[i];
  }
  write("dray.toml", bare);
  const Settings settings = read();
  EXPECT_THAT(settings.problems(), IsEmpty());
  for (const Setting& setting : settings.all()) {
    EXPECT_EQ(setting.value.text, setting.key->otherwise);
    EXPECT_THAT(setting.where, HasSubstr("dray.toml:")) << "not in the printed file";
    EXPECT_THAT(text, HasSubstr(std::string(setting.key->doc)));
  }
}

TEST_F(SettingsTest, WhatAnExplanationPrintsIsTomlWhateverIsInIt) {
  const std::string odd = "/a \"quoted\" \\ path\n\x7f/ü";
  const std::string text = explanation(read({{"DRAY_SERVER__DATA", odd}}).all()[0]);
  const size_t line = text.find("[server] data");
  ASSERT_NE(line, std::string::npos);
  const auto entries =
      parse_toml("[server]\n" + text.substr(line + 9, text.find('\n', line) - line - 9), "printed");
  ASSERT_TRUE(entries.has_value()) << entries.error().message;
  EXPECT_EQ(entries->front().text, odd);
}

TEST_F(SettingsTest, AFileThatCannotBeLookedAtIsNotTakenForAbsent) {
  // Also root, whom no mode keeps out, cannot follow it.
  std::filesystem::create_symlink("dray.toml", path("dray.toml"));
  EXPECT_THAT(read().problems(), ElementsAre(HasSubstr(path("dray.toml") + " cannot be read")));
}

TEST_F(SettingsTest, AnExplanationHasAllThreeNamesAndWhoSaysSo) {
  write("dray.toml", "\nlog.level = \"debug\"\n");
  const std::string text = explanation(read().all()[2]);
  for (const char* part : {"What is logged.", "debug|info", "[log] level", "DRAY_LOG__LEVEL",
                           "--log-level", "SIGHUP changes it", "dray.toml:2"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
}

}  // namespace
}  // namespace config
