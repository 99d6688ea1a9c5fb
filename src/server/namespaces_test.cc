#include "server/namespaces.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Namespaces, TheDefaultOneIsAlwaysThereAndFirst) {
  EXPECT_THAT(parse_namespaces("").value(), ElementsAre("default"));
  EXPECT_THAT(parse_namespaces("shop  billing shop default").value(),
              ElementsAre("default", "shop", "billing"));
}

TEST(Namespaces, WhatIsNoNameIsRefused) {
  const auto refused = parse_namespaces("shop ../etc");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kBadReq);
  EXPECT_THAT(refused.error().message, HasSubstr("server.namespaces"));
}

TEST(Namespaces, ThereIsABoundOfThem) {
  std::string text;
  for (size_t i = 1; i < kNamespacesMax; ++i) text += "n" + std::to_string(i) + " ";
  EXPECT_EQ(parse_namespaces(text).value().size(), kNamespacesMax);
  EXPECT_THAT(parse_namespaces(text + "more").error().message, HasSubstr("limit=16"));
}

TEST(Namespaces, OnlyTheDefaultOneLiesInTheDataDirectoryItself) {
  EXPECT_EQ(namespace_directory("/data", "default"), "/data");
  EXPECT_EQ(namespace_directory("/data", "shop"), "/data/namespaces/shop");
}

TEST(Namespaces, DirectoriesThatNoSettingNamesAreFound) {
  std::string data = testing::TempDir() + "/namespaces-XXXXXX";
  ASSERT_NE(::mkdtemp(data.data()), nullptr);
  store::FileSystem files(store::kernel_calls());
  EXPECT_THAT(namespaces_left_out(files, data, {"default"}), ElementsAre());
  for (const char* const name : {"shop", "billing", ".aside"}) {
    std::filesystem::create_directories(data + "/namespaces/" + name);
  }
  EXPECT_THAT(namespaces_left_out(files, data, {"default", "shop"}), ElementsAre("billing"));
  std::filesystem::remove_all(data);
}

}  // namespace
}  // namespace server
