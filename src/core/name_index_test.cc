#include "core/name_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace core {
namespace {

struct Named {
  std::string name;
};

TEST(NameIndex, FindsEachByItsName) {
  Named first{"a"};
  Named second{"b"};
  NameIndex<Named> index;
  EXPECT_EQ(index.find("a"), nullptr);
  index.add(first);
  index.add(second);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(index.find("a"), &first);
    EXPECT_EQ(index.find("a"), &first);
    EXPECT_EQ(index.find("b"), &second);
    EXPECT_EQ(index.find("c"), nullptr);
  }
}

TEST(NameIndex, WhatWasFoundLastIsNotRememberedOnceItIsRemoved) {
  NameIndex<Named> index;
  auto gone = std::make_unique<Named>("a");
  index.add(*gone);
  ASSERT_EQ(index.find("a"), gone.get());
  index.remove(*gone);
  gone.reset();
  EXPECT_EQ(index.find("a"), nullptr);
  Named again{"a"};
  index.add(again);
  EXPECT_EQ(index.find("a"), &again);
}

}  // namespace
}  // namespace core
