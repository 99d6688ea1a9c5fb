#include "base/assert.h"

#include <gtest/gtest.h>

#include "base/time.h"

namespace base {
namespace {

TEST(Assert, PassesWhatHolds) {
  int evaluated = 0;
  ASSERT(++evaluated == 1);
  ASSERT(++evaluated == 2, "evaluated {}", evaluated);
  EXPECT_EQ(evaluated, 2);  // Evaluated once each, in every build.
}

TEST(AssertDeathTest, PrintsExpressionAndPlace) {
  const int used = 7;
  EXPECT_DEATH(ASSERT(used == 8), "assert_test\\.cc:[0-9]+: ASSERT\\(used == 8\\) failed");
}

TEST(AssertDeathTest, PrintsValues) {
  const int used = 7;
  EXPECT_DEATH(ASSERT(used > 8, "used {} at {}", used, EngineTime{12}),
               "ASSERT\\(used > 8\\) failed: used 7 at 12ms");
}

}  // namespace
}  // namespace base
