#include "auth/job_namespace.h"

#include <gtest/gtest.h>

#include <string>

namespace auth {
namespace {

TEST(JobNamespace, NamesAreThoseOfQueuesAndOfDirectories) {
  EXPECT_TRUE(check_namespace("default"));
  EXPECT_TRUE(check_namespace("Shop_2:eu-west.1"));
  EXPECT_TRUE(check_namespace(std::string(kNamespaceBytesMax, 'n')));
  for (const std::string name : {"", "..", ".hidden", "a/b", "a b", "*", "0", "caf\xc3\xa9"}) {
    EXPECT_FALSE(check_namespace(name)) << name;
  }
  EXPECT_FALSE(check_namespace(std::string(kNamespaceBytesMax + 1, 'n')));
}

}  // namespace
}  // namespace auth
