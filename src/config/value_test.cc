#include "config/value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace config {
namespace {

using ::testing::HasSubstr;

std::string refusal(const Key& key, std::string_view text) {
  const base::Result<Value> value = read_value(key, text);
  return value ? "taken" : value.error().message;
}

TEST(Value, IsReadByItsKind) {
  EXPECT_EQ(read_value({.kind = Kind::kSize}, "2MB")->number, int64_t{2} << 20);
  EXPECT_EQ(read_value({.kind = Kind::kDuration}, "1h30m")->number, 5'400'000);
  EXPECT_EQ(read_value({.kind = Kind::kCount}, "12")->number, 12);
  EXPECT_EQ(read_value({.kind = Kind::kFlag}, "on")->number, 1);
  EXPECT_EQ(read_value({.kind = Kind::kFlag}, "FALSE")->number, 0);
  EXPECT_EQ(read_value({.kind = Kind::kPath}, "/a b")->text, "/a b");
}

TEST(Value, IsRefusedWithWhatIsWanted) {
  EXPECT_THAT(refusal({.kind = Kind::kChoice, .choices = "files null"}, "tape"),
              HasSubstr("files null"));
  EXPECT_THAT(refusal({.kind = Kind::kFlag}, "perhaps"), HasSubstr("neither true nor false"));
  EXPECT_THAT(refusal({.kind = Kind::kCount}, "1x"), HasSubstr("whole number"));
  EXPECT_THAT(refusal({.kind = Kind::kAddress}, "3729"), HasSubstr("HOST:PORT"));
  EXPECT_THAT(refusal({.kind = Kind::kDuration}, "30"), HasSubstr("has no unit"));
}

TEST(Value, KeepsItsBounds) {
  const Key key{.kind = Kind::kDuration, .least = 1'000, .most = 60'000};
  EXPECT_THAT(refusal(key, "10ms"), HasSubstr("at least 1.0s"));
  EXPECT_THAT(refusal(key, "2m"), HasSubstr("at most 1m"));
  EXPECT_EQ(refusal(key, "60s"), "taken");
}

TEST(Value, BareSecondsAreForOldFlagsOnly) {
  EXPECT_EQ(read_value({.kind = Kind::kDuration, .takes_bare_seconds = true}, "30")->number,
            30'000);
  EXPECT_EQ(read_value({.kind = Kind::kDuration, .takes_bare_seconds = true}, "30ms")->number, 30);
}

TEST(Value, EmptyIsNoneWhereThereIsNoDefault) {
  EXPECT_EQ(read_value({.kind = Kind::kPath}, "")->text, "");
  EXPECT_THAT(refusal({.kind = Kind::kSize, .otherwise = "4GiB"}, ""), HasSubstr("is empty"));
}

TEST(Value, TwoSpellingsAreOneValue) {
  const Key key{.kind = Kind::kDuration};
  EXPECT_TRUE(read_value(key, "60s")->is_same(*read_value(key, "1m"), key.kind));
  EXPECT_FALSE(read_value(key, "61s")->is_same(*read_value(key, "1m"), key.kind));
  const Key path{.kind = Kind::kPath};
  EXPECT_FALSE(read_value(path, "/a")->is_same(*read_value(path, "/b"), path.kind));
}

TEST(Value, NamesInTheEnvironmentFollowTheKey) {
  EXPECT_EQ(environment_name({.name = "journal.budget"}), "DRAY_JOURNAL__BUDGET");
  EXPECT_EQ(environment_name({.name = "server.allow_volatile"}), "DRAY_SERVER__ALLOW_VOLATILE");
}

}  // namespace
}  // namespace config
