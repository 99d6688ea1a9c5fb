#include "sdk/cpp/endpoint.h"

#include <gtest/gtest.h>

namespace dray::detail {
namespace {

TEST(Endpoint, EmptyUrlIsTheLocalServer) {
  const auto endpoint = parse_endpoint("");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->address(), "127.0.0.1:3729");
}

TEST(Endpoint, ReadsEveryPart) {
  const auto endpoint = parse_endpoint("dray://ann:s%40c%3aret@jobs.example:4000/shop");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->user, "ann");
  EXPECT_EQ(endpoint->password, "s@c:ret");
  EXPECT_EQ(endpoint->host, "jobs.example");
  EXPECT_EQ(endpoint->port, 4000);
  EXPECT_EQ(endpoint->job_namespace, "shop");
}

TEST(Endpoint, PortMayBeLeftOut) {
  EXPECT_EQ(parse_endpoint("redis://other")->port, 3729);
}

TEST(Endpoint, ReadsIpv6InBrackets) {
  const auto endpoint = parse_endpoint("dray://[::1]:99");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(endpoint->host, "::1");
  EXPECT_EQ(endpoint->address(), "[::1]:99");
}

TEST(Endpoint, RefusesWhatIsNoUrl) {
  for (const char* url :
       {"localhost:3729", "http://localhost", "dray://", "dray://host:0", "dray://host:70000",
        "dray://host:x", "dray://[::1", "dray://[::1]9", "dray://a:%4@host", "dray://a:%zz@host"}) {
    EXPECT_FALSE(parse_endpoint(url).has_value()) << url;
  }
}

TEST(Endpoint, SchemesWithAnSAskForTls) {
  EXPECT_FALSE(parse_endpoint("dray://host")->is_tls);
  EXPECT_FALSE(parse_endpoint("redis://host")->is_tls);
  const auto endpoint = parse_endpoint("drays://:secret@host/shop");
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_TRUE(endpoint->is_tls);
  EXPECT_EQ(endpoint->address(), "host:3729");
  EXPECT_EQ(endpoint->password, "secret");
  EXPECT_TRUE(parse_endpoint("rediss://host")->is_tls);
}

// The environment of a process, as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* text) : name_(name) { setenv(name, text, 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Endpoint, TheEnvironmentFillsWhatIsNotSaidOfTls) {
  const Variable ca("DRAY_TLS_CA", "/ca");
  const Variable cert("DRAY_TLS_CERT", "/cert");
  const Variable key("DRAY_TLS_KEY", "/key");
  const Variable name("DRAY_TLS_NAME", "jobs");
  EXPECT_EQ(tls_or_environment({}), (TlsOptions{"/ca", "/cert", "/key", "jobs"}));
  EXPECT_EQ(tls_or_environment({.ca_file = "/own", .cert_file = "/mine", .key_file = "/its"}),
            (TlsOptions{"/own", "/mine", "/its", "jobs"}));
  EXPECT_EQ(tls_or_environment({.cert_file = "/mine"}).key_file, "") << "not another one's key";
}

TEST(Endpoint, NoMessageHoldsThePassword) {
  const auto endpoint = parse_endpoint("dray://ann:secret@host:x");
  ASSERT_FALSE(endpoint.has_value());
  EXPECT_EQ(endpoint.error().message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace dray::detail
