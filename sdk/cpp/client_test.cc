#include "dray/client.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "sdk/cpp/fake_server.h"

namespace dray {
namespace {

using namespace std::chrono_literals;
using detail::fake_array;
using detail::fake_bulk;
using detail::fake_integer;
using detail::fake_map;
using detail::FakeAnswer;
using detail::FakeServer;
using detail::FakeWords;

ClientOptions options_for(const FakeServer& server) {
  ClientOptions options;
  options.url = server.url();
  return options;
}

// The words that name a push to the server.
FakeWords name_of(const FakeWords& words) {
  for (size_t i = 0; i + 2 < words.size(); ++i) {
    if (words[i] == "REQSEQ") return {words[i + 1], words[i + 2]};
  }
  return {};
}

std::string error_code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.word();
  }
  return "none";
}

TEST(Client, PushAnswersTheId) {
  FakeServer server;
  Client client(options_for(server));
  const Pushed pushed = client.push("emails", "send_email", "{}");
  EXPECT_EQ(pushed.id, "0000000000001");
  EXPECT_TRUE(pushed.created);
}

TEST(Client, PushWhoseAnswerGotLostIsSentAgainUnderTheSameName) {
  FakeServer server;
  std::atomic<int> lost{2};
  server.on("JOB.PUSH", [&](const FakeWords&) {
    if (lost-- > 0) return FakeAnswer{"", true};
    return FakeAnswer{fake_bulk("0000000000007")};
  });
  Client client(options_for(server));
  EXPECT_EQ(client.push("emails", "send_email", "{}").id, "0000000000007");
  const auto pushes = server.heard("JOB.PUSH");
  ASSERT_EQ(pushes.size(), 3U);
  EXPECT_EQ(pushes[0], pushes[1]);
  EXPECT_EQ(pushes[0], pushes[2]);
  EXPECT_FALSE(name_of(pushes[0]).empty());
}

TEST(Client, AnswerCutInTheMiddleIsNoAnswer) {
  FakeServer server;
  std::atomic<int> lost{1};
  server.on("JOB.PUSH", [&](const FakeWords&) {
    if (lost-- > 0) return FakeAnswer{"$13\r\n00000", true};
    return FakeAnswer{fake_bulk("0000000000007")};
  });
  Client client(options_for(server));
  EXPECT_EQ(client.push("emails", "send_email", "{}").id, "0000000000007");
  EXPECT_EQ(server.heard("JOB.PUSH").size(), 2U);
}

TEST(Client, EveryPushHasANameOfItsOwn) {
  FakeServer server;
  Client client(options_for(server));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) client.push("emails", "send_email", "{}");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<FakeWords> names;
  for (const FakeWords& words : server.heard("JOB.PUSH")) names.insert(name_of(words));
  EXPECT_EQ(names.size(), 200U);
}

