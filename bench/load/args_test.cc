#include "bench/load/args.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "bench/load/reply.h"

namespace load {
namespace {

TEST(Args, HaveTheExactSizeAndAreOneJsonObject) {
  EXPECT_EQ(make_args(40), R"({"n":"0000000000000000","pad":"xxxxxxx"})");
  for (const size_t bytes : {40U, 41U, 150U, 60'000U}) EXPECT_EQ(make_args(bytes).size(), bytes);
  EXPECT_THROW(make_args(kArgsBytesMin - 1), std::invalid_argument);
}

TEST(Args, CarryAnyMark) {
  std::string args = make_args(150);
  for (const uint64_t mark : {uint64_t{0}, uint64_t{0x123456789abcdef0}, ~uint64_t{0}}) {
    write_mark(mark, args.data() + kMarkOffset);
    EXPECT_EQ(read_mark(args), mark);
  }
}

TEST(Args, ThatCameBackChangedAreRefused) {
  const std::string args = make_args(150);
  EXPECT_THROW(read_mark(args.substr(1)), ProtocolError);
  EXPECT_THROW(read_mark(args.substr(0, 20)), ProtocolError);
  EXPECT_THROW(read_mark(""), ProtocolError);
  std::string broken = args;
  broken[kMarkOffset + 3] = '"';
  EXPECT_THROW(read_mark(broken), ProtocolError);
}

TEST(Args, AreComparedInEveryByteBesideTheMark) {
  const std::string made = make_args(150);
  std::string args = made;
  write_mark(77, args.data() + kMarkOffset);
  EXPECT_EQ(check_args(args, made), 77U);
  EXPECT_THROW(check_args(args + " ", made), ProtocolError);
  EXPECT_THROW(check_args(args.substr(0, 149), made), ProtocolError);
  args[140] = 'y';
  EXPECT_THROW(check_args(args, made), ProtocolError);
}

}  // namespace
}  // namespace load
