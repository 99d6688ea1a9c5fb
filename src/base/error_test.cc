#include "base/error.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace base {
namespace {

TEST(Error, EveryCodeHasItsOwnWordAndComesBackFromIt) {
  std::set<std::string_view> seen;
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const auto code = static_cast<ErrorCode>(i);
    const std::string_view word = error_word(code);
    EXPECT_TRUE(seen.insert(word).second) << word << " stands twice";
    EXPECT_EQ(error_code(word), code) << word;
  }
}

TEST(Error, WordsAreWhatClientsMatchOn) {
  EXPECT_EQ(error_word(ErrorCode::kLeaseLost), "LEASELOST");
  EXPECT_EQ(error_word(ErrorCode::kStoreReadOnly), "STOREREADONLY");
  EXPECT_EQ(error_word(ErrorCode::kErr), "ERR");
  EXPECT_EQ(error_word(ErrorCode::kInternal), "INTERNAL");
}

TEST(Error, WordsAreCapitalLettersOnly) {
  for (size_t i = 0; i < kErrorCodeCount; ++i) {
    const std::string_view word = error_word(static_cast<ErrorCode>(i));
    EXPECT_EQ(word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string_view::npos) << word;
  }
}

TEST(Error, UnknownWordsHaveNoCode) {
  EXPECT_EQ(error_code(""), std::nullopt);
  EXPECT_EQ(error_code("leaselost"), std::nullopt);
  EXPECT_EQ(error_code("LEASELOST "), std::nullopt);
  EXPECT_EQ(error_code("READONLY"), std::nullopt);
}

}  // namespace
}  // namespace base
