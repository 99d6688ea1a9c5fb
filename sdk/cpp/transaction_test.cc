#include "dray/transaction.h"

#include <gtest/gtest.h>

#include "dray/client.h"
#include "sdk/cpp/fake_server.h"

namespace dray {
namespace {

using std::chrono_literals::operator""ms;
using detail::fake_array;
using detail::fake_bulk;
using detail::fake_integer;
using detail::FakeAnswer;
using detail::FakeServer;
using detail::FakeWords;

// What the fake heard since the last MULTI, that one included.
std::vector<FakeWords> last_group(const FakeServer& server) {
  std::vector<FakeWords> group;
  for (FakeWords& words : server.heard()) {
    if (words[0] == "MULTI") group.clear();
    group.push_back(std::move(words));
  }
  return group;
}

NewJob job(const std::string& args) {
  return {.queue = "emails", .type = "send_email", .args = args};
}

TEST(Transaction, GoesAsOneGroupInItsOrder) {
  FakeServer server;
  server.on("EXEC", [](const FakeWords&) {
    return FakeAnswer{
        fake_array({fake_bulk("a"), "+OK\r\n", fake_integer(2), fake_integer(1),
                    fake_array({fake_bulk("b"), fake_integer(0)}), fake_array({"+OK\r\n"})})};
  });
  Client client({.url = server.url()});
  Transaction transaction = client.transaction();
  transaction.push(job("1"));
  transaction.set("k", "v");
  transaction.add("n", 2);
  transaction.remove("old");
  transaction.push(job("2"));
  transaction.cancel("key:3");
  EXPECT_TRUE(server.heard("MULTI").empty()) << "asked before commit()";
  const auto pushed = transaction.commit();
  ASSERT_EQ(pushed.size(), 2U);
  EXPECT_EQ(pushed[0].id, "a");
  EXPECT_EQ(pushed[1].id, "b");
  EXPECT_FALSE(pushed[1].created);
  const auto group = last_group(server);
  ASSERT_EQ(group.size(), 8U);
  EXPECT_EQ(group[1][3], "1");
  EXPECT_EQ(group[1][4], "REQSEQ");
  EXPECT_EQ(group[2], (FakeWords{"SET", "k", "v"}));
  EXPECT_EQ(group[3], (FakeWords{"INCRBY", "n", "2"}));
  EXPECT_EQ(group[4], (FakeWords{"DEL", "old"}));
  EXPECT_EQ(group[5][3], "2");
  EXPECT_NE(group[5][6], group[1][6]) << "two pushes have one name";
  EXPECT_EQ(group[6], (FakeWords{"JOB.CANCEL", "IDS", "1", "key:3"}));
  EXPECT_EQ(group[7], (FakeWords{"EXEC"}));
}

TEST(Transaction, IsSentAgainUnderTheSameNamesWhenItsAnswerGotLost) {
  FakeServer server;
  std::atomic<int> lost{1};
  server.on("EXEC", [&](const FakeWords&) {
    return lost-- > 0 ? FakeAnswer{"", true} : FakeAnswer{fake_array({fake_bulk("a")})};
  });
  Client client({.url = server.url()});
  Transaction transaction = client.transaction();
  transaction.push(job("1"));
  EXPECT_EQ(transaction.commit().front().id, "a");
  const auto pushes = server.heard("JOB.PUSH");
  ASSERT_EQ(pushes.size(), 2U);
  EXPECT_EQ(pushes[0], pushes[1]);
}

TEST(Transaction, WithACounterIsNeverSentTwice) {
  FakeServer server;
  server.on("EXEC", [](const FakeWords&) { return FakeAnswer{"", true}; });
  Client client({.url = server.url()});
  Transaction transaction = client.transaction();
  transaction.add("n");
  EXPECT_THROW(transaction.commit(), UnknownError);
  EXPECT_EQ(server.heard("EXEC").size(), 1U);
}

TEST(Transaction, FirstErrorOfACommandIsTheOneThatIsThrown) {
  FakeServer server;
  server.on("JOB.PUSH", [](const FakeWords&) { return FakeAnswer{"-BADREQ field=queue no\r\n"}; });
  server.on("EXEC", [](const FakeWords&) { return FakeAnswer{"-EXECABORT discarded\r\n"}; });
  Client client({.url = server.url()});
  Transaction transaction = client.transaction();
  transaction.push(job("1"));
  try {
    transaction.commit();
    FAIL();
  } catch (const RejectedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadReq);
  }
  client.queues();
  EXPECT_EQ(server.connections_made(), 1U) << "the answers behind the error were not read";
}

TEST(Transaction, AbortIsRejected) {
  FakeServer server;
  server.on("EXEC", [](const FakeWords&) { return FakeAnswer{"-EXECABORT command 0\r\n"}; });
  Client client({.url = server.url()});
  Transaction transaction = client.transaction();
  transaction.remove("k");
  try {
    transaction.commit();
    FAIL();
  } catch (const RejectedError& error) {
    EXPECT_EQ(error.code(), ErrorCode::kExecAbort);
  }
}

TEST(Transaction, WithoutAnythingAsksNobody) {
  FakeServer server;
  Client client({.url = server.url()});
  EXPECT_TRUE(client.transaction().commit().empty());
  EXPECT_TRUE(server.heard().empty());
}

TEST(Transaction, PushesGoThroughTheMiddleware) {
  FakeServer server;
  server.on("EXEC", [](const FakeWords&) { return FakeAnswer{fake_array({fake_bulk("a")})}; });
  Client client({.url = server.url()});
  client.use([](std::span<NewJob> jobs, const PushNext& next) {
    for (NewJob& one : jobs) one.args += " stamped";
    return next(jobs);
  });
  Transaction transaction = client.transaction();
  transaction.push(job("1"));
  transaction.commit();
  EXPECT_EQ(server.heard("JOB.PUSH").front()[3], "1 stamped");
}

}  // namespace
}  // namespace dray
