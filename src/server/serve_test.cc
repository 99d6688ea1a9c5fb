#include "server/serve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>

#include "server/options.h"
#include "server/test_connection.h"
#include "server/test_process.h"
#include "store/temp_directory.h"

namespace server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class ServeTest : public testing::Test {
 protected:
  std::string data() const { return directory_.path() + "/data"; }

  Words command(const Words& more = {}) const {
    Words words = {"serve", "--data", data(), "--allow-volatile", "--journal-segment", "1MiB"};
    const auto has = [&](const char* word) { return std::ranges::find(more, word) != more.end(); };
    if (!has("--resp")) words.insert(words.end(), {"--resp", "127.0.0.1:0"});
    if (!has("--http")) words.insert(words.end(), {"--http", "127.0.0.1:0"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::unique_ptr<TestProcess> start(const Words& more = {}) const {
    auto process = std::make_unique<TestProcess>(command(more));
    process->wait_until_ready();
    return process;
  }

  // Expects that the server does not start; returns what it says.
  std::string refused(int code, const Words& more) const {
    TestProcess process(command(more));
    EXPECT_EQ(process.wait(), code) << process.errors();
    EXPECT_EQ(process.output(), "");
    return process.errors();
  }

  std::string token_file(const std::string& text, mode_t mode = 0600) const {
    const std::string path = directory_.path() + "/token";
    std::ofstream(path) << text;
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  store::TempDirectory directory_;
};

TEST_F(ServeTest, SigtermEndsInOrder) {
  auto server = start();
  TestConnection worker(server->resp());
  TestConnection other(server->resp());
  worker.send({"JOB.FETCH", "w", "BLOCK", "25000", "QUEUES", "1", "q"});
  const std::string one = "blocked_clients:1\r";  // tidy: allow word because Redis calls it so
  until([&] { return other.call({"INFO"}).text.find(one) != std::string::npos; }, "a fetch");
  server->signal(SIGTERM);
  EXPECT_EQ(show(worker.read()), "[]");
  EXPECT_TRUE(worker.is_at_end());
  EXPECT_EQ(server->wait(), kExitOk);
  server = start();
  server->signal(SIGINT);
  EXPECT_EQ(server->wait(), kExitOk);
  EXPECT_THAT(server->errors(), HasSubstr("\"torn_bytes\":0,\"clean_shutdown\":true"));
}

TEST_F(ServeTest, SignalsAtTheReadyLineAndTwiceAreHeard) {
  for (int i = 0; i < 5; ++i) {
    const auto server = start();
    server->signal(SIGTERM);
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(), kExitOk);
  }
}

TEST_F(ServeTest, SignalsUntilItsEndDoNotChangeHowItEnds) {
  for (int i = 0; i < 5; ++i) {
    const auto server = start();
    const auto is_over = [&] {
      siginfo_t end{};
      EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(server->id()), &end, WEXITED | WNOHANG | WNOWAIT),
                0);
      return end.si_pid != 0;
    };
    until(
        [&] {
          server->signal(SIGTERM);
          return is_over();
        },
        "its end");
    EXPECT_EQ(server->wait(), kExitOk);
  }
}

TEST_F(ServeTest, KillKeepsEverythingThatWasAnswered) {
  auto server = start();
  std::vector<std::string> ids;
  std::string leased;
  std::string token;
  {
    TestConnection client(server->resp());
    for (int i = 0; i < 50; ++i) ids.push_back(show(client.call(kPush)));
    const RespValue lease = client.call(kFetch).items.at(0);
    leased = field(lease, "id");
    token = field(lease, "token");
    client.call({"QUEUE.PAUSE", "other"});
  }
  server->signal(SIGKILL);
  EXPECT_EQ(server->wait(), -SIGKILL);
  server = start();
  TestConnection client(server->resp());
  for (const std::string& id : ids) {
    EXPECT_EQ(field(client.call({"JOB.GET", id}), "state"), id == leased ? "running" : "ready");
  }
  EXPECT_EQ(show(client.call({"JOB.ACK", leased, token})), "OK");
  EXPECT_EQ(field(client.call({"QUEUE.STATS", "other"}), "paused"), "1");
}

TEST_F(ServeTest, ATakenAddressIsNamed) {
  const auto server = start();
  store::TempDirectory elsewhere;
  TestProcess second({"serve", "--data", elsewhere.path() + "/data", "--allow-volatile", "--resp",
                      server->resp(), "--http", "127.0.0.1:0"});
  EXPECT_EQ(second.wait(), kExitUnavailable);
  EXPECT_THAT(second.errors(), HasSubstr("dray: UNAVAILABLE cannot listen on " + server->resp() +
                                         ": Address already in use"));
  TestProcess third({"serve", "--data", elsewhere.path() + "/data", "--allow-volatile", "--resp",
                     "127.0.0.1:0", "--http", server->http()});
  EXPECT_EQ(third.wait(), kExitUnavailable);
  EXPECT_THAT(third.errors(), HasSubstr(server->http()));
}

TEST_F(ServeTest, ADataDirectoryInUseIsNamedWithItsHolder) {
  const auto server = start();
  const std::string said = refused(kExitUnavailable, {});
  EXPECT_THAT(said, HasSubstr(data()));
  EXPECT_THAT(said, HasSubstr(std::to_string(server->id())));
  TestConnection client(server->resp());
  EXPECT_EQ(show(client.call({"PING"})), "PONG");
}

TEST_F(ServeTest, StrangersNeedAToken) {
  EXPECT_THAT(refused(kExitUsage, {"--resp", "0.0.0.0:0"}), HasSubstr("--token-file"));
  EXPECT_THAT(refused(kExitUsage, {"--http", "0.0.0.0:0"}), HasSubstr("--token-file"));
}

TEST_F(ServeTest, ATokenFileIsTheOwnersAlone) {
  const std::string secret = "0123456789abcdef-secret";
  for (const mode_t mode : {0640U, 0604U, 0660U}) {
    const std::string said = refused(kExitUsage, {"--token-file", token_file(secret + "\n", mode)});
    EXPECT_THAT(said, HasSubstr("can be read by others"));
    EXPECT_THAT(said, Not(HasSubstr(secret)));
  }
  EXPECT_THAT(refused(kExitUsage, {"--token-file", token_file("short\n")}),
              HasSubstr("holds 5 bytes, at least 16"));
  EXPECT_THAT(refused(kExitUsage, {"--token-file", token_file(std::string(5'000, 'x'))}),
              HasSubstr("at most"));
  EXPECT_THAT(refused(kExitUsage, {"--token-file", directory_.path()}),
              HasSubstr("cannot be read"));
  EXPECT_THAT(refused(kExitUsage, {"--token-file", "/nothing/here"}), HasSubstr("cannot be read"));

  const auto server = start({"--token-file", token_file(secret + "\r\n")});
  TestConnection client(server->resp());
  EXPECT_THAT(show(client.call(kPush)), StartsWith("(error) NOAUTH "));
  EXPECT_EQ(show(client.call({"AUTH", secret})), "OK");
  EXPECT_EQ(client.call(kPush).text.size(), 13u);
}

TEST_F(ServeTest, SettingsComeFromAFileAndFlagsWin) {
  const std::string path = directory_.path() + "/dray.toml";
  std::ofstream(path) << "[server]\ndata = \"" << data() << "\"\nallow_volatile = true\n"
                      << "resp = \"127.0.0.1:1\"\nhttp = \"127.0.0.1:0\"\n"
                      << "[journal]\nsegment = \"1MiB\"\n";
  TestProcess server({"serve", "--config", path, "--resp", "127.0.0.1:0"});
  server.wait_until_ready();
  TestConnection client(server.resp());
  EXPECT_EQ(client.call(kPush).text.size(), 13u);
  EXPECT_TRUE(std::filesystem::exists(data() + "/LOCK"));
}

TEST_F(ServeTest, AWrongSettingIsNamedWithItsPlace) {
  const std::string path = directory_.path() + "/dray.toml";
  std::ofstream(path) << "[journal]\nbuget = \"1GiB\"\nsegment = \"many\"\n";
  const std::string said = refused(kExitUsage, {"--config", path});
  EXPECT_THAT(said, HasSubstr(path + ":2: there is no setting journal.buget (did you mean "
                                     "journal.budget?)"));
  EXPECT_THAT(said, HasSubstr(path + ":3: journal.segment: 'many' is no size"));
  EXPECT_THAT(refused(kExitUsage, {"--config", "/nothing/here.toml"}),
              HasSubstr("there is no file /nothing/here.toml"));
}

TEST_F(ServeTest, SighupReadsAgainAndSaysWhatNeedsARestart) {
  const std::string path = directory_.path() + "/dray.toml";
  std::ofstream(path) << "log.level = \"info\"\n";
  const auto server = start({"--config", path});
  std::ofstream(path) << "log.level = \"warning\"\njournal.budget = \"1GiB\"\n";
  server->signal(SIGHUP);
  TestConnection client(server->resp());
  EXPECT_EQ(show(client.call({"PING"})), "PONG") << "a reload is no end";
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), kExitOk);
  EXPECT_THAT(server->errors(), HasSubstr("setting changed"));
  EXPECT_THAT(server->errors(), HasSubstr("setting needs a restart"));
  EXPECT_THAT(server->errors(), HasSubstr("journal.budget"));
  EXPECT_THAT(server->errors(), Not(HasSubstr("shutting down"))) << "the level was not taken";
}

TEST_F(ServeTest, SighupWithAWrongFileChangesNothing) {
  const std::string path = directory_.path() + "/dray.toml";
  std::ofstream(path) << "";
  const auto server = start({"--config", path});
  std::ofstream(path) << "log.level = \"loud\"\n";
  server->signal(SIGHUP);
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), kExitOk);
  EXPECT_THAT(server->errors(), HasSubstr("the settings were not taken"));
  EXPECT_THAT(server->errors(), HasSubstr("shutting down"));
}

TEST_F(ServeTest, NullJournalKeepsNothingAndSaysSo) {
  auto server = start({"--journal", "null"});
  TestConnection client(server->resp());
  EXPECT_EQ(client.call(kPush).text.size(), 13u);
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), kExitOk);
  EXPECT_THAT(server->errors(), HasSubstr("--journal null keeps nothing"));
  EXPECT_FALSE(std::filesystem::exists(data()));
}

TEST_F(ServeTest, ADamagedDirectoryIsRefusedWithFileAndPlace) {
  {
    const auto server = start();
    TestConnection client(server->resp());
    for (int i = 0; i < 20; ++i) client.call(kPush);
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait(), kExitOk);
  }
  for (const auto& entry : std::filesystem::directory_iterator(data())) {
    if (!entry.path().filename().string().starts_with("journal-")) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4'096 + 40);  // In the first frame; more come behind it.
    file.put('\x5a');
  }
  const std::string said = refused(kExitCorrupt, {});
  EXPECT_THAT(said, HasSubstr("dray: CORRUPT " + data()));
  EXPECT_THAT(said, HasSubstr("offset"));
}

}  // namespace
}  // namespace server
