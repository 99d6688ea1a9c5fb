#include "server/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "store/temp_directory.h"

namespace server {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class AuditLogTest : public testing::Test {
 protected:
  std::string path() const { return directory_.path() + "/audit.log"; }
  static std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  static size_t lines_of(const std::string& path) {
    const std::string text = text_of(path);
    return static_cast<size_t>(std::ranges::count(text, '\n'));
  }
  static AuditEvent event(std::string_view names) {
    return {.what = "QUEUE.PAUSE",
            .token = "k7m2p9x4ab",
            .peer = "127.0.0.1:4000",
            .names = names,
            .outcome = "OK"};
  }

  store::TempDirectory directory_;
  base::ManualClock clock_;
};

TEST_F(AuditLogTest, ALineSaysWhoFromWhereWhatAndWithWhichOutcome) {
  {
    AuditLog log(clock_);
    ASSERT_TRUE(log.open(path()));
    log.note(event("emails"));
  }
  EXPECT_EQ(text_of(path()),
            "{\"ts\":\"2026-01-01T00:00:00.000Z\",\"msg\":\"QUEUE.PAUSE\",\"token\":\"k7m2p9x4ab\","
            "\"peer\":\"127.0.0.1:4000\",\"names\":\"emails\",\"outcome\":\"OK\"}\n");
}

TEST_F(AuditLogTest, ANameCannotBreakALine) {
  {
    AuditLog log(clock_);
    ASSERT_TRUE(log.open(path()));
    log.note(event("a\r\n{\"ts\":\"forged\"}\x1b[2J"));
  }
  EXPECT_EQ(lines_of(path()), 1U);
  EXPECT_THAT(text_of(path()), Not(HasSubstr("\x1b")));
}

TEST_F(AuditLogTest, NothingIsKeptBeforeItIsOpened) {
  AuditLog log(clock_);
  log.note(event("emails"));
  EXPECT_TRUE(log.note_refusal(event("emails")));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(AuditLogTest, ItIsAddedToAndReadableByItsOwnerOnly) {
  std::ofstream(path()) << "before\n";
  ASSERT_EQ(::chmod(path().c_str(), 0644), 0);
  {
    AuditLog log(clock_);
    ASSERT_TRUE(log.open(path()));
    log.note(event("emails"));
  }
  struct stat about = {};
  ASSERT_EQ(::stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600U);
  EXPECT_THAT(text_of(path()), StartsWith("before\n{"));
}

TEST_F(AuditLogTest, TheFileAndTheOneBeforeItAreBounded) {
  constexpr uint64_t kBytesMax = 10'000;
  {
    AuditLog log(clock_);
    ASSERT_TRUE(log.open(path(), kBytesMax));
    for (int i = 0; i < 1'000; ++i) log.note(event("queue-" + std::to_string(i)));
  }
  const std::string older = path() + ".1";
  EXPECT_LE(std::filesystem::file_size(path()), kBytesMax);
  EXPECT_LE(std::filesystem::file_size(older), kBytesMax);
  EXPECT_GT(std::filesystem::file_size(older), kBytesMax / 2);
  EXPECT_THAT(text_of(path()), HasSubstr("\"queue-999\""));
  EXPECT_THAT(text_of(path()), EndsWith("}\n"));
  EXPECT_FALSE(std::filesystem::exists(path() + ".2"));
  // Every line is whole, and they go on from file to file.
  const size_t lines = lines_of(older) + lines_of(path());
  EXPECT_THAT(text_of(older), StartsWith("{"));
  EXPECT_THAT(text_of(older) + text_of(path()),
              HasSubstr("\"queue-" + std::to_string(1'000 - lines) + "\""));
}

TEST_F(AuditLogTest, RefusalsBeyondARateAreCounted) {
  {
    AuditLog log(clock_);
    ASSERT_TRUE(log.open(path()));
    int noted = 0;
    for (int i = 0; i < 1'000; ++i) noted += log.note_refusal(event("emails")) ? 1 : 0;
    EXPECT_EQ(noted, 100);
    log.note(event("done"));  // What was done is noted whatever was refused.
    clock_.advance(base::Duration{2'000});
    EXPECT_TRUE(log.note_refusal(event("emails")));
  }
  EXPECT_EQ(lines_of(path()), 103U);
  EXPECT_THAT(text_of(path()), HasSubstr("\"refusals\":900"));
  EXPECT_THAT(text_of(path()), HasSubstr("\"done\""));
}

TEST_F(AuditLogTest, APlaceThatIsNoFileIsRefused) {
  AuditLog log(clock_);
  const base::Status opened = log.open(directory_.path());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr(directory_.path()));
  const std::string target = directory_.path() + "/elsewhere";
  std::ofstream(target) << "";
  std::filesystem::create_symlink(target, path());
  EXPECT_FALSE(log.open(path()));
}

}  // namespace
}  // namespace server
