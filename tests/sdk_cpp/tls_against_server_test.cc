// The SDK against the real server with TLS: who is trusted, what is said when not, and
// reconnecting.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <mutex>
#include <set>
#include <thread>

#include "base/random.h"
#include "dray/worker.h"
#include "sdk/cpp/channel.h"
#include "tests/sdk_cpp/certificates.h"
#include "tests/sdk_cpp/cutting_proxy.h"
#include "tests/sdk_cpp/server_process.h"

namespace sdk_test {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsAgainstServer : public testing::Test {
 protected:
  TlsAgainstServer() { authority_.save(file("ca")); }

  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  // Writes a certificate with its key; returns what a server is started with.
  std::vector<std::string> save(const Certificate& certificate) const {
    certificate.save(file("server"));
    certificate.save_key(file("server.key"));
    return {"--tls-cert", file("server"), "--tls-key", file("server.key")};
  }
  std::vector<std::string> server_with(const CertificateWish& wish) const {
    return save(Certificate(wish, &authority_));
  }
  // A client that gives up after one go.
  dray::ClientOptions options_for(const Server& server, const std::string& host = "127.0.0.1") {
    dray::ClientOptions options;
    options.url = "drays://" + host + ":" + std::to_string(server.port());
    options.tls.ca_file = file("ca");
    options.connect_timeout = 20s;
    options.retry_for = 0ms;
    return options;
  }
  // What a push says; empty when it succeeds.
  static std::string push(const dray::ClientOptions& options) {
    try {
      dray::Client(options).push("q", "t", "{}");
      return {};
    } catch (const dray::RejectedError& error) {
      return error.what();
    }
  }

