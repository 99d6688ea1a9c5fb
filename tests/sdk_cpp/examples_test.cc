// The examples of the C++ SDK do what their first lines say.
#include <gtest/gtest.h>

#include <csignal>

#include "dray/client.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

Process example(const Server& server, const std::string& name) {
  return Process({std::string(DRAY_EXAMPLES_PATH) + "/example_" + name, server.url()});
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
  EXPECT_NE(output.find("no@t@n address: dead after 1 of 4 attempts"), std::string::npos) << output;
  EXPECT_NE(output.find("1 failed dray::RetryLater: 429 from the API"), std::string::npos)
      << output;
  EXPECT_NE(output.find("early: succeeded after 3 of 4 attempts"), std::string::npos) << output;
}

TEST(Examples, BatchPushedTwiceIsPushedOnce) {
  const Server server;
  Process first = example(server, "batch");
  EXPECT_EQ(first.output(), "10000 new jobs, 10000 ready in the queue\n");
  Process second = example(server, "batch");
  EXPECT_EQ(second.output(), "0 new jobs, 10000 ready in the queue\n");
}

TEST(Examples, UniqueDoesEachThingOnce) {
  const Server server;
  Process unique = example(server, "unique");
  EXPECT_EQ(unique.output(),
            "new, then known\n"
            "the form again: the same job\n"
            "receipt for order-7\n"
            "charged by the same job: yes\n");
  EXPECT_EQ(unique.wait(), 0);
}

// How many runs it takes depends on the machine.
TEST(Examples, ProgressGoesOnAfterItsSoftLimit) {
  const Server server;
  Process progress = example(server, "progress");
  const std::string output = progress.output();
  EXPECT_EQ(progress.wait(), 0);
  EXPECT_TRUE(output.starts_with("run 1\n")) << output;
  EXPECT_NE(output.find("run 2\n"), std::string::npos) << output;
  EXPECT_TRUE(output.ends_with("succeeded: 300 rows, at row 300\n")) << output;
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
