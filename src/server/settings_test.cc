#include "server/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <set>

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A file that is not there would be a problem: none is named, and the standard one is not read.
config::Settings settings_of(std::vector<config::Entry> flags) {
  return config::Settings::read(
      serve_keys(), {.file = "/dev/null", .environment = {}, .flags = std::move(flags)});
}

TEST(ServeSettings, DefaultsAreWhatAServerStartsWith) {
  const config::Settings settings = settings_of({});
  EXPECT_THAT(settings.problems(), IsEmpty());
  const ServeOptions options = serve_options(settings);
  EXPECT_EQ(options.data, "");
  EXPECT_EQ(options.resp, (Address{"127.0.0.1", 3729}));
  EXPECT_EQ(options.http, (Address{"127.0.0.1", 3730}));
  EXPECT_EQ(options.journal, "files");
  EXPECT_EQ(options.journal_budget_bytes, uint64_t{4} << 30);
  EXPECT_EQ(options.journal_segment_bytes, 0U);
  EXPECT_EQ(options.audit_seconds, 3'600);
  EXPECT_FALSE(options.allow_volatile);
  EXPECT_EQ(options.log_level, base::LogLevel::kInfo);
}

TEST(ServeSettings, EachValueGoesToItsPlace) {
  const ServeOptions options = serve_options(settings_of({{"server.data", "/d", "--data"},
                                                          {"server.resp", "[::1]:1", "--resp"},
                                                          {"server.http", "localhost:2", "--http"},
                                                          {"server.allow_volatile", "true", ""},
                                                          {"server.audit_every", "90", ""},
                                                          {"auth.token_file", "/t", ""},
                                                          {"journal.kind", "null", ""},
                                                          {"journal.budget", "1MiB", ""},
                                                          {"journal.segment", "16KiB", ""},
                                                          {"log.level", "warning", ""},
                                                          {"log.format", "json", ""}}));
  EXPECT_EQ(options.data, "/d");
  EXPECT_EQ(options.resp, (Address{"::1", 1}));
  EXPECT_EQ(options.http, (Address{"127.0.0.1", 2}));
  EXPECT_TRUE(options.allow_volatile);
  EXPECT_EQ(options.audit_seconds, 90);
  EXPECT_EQ(options.token_file, "/t");
  EXPECT_EQ(options.journal, "null");
  EXPECT_EQ(options.journal_budget_bytes, uint64_t{1} << 20);
  EXPECT_EQ(options.journal_segment_bytes, uint64_t{16} << 10);
  EXPECT_EQ(options.log_level, base::LogLevel::kWarning);
  EXPECT_EQ(options.log_format, base::LogFormat::kJson);
}

TEST(ServeSettings, EachKeyHasAUsableNameFlagAndDoc) {
  std::set<std::string_view> names;
  std::set<std::string_view> flags;
  for (const config::Key& key : serve_keys()) {
    EXPECT_TRUE(names.insert(key.name).second) << key.name;
    EXPECT_TRUE(flags.insert(key.flag).second) << key.flag;
    EXPECT_EQ(std::ranges::count(key.name, '.'), 1) << key.name;
    EXPECT_THAT(std::string(key.flag), StartsWith("--"));
    EXPECT_TRUE(key.doc.ends_with('.')) << key.doc;
  }
}

// The table for people is written by hand; this is what keeps it whole.
TEST(ServeSettings, EachKeyIsInTheDocumentForOperators) {
  std::ifstream file("docs/operating.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  for (const config::Key& key : serve_keys()) {
    EXPECT_THAT(text, HasSubstr("| `" + std::string(key.name) + "` | `" + std::string(key.flag)));
  }
}

}  // namespace
}  // namespace server
