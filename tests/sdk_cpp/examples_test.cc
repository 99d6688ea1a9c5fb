// The examples of the C++ SDK do what their first lines say.
#include <gtest/gtest.h>

#include <csignal>

#include "dray/client.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

Process example(const Server& server, const std::string& name) {
  return Process({std::string(DRAY_EXAMPLES_PATH) + "/sdk_cpp_" + name, server.url()});
}

TEST(Examples, HelloPrintsTheResult) {
  const Server server;
  Process hello = example(server, "hello");
  EXPECT_EQ(hello.output(), "job 0000000000001 succeeded: hello, world\n");
  EXPECT_EQ(hello.wait(), 0);
}

TEST(Examples, RetriesEndAsTheirHandlerSays) {
  const Server server;
  Process retries = example(server, "retries");
  const std::string output = retries.output();
  EXPECT_EQ(retries.wait(), 0);
  EXPECT_NE(output.find("ann: succeeded after 3 of 4 attempts"), std::string::npos) << output;
  EXPECT_NE(output.find("nobody: dead after 1 of 4 attempts"), std::string::npos) << output;
  EXPECT_NE(output.find("NoSuchUser: there is no user nobody"), std::string::npos) << output;
  EXPECT_NE(output.find("1 failed Retry: 429 from the API"), std::string::npos) << output;
  EXPECT_NE(output.find("early: succeeded after 3 of 4 attempts"), std::string::npos) << output;
}

TEST(Examples, BatchPushedTwiceIsPushedOnce) {
  const Server server;
  Process first = example(server, "batch");
  EXPECT_EQ(first.output(), "10000 new jobs, 10000 ready in the queue\n");
  Process second = example(server, "batch");
  EXPECT_EQ(second.output(), "0 new jobs, 10000 ready in the queue\n");
}

TEST(Examples, ShutdownGoesOnFromItsCheckpoint) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::string id = client.push("reports", "count_rows", "").id;
  Process first = example(server, "shutdown");
  ASSERT_TRUE(eventually([&] { return client.get(id)->progress == "200"; }));
  first.signal(SIGTERM);
  first.signal(SIGINT);  // At once.
  EXPECT_EQ(first.output(), "0 succeeded, 0 failed, 1 given back\n");
  EXPECT_EQ(first.wait(), 0);
  EXPECT_EQ(client.get(id)->attempt, 0);
  Process second = example(server, "shutdown");
  EXPECT_EQ(client.wait(id, std::chrono::seconds(60)).result, "1000");
}

}  // namespace
}  // namespace sdk_test
