#include "config/sources.h"

#include <gtest/gtest.h>

namespace config {
namespace {

TEST(Environment, OnlyNamesWithASectionAreSettings) {
  const std::vector<Entry> entries = read_environment({{"DRAY_URL", "dray://h"},
                                                       {"DRAY__X", "no section"},
                                                       {"OTHER_A__B", "not ours"},
                                                       {"DRAY_SERVER__ALLOW_VOLATILE", "true"}});
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].name, "server.allow_volatile");
  EXPECT_EQ(entries[0].text, "true");
  EXPECT_EQ(entries[0].where, "DRAY_SERVER__ALLOW_VOLATILE");
}

TEST(NearestKey, IsOnlyNamedWhenNear) {
  const Key keys[] = {{.name = "server.data"}, {.name = "journal.segment"}};
  EXPECT_EQ(nearest_key(keys, "server.date"), " (did you mean server.data?)");
  EXPECT_EQ(nearest_key(keys, "segment"), " (did you mean journal.segment?)");
  EXPECT_EQ(nearest_key(keys, "x.nothing_like_it"), "");
}

}  // namespace
}  // namespace config
