#include "server/output.h"

#include <gtest/gtest.h>

namespace server {
namespace {

using protocol::RespVersion;

core::Reply bulk(std::string_view text) {
  core::Reply reply;
  reply.bulk(text);
  return reply;
}

Grants grants(uint64_t id) {
  return {{core::JobId{id}, core::LeaseToken{}}};
}

std::vector<uint64_t> ids(const Grants& grants) {
  std::vector<uint64_t> ids;
  for (const auto& grant : grants) ids.push_back(grant.first.value);
  return ids;
}

TEST(Output, HandsOutWhatIsNotTakenYet) {
  Output output;
  EXPECT_TRUE(output.empty());
  output.add(bulk("ab"), RespVersion::kResp2, false, {});
  output.taken(3);
  EXPECT_EQ(output.pending(), "\nab\r\n");
  output.add(bulk("c"), RespVersion::kResp2, false, {});
  EXPECT_EQ(output.pending(), "\nab\r\n$1\r\nc\r\n");
  EXPECT_EQ(output.size(), 12u);
  output.taken(12);
  EXPECT_TRUE(output.empty());
  EXPECT_EQ(output.pending(), "");
}

TEST(Output, ALeaseIsGivenWithTheLastByteOfItsReply) {
  const std::string_view wire = "$2\r\nab\r\n";
  for (size_t taken = 0; taken <= 2 * wire.size(); ++taken) {
    Output output;
    output.add(bulk("ab"), RespVersion::kResp2, false, grants(1));
    output.add(bulk("cd"), RespVersion::kResp2, false, grants(2));
    for (size_t i = 0; i < taken; ++i) output.taken(1);
    std::vector<uint64_t> ungot;
    if (taken < wire.size()) ungot.push_back(1);
    if (taken < 2 * wire.size()) ungot.push_back(2);
    EXPECT_EQ(ids(output.take_ungot()), ungot) << taken;
    EXPECT_TRUE(output.take_ungot().empty());
  }
}

TEST(Output, KeepsCountWhileItMakesRoom) {
  Output output;
  const std::string large(size_t{3} << 20, 'x');
  constexpr size_t kPiece = 100'000;
  std::string sent;
  for (uint64_t id = 1; id <= 3; ++id)
    output.add(bulk(large), RespVersion::kResp2, false, grants(id));
  const size_t one = output.size() / 3;
  while (sent.size() < one * 2) {
    const std::string_view pending = output.pending();
    sent.append(pending.substr(0, kPiece));
    output.taken(std::min(kPiece, pending.size()));
  }
  EXPECT_EQ(sent.substr(one, 10), "$3145728\r\n");
  EXPECT_EQ(output.size(), 3 * one - sent.size());
  EXPECT_EQ(ids(output.take_ungot()), std::vector<uint64_t>{3});
}

TEST(Output, HoldsNoMoreThanItHasToSend) {
  Output output;
  const std::string large(size_t{1} << 20, 'x');
  for (size_t replies = 0; replies < 8; ++replies) {
    output.add(bulk(large), RespVersion::kResp2, false, {});
    EXPECT_LT(output.memory_bytes(), output.size() + 100) << replies;
    output.taken(output.size() / 3);
  }
}

TEST(Output, TextForPeopleIsVerbatimInResp3) {
  Output output;
  output.add(bulk("hi"), RespVersion::kResp2, true, {});
  output.add(bulk("hi"), RespVersion::kResp3, true, {});
  EXPECT_EQ(output.pending(), "$2\r\nhi\r\n=6\r\ntxt:hi\r\n");
}

}  // namespace
}  // namespace server
