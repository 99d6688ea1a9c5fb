// The client commands of the real binary against the real server.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "dray/client.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

using namespace std::chrono_literals;

struct Ran {
  int code;
  std::string output;
};

Ran dray(const Server& server, std::vector<std::string> words) {
  words.insert(words.begin(), dray_binary());
  Process process(words, {"DRAY_URL=" + server.url()});
  std::string output = process.output();
  return {process.wait(), std::move(output)};
}

// `dray exec` with a shell script, which serves queue `work`.
std::unique_ptr<Process> exec(const Server& server, const std::string& script,
                              std::vector<std::string> options = {}) {
  std::vector<std::string> words = {dray_binary(), "exec", "--queue", "work"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"--", "sh", "-c", script});
  return std::make_unique<Process>(words, std::vector<std::string>{"DRAY_URL=" + server.url()});
}

dray::JobRecord outcome_of(const Server& server, const std::string& script,
                           dray::PushOptions options, const std::string& args = "{}") {
  dray::Client client({.url = server.url()});
  if (!options.attempts) options.attempts = 1;
  const std::string id = client.push("work", "t", args, options).id;
  const auto worker = exec(server, script);
  return client.wait(id, 20s);
}

TEST(CommandLine, PushShowAndStatus) {
  const Server server;
  const Ran pushed = dray(server, {"push", "emails", "send_email", "{\"to\":1}", "--priority", "9",
                                   "--delay", "1h", "--key", "k", "--meta", "a=b"});
  EXPECT_EQ(pushed.code, 0);
  ASSERT_EQ(pushed.output.size(), 14U);
  const std::string id = pushed.output.substr(0, 13);
  const Ran shown = dray(server, {"show", "key:k", "-o", "json"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_NE(shown.output.find("\"id\":\"" + id + "\""), std::string::npos) << shown.output;
  EXPECT_NE(shown.output.find("\"priority\":9"), std::string::npos);
  EXPECT_NE(shown.output.find("\"meta\":{\"a\":\"b\"}"), std::string::npos);
  const Ran table = dray(server, {"status"});
  EXPECT_EQ(table.code, 0);
  EXPECT_NE(table.output.find("emails"), std::string::npos);
  EXPECT_EQ(table.output.find('\x1b'), std::string::npos) << "colour where no terminal is";
}

TEST(CommandLine, ExitCodesSayWhatHappened) {
  Server server;
  EXPECT_EQ(dray(server, {"show", "0000000000zzz"}).code, 3);
  EXPECT_EQ(dray(server, {"wait", "0000000000zzz"}).code, 3);
  EXPECT_EQ(dray(server, {"show", "nonsense"}).code, 2);
  EXPECT_EQ(dray(server, {"push", "q"}).code, 2);
  EXPECT_EQ(dray(server, {"push", "q", "t", "{'a':1}"}).code, 2);
  EXPECT_EQ(dray(server, {"push", "q", "t", "{}", "--delay", "5"}).code, 2);
  EXPECT_EQ(dray(server, {"push", "q", "t", "{'a':1}", "--raw"}).code, 0);
  EXPECT_EQ(dray(server, {"exec", "--queue", "q", "--", "no-such-command"}).code, 2);
  EXPECT_EQ(dray(server, {"nonsense"}).code, 2);
  server.kill();
  EXPECT_EQ(dray(server, {"status"}).code, 5);
}

TEST(CommandLine, ManyJobsComeFromAFile) {
  const Server server;
  const Folder folder;
  const std::string path = folder.path() + "/jobs.ndjson";
  std::ofstream(path) << R"({"queue":"q","type":"t","args":{"n":1}})"
                      << "\n\n"
                      << R"({"queue":"q","type":"t","args":[2],"delay":"1h"})"
                      << "\n";
  const Ran pushed = dray(server, {"push", "--ndjson", path});
  EXPECT_EQ(pushed.code, 0);
  EXPECT_EQ(pushed.output.size(), 28U);
  std::ofstream many(path);
  for (int i = 0; i < 1'500; ++i)
    many << R"({"queue":"q","type":"t"})"
         << "\n";
  many << "{\n";
  many.close();
  EXPECT_EQ(dray(server, {"push", "--quiet", "--ndjson", path}).code, 4);
  dray::Client client({.url = server.url()});
  EXPECT_EQ(client.stats("q").pushed, 1'002) << "whole batches before the bad line, no more";
}

TEST(CommandLine, WaitPrintsTheResult) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::string id = client.push("work", "t", "{}").id;
  const auto worker = exec(server, "printf done");
  const Ran waited = dray(server, {"wait", id});
  EXPECT_EQ(waited.code, 0);
  EXPECT_EQ(waited.output, "done\n");
  EXPECT_EQ(dray(server, {"wait", client.push("nobody", "t", "{}").id, "--timeout", "10ms"}).code,
            1);
}

TEST(Exec, ArgsComeOnStdinAndStdoutIsTheResult) {
  const Server server;
  const dray::JobRecord job = outcome_of(
      server, "cat; printf ' %s %s %s %s' $DRAY_JOB_ID $DRAY_QUEUE $DRAY_TYPE $DRAY_ATTEMPT", {},
      "{\"a\":1}");
  EXPECT_EQ(job.state, "succeeded");
  EXPECT_EQ(job.result, "{\"a\":1} " + job.id + " work t 1");
}

TEST(Exec, BracesStandForTheArgs) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::string id = client.push("work", "t", "a b").id;
  Process worker({dray_binary(), "exec", "--queue", "work", "--", "printf", "<%s>", "{}"},
                 {"DRAY_URL=" + server.url()});
  EXPECT_EQ(client.wait(id, 20s).result, "<a b>");
}

TEST(Exec, ExitStatusDecides) {
  const Server server;
  const dray::JobRecord permanent =
      outcome_of(server, "echo the address is wrong >&2; exit 65", {.attempts = 4});
  EXPECT_EQ(permanent.state, "dead");
  EXPECT_EQ(permanent.attempt, 1);
  EXPECT_EQ(permanent.history.back().error_class, "Exit 65");
  EXPECT_EQ(permanent.history.back().message, "the address is wrong");
  dray::PushOptions twice;
  twice.attempts = 3;
  twice.backoff = "fixed:10~0";
  const dray::JobRecord retried = outcome_of(server, "test $DRAY_ATTEMPT = 3 || exit 7", twice);
  EXPECT_EQ(retried.state, "succeeded");
  ASSERT_EQ(retried.history.size(), 3U);
  EXPECT_EQ(retried.history[0].error_class, "Exit 7");
}

TEST(Exec, SignalIsAFailureThatNamesIt) {
  const Server server;
  const dray::JobRecord job = outcome_of(server, "kill -KILL $$", {});
  EXPECT_EQ(job.state, "dead");
  EXPECT_EQ(job.history.back().error_class, "Signal");
  EXPECT_NE(job.history.back().message.find("SIGKILL"), std::string::npos);
}

TEST(Exec, ResultBeyondTheLimitFailsForGood) {
  const Server server;
  const dray::JobRecord job = outcome_of(server, "head -c 2000000 /dev/zero", {.attempts = 4});
  EXPECT_EQ(job.state, "dead");
  EXPECT_EQ(job.attempt, 1);
  EXPECT_EQ(job.history.back().error_class, "ResultTooBig");
}

// The marker is written by a process that the command started, if that outlives it.
TEST(Exec, TimeLimitEndsTheCommandAndAllItStarted) {
  const Server server;
  const Folder folder;
  const std::string pid_file = folder.path() + "/pid";
  dray::PushOptions options;
  options.timeout = 300ms;
  const dray::JobRecord job =
      outcome_of(server, "tail -f /dev/null & echo $! > " + pid_file + "; wait", options);
  EXPECT_EQ(job.state, "dead");
  EXPECT_EQ(job.history.back().error_class, "Timeout");
  pid_t other = 0;
  std::ifstream(pid_file) >> other;
  ASSERT_GT(other, 0);
  // It is ended at the same time as the job fails.
  EXPECT_TRUE(eventually([&] { return !is_alive(other); }));
}

TEST(Exec, CancelEndsTheCommand) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::PushOptions options;
  options.lease = 300ms;
  const std::string id = client.push("work", "t", "{}", options).id;
  const auto worker = exec(server, "exec tail -f /dev/null");
  ASSERT_TRUE(eventually([&] { return client.get(id)->state == "running"; }));
  client.cancel(id);
  EXPECT_EQ(client.wait(id, 20s).state, "cancelled");
}

TEST(Exec, LeaseIsKeptWhileTheCommandRuns) {
  const Server server;
  dray::PushOptions options;
  options.lease = 200ms;
  const dray::JobRecord job = outcome_of(server, "sleep 1; printf $DRAY_FENCE", options);
  EXPECT_EQ(job.state, "succeeded");
  EXPECT_EQ(job.result, "1");
}

TEST(Exec, OnlyJobsOfItsTypesAreTaken) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::string other = client.push("work", "other", "{}").id;
  const std::string mine = client.push("work", "mine", "{}").id;
  const auto worker = exec(server, "true", {"--type", "mine"});
  EXPECT_EQ(client.wait(mine, 20s).state, "succeeded");
  EXPECT_EQ(client.get(other)->state, "ready");
}

