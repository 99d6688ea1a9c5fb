#include "core/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace core {
namespace {

bool fits(std::string_view pattern, std::string_view text) {
  size_t steps = 0;
  return glob_matches(pattern, text, steps);
}

TEST(Glob, FitsAsRedisDoes) {
  struct Case {
    std::string_view pattern;
    std::string_view text;
    bool fits;
  };
  constexpr Case kCases[] = {
      {"", "", true},
      {"", "a", false},
      {"*", "", true},
      {"**", "abc", true},
      {"a", "a", true},
      {"a", "ab", false},
      {"h?llo", "hello", true},
      {"h?llo", "hllo", false},
      {"h*llo", "hllo", true},
      {"h*llo", "heeeello", true},
      {"h*llo", "heeeell", false},
      {"*a*b*", "xxayybz", true},
      {"*a*b", "abab", true},
      {"*ab", "aab", true},
      {"h[ae]llo", "hallo", true},
      {"h[ae]llo", "hillo", false},
      {"h[^e]llo", "hallo", true},
      {"h[^e]llo", "hello", false},
      {"h[a-b]llo", "hbllo", true},
      {"h[b-a]llo", "hallo", true},
      {"h[a-b]llo", "hcllo", false},
      {"[a-]", "-", false},
      {"[a-]", "^", true},
      {"[]a", "a", false},
      {"[^]", "x", true},
      {"[\\]]", "]", true},
      {"a[bc", "ac", true},
      {"a[bc", "a", false},
      {"[", "[", false},
      {"\\*", "*", true},
      {"\\*", "a", false},
      {"a\\", "a\\", true},
      {"*\\", "ab\\", true},
      {"[\x80-\xff]", "\xfe", true},
  };
  for (const auto& [pattern, text, expected] : kCases) {
    EXPECT_EQ(fits(pattern, text), expected) << pattern << " " << text;
  }
}

TEST(Glob, WorstPatternsTakeNoMoreStepsThanTheProductOfTheLengths) {
  constexpr size_t kBytes = 512;
  const std::string text(kBytes, 'a');
  std::string stars;
  while (stars.size() + 2 < kBytes) stars += "*a";
  for (const std::string& pattern : {stars + "b", "*" + std::string(kBytes - 2, 'a') + "b",
                                     "*[" + std::string(kBytes - 3, 'b')}) {
    size_t steps = 0;
    EXPECT_FALSE(glob_matches(pattern, text, steps));
    EXPECT_GT(steps, kBytes);
    EXPECT_LE(steps, kBytes * kBytes);
  }
}

}  // namespace
}  // namespace core