  const Folder folder_;
  const Certificate authority_{{.subject = "the authority", .names = "", .is_authority = true}};
};

TEST_F(TlsAgainstServer, JobsArePushedAndRun) {
  const Server server(server_with({}));
  const dray::ClientOptions options = options_for(server);
  dray::Client client(options);
  const std::string large(1'000'000, 'x');
  const std::string id = client.push("q", "echo", large).id;
  dray::Worker worker(client, {.queues = {{"q"}}, .concurrency = 2});
  worker.on("echo", [](dray::Context& job) { return job.args(); });
  std::thread running([&] { worker.run(); });
  EXPECT_EQ(client.wait(id, 20s).result, large);
  EXPECT_EQ(client.wait(client.push("q", "echo", "small").id, 20s).result, "small");
  worker.stop();
  running.join();
  // Many megabytes, which go in many records and many goes.
  const std::vector<dray::NewJob> jobs(12,
                                       dray::NewJob{.queue = "batch", .type = "t", .args = large});
  EXPECT_EQ(client.push_many(jobs).size(), jobs.size());
}

TEST_F(TlsAgainstServer, TheCertificateHasToBeForTheHostOfTheUrl) {
  const Server server(server_with({.names = "DNS:localhost"}));
  EXPECT_EQ(push(options_for(server, "localhost")), "");
  dray::ClientOptions options = options_for(server);
  EXPECT_THAT(push(options), AllOf(StartsWith("BADREQ 127.0.0.1:"),
                                   HasSubstr("is for DNS:localhost, not for 127.0.0.1")));
  options.tls.server_name = "localhost";
  EXPECT_EQ(push(options), "");
  options.tls.server_name = "other.example";
  EXPECT_THAT(push(options), HasSubstr("is for DNS:localhost, not for other.example"));
}

TEST_F(TlsAgainstServer, AnAddressIsNoName) {
  const Server server(server_with({.names = "DNS:127.0.0.1,IP:127.0.0.2"}));
  EXPECT_THAT(push(options_for(server)), HasSubstr("not for 127.0.0.1"));
}

TEST_F(TlsAgainstServer, ACommonNameIsNoName) {
  const Server server(server_with({.subject = "localhost", .names = ""}));
  EXPECT_THAT(push(options_for(server, "localhost")), HasSubstr("no subjectAltName"));
}

TEST_F(TlsAgainstServer, AnUnknownAuthorityIsNamed) {
  const Server server(server_with({}));
  Certificate({.subject = "another", .names = "", .is_authority = true}).save(file("ca"));
  EXPECT_THAT(push(options_for(server)),
              AllOf(StartsWith("BADREQ"), HasSubstr("signed by CN=the authority"),
                    HasSubstr("DRAY_TLS_CA")));
  dray::ClientOptions options = options_for(server);
  options.tls.ca_file.clear();
  EXPECT_THAT(push(options), HasSubstr("is not trusted here")) << "the system knows no test's CA";
}

TEST_F(TlsAgainstServer, ASelfSignedServerIsItsOwnAuthority) {
  const Server server(save(Certificate({})));
  EXPECT_THAT(push(options_for(server)), HasSubstr("(CN=server) is signed by itself"));
  dray::ClientOptions options = options_for(server);
  options.tls.ca_file = file("server");
  EXPECT_EQ(push(options), "");
}

TEST_F(TlsAgainstServer, WhatIsOutOfDateIsSaid) {
  const Server expired(server_with({.begin_s = -7'200, .end_s = -3'600}));
  EXPECT_THAT(push(options_for(expired)),
              AllOf(StartsWith("BADREQ"), HasSubstr("(CN=server) has expired on")));
  const Server early(server_with({.begin_s = 3'600}));
  EXPECT_THAT(push(options_for(early)), HasSubstr("is not valid before"));
}

TEST_F(TlsAgainstServer, AServerMayAskForACertificate) {
  std::vector<std::string> words = server_with({});
  words.insert(words.end(), {"--tls-client-ca", file("ca")});
  const Server server(words);
  dray::ClientOptions options = options_for(server);
  EXPECT_THAT(push(options), AllOf(StartsWith("BADREQ"), HasSubstr("wants to see a certificate")));
  options.tls.cert_file = file("client");
  options.tls.key_file = file("client.key");
  const Certificate stranger({.subject = "stranger"});
  stranger.save(options.tls.cert_file);
  stranger.save_key(options.tls.key_file);
  EXPECT_THAT(push(options), HasSubstr("does not accept our certificate"));
  const Certificate known({.subject = "client", .names = ""}, &authority_);
  known.save(options.tls.cert_file);
  known.save_key(options.tls.key_file);
  EXPECT_EQ(push(options), "");
}

TEST_F(TlsAgainstServer, WhoSpeaksTheOtherWayIsToldSo) {
  const Server plain;
  EXPECT_THAT(push(options_for(plain)), AllOf(StartsWith("BADREQ"), HasSubstr("use dray://")));
  const Server secure(server_with({}));
  dray::ClientOptions options;
  options.url = secure.url();
  options.retry_for = 0ms;
  EXPECT_THAT(push(options), HasSubstr("drays://"));
}

TEST_F(TlsAgainstServer, ASilentServerEndsTheHandshakeInTime) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener, any, size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  ASSERT_EQ(getsockname(listener, any, &size), 0);
  dray::ClientOptions options;
  options.url = "drays://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  options.connect_timeout = 50ms;
  options.retry_for = 0ms;
  EXPECT_THAT(push(options), AllOf(StartsWith("UNREACHABLE"),
                                   HasSubstr("the TLS handshake: no answer within the time")));
  close(listener);
}

TEST_F(TlsAgainstServer, CutConnectionsMakeNoPushTwiceAndLoseNone) {
  const Server server(server_with({}));
  base::SeededRandom random(7);
  std::mutex mutex;
  CuttingProxy proxy(server.port(), [&](Direction, std::string_view bytes) {
    const std::lock_guard lock(mutex);
    return random.below(12) == 0 ? random.below(bytes.size() + 1) : CuttingProxy::kPass;
  });
  dray::ClientOptions options = options_for(server);
  options.url = "drays" + proxy.url().substr(4);
  options.retry_for = 60s;
  dray::Client client(options);
  constexpr int kPushes = 60;
  std::set<std::string> ids;
  for (int i = 0; i < kPushes; ++i) {
    EXPECT_TRUE(ids.insert(client.push("emails", "send_email", "{}").id).second);
  }
  EXPECT_EQ(dray::Client(options_for(server)).stats("emails").pushed, kPushes);
  EXPECT_GE(proxy.cuts(), 5U) << "nothing was tested";
}

TEST_F(TlsAgainstServer, AWorkerOutlivesARestartWithAnotherCertificate) {
  Server server(server_with({}));
  dray::ClientOptions options = options_for(server);
  options.retry_for = 60s;
  dray::Worker worker(options, {.queues = {{"q"}}, .notice = [](std::string_view) {}});
  worker.on("t", [](dray::Context&) {});
  std::thread running([&] { worker.run(); });
  dray::Client client(options);
  EXPECT_EQ(client.wait(client.push("q", "t", "{}").id, 20s).state, "succeeded");
  server.kill();
  server_with({.subject = "another"});
  server.start();
  EXPECT_EQ(client.wait(client.push("q", "t", "{}").id, 20s).state, "succeeded");
  worker.stop();
  running.join();
}

TEST_F(TlsAgainstServer, WhatWasTrustedOnceIsWaitedFor) {
  Server server(server_with({}));
  const dray::detail::Target target = dray::detail::target_of(options_for(server));
  dray::detail::Channel old(target, nullptr);
  ASSERT_TRUE(old.connection().has_value());
  server.kill();
  save(Certificate({}));  // Of nobody's authority.
  server.start();
  dray::detail::Channel fresh(target, nullptr);
  EXPECT_TRUE(dray::detail::is_hopeless(fresh.connection().error()));
  EXPECT_FALSE(dray::detail::is_hopeless(old.connection().error()));
  server.kill();
  server_with({});
  server.start();
  EXPECT_TRUE(old.connection().has_value());
}

TEST_F(TlsAgainstServer, FilesAreLookedAtBeforeAnyConnection) {
  const auto refused = [](const std::string& url, const dray::TlsOptions& tls) {
    try {
      const dray::Client client({.url = url, .tls = tls});
      return std::string("nothing is wrong");
    } catch (const dray::RejectedError& error) {
      return std::string(error.what());
    }
  };
  const std::string url = "drays://localhost";
  const Certificate certificate({});
  certificate.save(file("cert"));
  certificate.save_key(file("key"));
  std::ofstream(file("text")) << "no PEM\n";
  EXPECT_EQ(refused(url, {.cert_file = file("cert"), .key_file = file("key")}), "nothing is wrong");
  EXPECT_THAT(refused(url, {.ca_file = "/none"}),
              HasSubstr("BADREQ field=tls.ca_file /none cannot be read: No such file"));
  EXPECT_THAT(refused(url, {.ca_file = file("text")}), HasSubstr("holds no certificate in PEM"));
  EXPECT_THAT(refused(url, {.cert_file = file("cert")}), HasSubstr("field=tls.key_file is empty"));
  EXPECT_THAT(refused(url, {.cert_file = file("cert"), .key_file = file("text")}),
              HasSubstr("is not the key of"));
  EXPECT_THAT(refused("dray://localhost", {.ca_file = file("cert")}),
              HasSubstr("has to begin with drays://"));
}

}  // namespace
}  // namespace sdk_test
