#include "bench/load/beanstalk_scanner.h"

#include <gtest/gtest.h>

#include <string>

#include "bench/load/reply.h"

namespace load {
namespace {

TEST(BeanstalkScanner, ReadsWordIdAndBody) {
  const std::string_view input = "RESERVED 17 6\r\na\r\nb\r\n\r\nDELETED\r\n";
  BeanstalkReply reply;
  const size_t bytes = scan_beanstalk(input, reply);
  EXPECT_EQ(bytes, input.size() - 9);
  EXPECT_EQ(reply.word, "RESERVED");
  EXPECT_EQ(reply.id, "17");
  EXPECT_EQ(reply.body, "a\r\nb\r\n");
  EXPECT_EQ(scan_beanstalk(input.substr(bytes), reply), 9U);
  EXPECT_EQ(reply.word, "DELETED");
  EXPECT_EQ(reply.id, "");
  EXPECT_EQ(reply.body, "");
}

TEST(BeanstalkScanner, TakesNothingOfAPartOfAReply) {
  for (const std::string_view input :
       {"INSERTED 1\r\n", "RESERVED 17 4\r\nabcd\r\n", "RESERVED 1 0\r\n\r\n", "DELETED\r\n"}) {
    BeanstalkReply reply;
    for (size_t size = 0; size < input.size(); ++size) {
      EXPECT_EQ(scan_beanstalk(input.substr(0, size), reply), 0U) << input << size;
    }
    EXPECT_EQ(scan_beanstalk(input, reply), input.size());
  }
}

TEST(BeanstalkScanner, RefusesMalformedBytes) {
  const std::string endless(600, 'x');
  for (const std::string_view input :
       {std::string_view("DELETED\n"), std::string_view("\n"), std::string_view("\r\n"),
        std::string_view("RESERVED 1 x\r\n"), std::string_view("RESERVED 1\r\n"),
        std::string_view("RESERVED 1 -1\r\n"), std::string_view("RESERVED 1 2\r\nabcd"),
        std::string_view("RESERVED 1 99999999999\r\n"), std::string_view(endless)}) {
    BeanstalkReply reply;
    EXPECT_THROW(scan_beanstalk(input, reply), ProtocolError) << input;
  }
}

}  // namespace
}  // namespace load
