#include "core/rights.h"

#include <gtest/gtest.h>

namespace core {
namespace {

constexpr RightSet kWork = set_of(Right::kWork);
constexpr RightSet kRead = set_of(Right::kRead);

TEST(Rights, NothingIsAllowedWithoutAGrant) {
  const Rights none;
  for (size_t i = 0; i < kRightCount; ++i) {
    const RightSet need = set_of(static_cast<Right>(i));
    EXPECT_FALSE(none.allow(need, "q"));
    EXPECT_FALSE(none.allow_some(need));
    EXPECT_FALSE(none.allow_all(need));
  }
}

TEST(Rights, AnExactNameIsThatQueueAlone) {
  Rights rights;
  rights.grant(Right::kWork, "emails", false);
  EXPECT_TRUE(rights.allow(kWork, "emails"));
  EXPECT_FALSE(rights.allow(kWork, "emails2"));
  EXPECT_FALSE(rights.allow(kWork, "email"));
  EXPECT_FALSE(rights.allow(kWork, ""));
  EXPECT_FALSE(rights.allow(kRead, "emails"));
  EXPECT_TRUE(rights.allow_some(kWork));
  EXPECT_FALSE(rights.allow_all(kWork));
}

TEST(Rights, APrefixIsAllThatBeginsSo) {
  Rights rights;
  rights.grant(Right::kWork, "emails", true);
  EXPECT_TRUE(rights.allow(kWork, "emails"));
  EXPECT_TRUE(rights.allow(kWork, "emails:fast"));
  EXPECT_FALSE(rights.allow(kWork, "Emails"));
  EXPECT_FALSE(rights.allow(kWork, "xemails"));
  EXPECT_FALSE(rights.allow_all(kWork));
}

TEST(Rights, AllIsOnlyTheEmptyPrefix) {
  Rights rights;
  rights.grant(Right::kRead, "", true);
  EXPECT_TRUE(rights.allow_all(kRead));
  EXPECT_TRUE(rights.allow(kRead, "anything"));
  EXPECT_FALSE(rights.allow_all(kWork));
}

TEST(Rights, AdminHoldsTheOthersOnItsQueues) {
  Rights rights;
  rights.grant(Right::kAdmin, "emails", false);
  for (size_t i = 0; i < kRightCount; ++i) {
    EXPECT_TRUE(rights.allow(set_of(static_cast<Right>(i)), "emails"));
    EXPECT_FALSE(rights.allow(set_of(static_cast<Right>(i)), "images"));
  }
}

TEST(Rights, OneOfSeveralNeededIsEnough) {
  Rights rights;
  rights.grant(Right::kWork, "q", false);
  EXPECT_TRUE(rights.allow(kWork | kRead, "q"));
  EXPECT_FALSE(rights.allow(kRead, "q"));
}

TEST(Sight, SeesAllWithoutRights) {
  const Sight open;
  EXPECT_TRUE(open.sees("q"));
  EXPECT_TRUE(open.sees_all());
  const Rights none;
  const Sight closed{&none, kRead};
  EXPECT_FALSE(closed.sees("q"));
  EXPECT_FALSE(closed.sees_all());
}

}  // namespace
}  // namespace core
