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

TEST(Endpoint, SaysThatTlsIsNotBuilt) {
  const auto endpoint = parse_endpoint("drays://host");
  ASSERT_FALSE(endpoint.has_value());
  EXPECT_EQ(endpoint.error().code, base::ErrorCode::kNotYet);
}

TEST(Endpoint, NoMessageHoldsThePassword) {
  const auto endpoint = parse_endpoint("dray://ann:secret@host:x");
  ASSERT_FALSE(endpoint.has_value());
  EXPECT_EQ(endpoint.error().message.find("secret"), std::string::npos);
}

}  // namespace
}  // namespace dray::detail