TEST(Exec, StopGivesTheJobBackAndEndsTheCommand) {
  const Server server;
  dray::Client client({.url = server.url()});
  const std::string id = client.push("work", "t", "{}").id;
  const auto worker = exec(server, "exec tail -f /dev/null", {"--grace", "10ms"});
  ASSERT_TRUE(eventually([&] { return client.get(id)->state == "running"; }));
  worker->signal(SIGTERM);
  EXPECT_EQ(worker->wait(), 0);
  const auto job = client.get(id);
  EXPECT_EQ(job->state, "ready");
  EXPECT_EQ(job->attempt, 0);
}

TEST(Exec, KilledWorkerTakesItsCommandWithIt) {
  const Server server;
  dray::Client client({.url = server.url()});
  dray::PushOptions options;
  options.lease = 200ms;
  const std::string id = client.push("work", "t", "{}", options).id;
  const Folder folder;
  const std::string pid_file = folder.path() + "/pid";
  const auto worker = exec(server, "echo $$ > " + pid_file + "; exec tail -f /dev/null");
  pid_t command = 0;
  ASSERT_TRUE(eventually([&] { return (std::ifstream(pid_file) >> command) && command > 0; }));
  worker->signal(SIGKILL);
  worker->wait();
  EXPECT_TRUE(eventually([&] { return !is_alive(command); }));
  EXPECT_TRUE(eventually([&] { return client.get(id)->crashes == 1; }));
}

}  // namespace
}  // namespace sdk_test