TEST(Client, ForkedChildUsesNoNameOfItsParent) {
  FakeServer server;
  Client client(options_for(server));
  client.push("emails", "send_email", "{}");
  const pid_t child = fork();
  if (child == 0) {
    client.push("emails", "send_email", "{}");
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  client.push("emails", "send_email", "{}");
  std::set<FakeWords> names;
  for (const FakeWords& words : server.heard("JOB.PUSH")) names.insert(name_of(words));
  EXPECT_EQ(names.size(), 3U);
}

TEST(Client, AsksAgainWhenTheServerSaysLater) {
  FakeServer server;
  std::atomic<int> refusals{2};
  server.on("JOB.PUSH", [&](const FakeWords&) {
    if (refusals-- > 0) return FakeAnswer{"-OVERLOADED retry_ms=1 limit=1\r\n"};
    return FakeAnswer{fake_bulk("0000000000007")};
  });
  Client client(options_for(server));
  EXPECT_EQ(client.push("emails", "send_email", "{}").id, "0000000000007");
}

TEST(Client, OtherErrorsAreThrownAtOnce) {
  FakeServer server;
  server.on("JOB.PUSH", [](const FakeWords&) { return FakeAnswer{"-BADREQ field=queue no\r\n"}; });
  Client client(options_for(server));
  EXPECT_EQ(error_code_of([&] { client.push("e mails", "t", ""); }), "BADREQ");
  EXPECT_EQ(server.heard("JOB.PUSH").size(), 1U);
}

TEST(Client, UnreachableServerIsReportedWithinRetryFor) {
  FakeServer server;
  server.set_reachable(false);
  ClientOptions options = options_for(server);
  options.retry_for = 100ms;
  Client client(options);
  EXPECT_EQ(error_code_of([&] { client.push("emails", "send_email", "{}"); }), "UNREACHABLE");
  server.set_reachable(true);
}

TEST(Client, GoesOnWhenTheServerComesBack) {
  FakeServer server;
  Client client(options_for(server));
  client.push("emails", "send_email", "{}");
  server.set_reachable(false);
  std::thread later([&] { server.set_reachable(true); });
  EXPECT_EQ(client.push("emails", "send_email", "{}").id, "0000000000001");
  later.join();
}

TEST(Client, PushThatMayHaveArrivedIsUnknown) {
  FakeServer server;
  server.on("JOB.PUSH", [](const FakeWords&) { return FakeAnswer{"", true}; });
  ClientOptions options = options_for(server);
  options.retry_for = 0ms;
  Client client(options);
  EXPECT_EQ(error_code_of([&] { client.push("emails", "send_email", "{}"); }), "UNKNOWN");
}

TEST(Client, RetryOfAJobIsNeverSentTwice) {
  FakeServer server;
  server.on("JOB.RETRY", [](const FakeWords&) { return FakeAnswer{"", true}; });
  Client client(options_for(server));
  EXPECT_EQ(error_code_of([&] { client.retry("0000000000001"); }), "UNKNOWN");
  EXPECT_EQ(server.heard("JOB.RETRY").size(), 1U);
}

TEST(Client, StaleConnectionDoesNotMakeAnOutcomeUnknown) {
  FakeServer server;
  server.on("JOB.RETRY", [](const FakeWords&) { return FakeAnswer{fake_array({"+OK\r\n"})}; });
  Client client(options_for(server));
  client.queues();
  server.cut_all();
  EXPECT_EQ(error_code_of([&] { client.retry("0000000000001"); }), "none");
}

TEST(Client, ErrorOfTheOneIdIsThrown) {
  FakeServer server;
  server.on("JOB.CANCEL", [](const FakeWords&) {
    return FakeAnswer{fake_array({"-BADSTATE state=succeeded too late\r\n"})};
  });
  Client client(options_for(server));
  EXPECT_EQ(error_code_of([&] { client.cancel("0000000000001", true); }), "BADSTATE");
  EXPECT_EQ(server.heard("JOB.CANCEL").front(),
            (FakeWords{"JOB.CANCEL", "FORCE", "IDS", "1", "0000000000001"}));
}

TEST(Client, BatchGoesInOneRoundTripAndAnswersInOrder) {
  FakeServer server;
  server.on("JOB.MPUSH", [](const FakeWords& words) {
    std::vector<std::string> ids;
    for (int i = 0; i < std::stoi(words[1]); ++i) ids.push_back(fake_bulk(std::to_string(i)));
    return FakeAnswer{fake_array(ids)};
  });
  Client client(options_for(server));
  const std::vector<NewJob> jobs(10'000, NewJob{.queue = "q", .type = "t", .args = "{}"});
  const auto pushed = client.push_many(jobs);
  ASSERT_EQ(pushed.size(), 10'000U);
  EXPECT_EQ(pushed[9'999].id, "9999");
  EXPECT_EQ(server.heard("JOB.MPUSH").size(), 1U);
  EXPECT_TRUE(client.push_many({}).empty());
}

TEST(Client, GetReadsTheRecordWithItsHistory) {
  FakeServer server;
  server.on("JOB.GET", [](const FakeWords&) {
    return FakeAnswer{
        fake_map({{"id", fake_bulk("a")},
                  {"state", fake_bulk("dead")},
                  {"attempt", fake_integer(2)},
                  {"crashes", fake_integer(1)},
                  {"result", fake_bulk("")},
                  {"meta", fake_map({{"k", fake_bulk("v")}})},
                  {"history", fake_array({fake_map({{"attempt", fake_integer(1)},
                                                    {"outcome", fake_bulk("lost")},
                                                    {"class", fake_bulk("LeaseLost")}})})}})};
  });
  Client client(options_for(server));
  const auto job = client.get("a");
  ASSERT_TRUE(job.has_value());
  EXPECT_EQ(job->state, "dead");
  EXPECT_TRUE(job->finished_state());
  EXPECT_EQ(job->result, "");
  EXPECT_EQ(job->progress, std::nullopt);
  EXPECT_EQ(job->meta.front().second, "v");
  ASSERT_EQ(job->history.size(), 1U);
  EXPECT_EQ(job->history.front().outcome, "lost");
}

TEST(Client, GetOfNothingIsNothing) {
  FakeServer server;
  Client client(options_for(server));
  EXPECT_FALSE(client.get("a").has_value());
}

TEST(Client, WaitAsksUntilTheTimeIsUp) {
  FakeServer server;
  std::atomic<int> goes{0};
  server.on("JOB.WAIT", [&](const FakeWords&) {
    const char* state = ++goes < 3 ? "running" : "succeeded";
    return FakeAnswer{
        fake_array({fake_map({{"id", fake_bulk("a")}, {"state", fake_bulk(state)}})})};
  });
  Client client(options_for(server));
  EXPECT_EQ(client.wait("a", 10min).state, "succeeded");
  EXPECT_EQ(goes, 3);
  EXPECT_EQ(server.heard("JOB.WAIT").front(), (FakeWords{"JOB.WAIT", "1", "a", "BLOCK", "60000"}));
}

TEST(Client, CallGivesTheAnswerAsItCame) {
  FakeServer server;
  server.on("ECHO", [](const FakeWords& words) {
    return FakeAnswer{fake_array({fake_bulk(words[1]), "-GONE it is\r\n", "_\r\n", ",1.5\r\n"})};
  });
  Client client(options_for(server));
  const Value value = client.call({"ECHO", "x"});
  ASSERT_EQ(value.items.size(), 4U);
  EXPECT_EQ(value.items[1].kind, Value::Kind::kError);
  EXPECT_EQ(value.items[2].kind, Value::Kind::kNil);
  EXPECT_EQ(value.items[3].number, 1.5);
}

TEST(Client, BadUrlIsRefusedAtOnce) {
  EXPECT_EQ(error_code_of([] { Client client({.url = "http://x"}); }), "BADREQ");
}

}  // namespace
}  // namespace dray
