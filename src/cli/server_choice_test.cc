#include "cli/server_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace cli {
namespace {

using ::testing::HasSubstr;

class ServerChoiceTest : public testing::Test {
 protected:
  ServerChoiceTest() {
    std::string name = std::filesystem::temp_directory_path() / "dray-profiles-XXXXXX";
    folder_ = mkdtemp(name.data());
    std::filesystem::create_directory(folder_ + "/dray");
  }
  ~ServerChoiceTest() override { std::filesystem::remove_all(folder_); }
  ServerChoiceTest(const ServerChoiceTest&) = delete;
  ServerChoiceTest& operator=(const ServerChoiceTest&) = delete;

  void write(const std::string& text) const {
    std::ofstream(folder_ + "/dray/config.toml") << text;
  }
  std::string url(const ServerChoice& choice, config::Environment environment = {}) const {
    environment.emplace_back("XDG_CONFIG_HOME", folder_);
    const base::Result<ServerPlace> found = find_server(choice, environment);
    return found ? found->url : "error: " + found.error().message;
  }
  dray::TlsOptions tls(const ServerChoice& choice) const {
    const base::Result<ServerPlace> found = find_server(choice, {{"XDG_CONFIG_HOME", folder_}});
    EXPECT_TRUE(found.has_value());
    return found ? found->tls : dray::TlsOptions{};
  }

  std::string folder_;
};

TEST_F(ServerChoiceTest, TheNearerSayWins) {
  EXPECT_EQ(url({}), "");
  write(
      "default_profile = \"a\"\n[profiles.a]\nurl = \"dray://a\"\n[profiles.b]\n"
      "url = \"dray://b\"\n");
  EXPECT_EQ(url({}), "dray://a");
  EXPECT_EQ(url({}, {{"DRAY_PROFILE", "b"}}), "dray://b");
  EXPECT_EQ(url({}, {{"DRAY_URL", "dray://e"}, {"DRAY_PROFILE", "b"}}), "dray://e");
  EXPECT_EQ(url({.profile = "b"}, {{"DRAY_URL", "dray://e"}}), "dray://b");
  EXPECT_EQ(url({.url = "dray://u"}, {{"DRAY_URL", "dray://e"}}), "dray://u");
}

TEST_F(ServerChoiceTest, ATokenFileIsThePassword) {
  std::ofstream(folder_ + "/token") << "se/cret:1\n";
  write("[profiles.a]\nurl = \"dray://host:1\"\ntoken_file = \"" + folder_ + "/token\"\n");
  EXPECT_EQ(url({.profile = "a"}), "dray://:se%2Fcret%3A1@host:1");
  write("[profiles.a]\nurl = \"dray://host:1\"\ntoken_file = \"/nothing/here\"\n");
  EXPECT_THAT(url({.profile = "a"}), HasSubstr("config.toml:3: token_file /nothing/here cannot"));
}

TEST_F(ServerChoiceTest, FlagsOfTlsAreNearerThanTheProfile) {
  write(
      "[profiles.a]\nurl = \"drays://host\"\ntls_ca = \"/ca\"\ntls_cert = \"/cert\"\n"
      "tls_key = \"/key\"\ntls_name = \"jobs\"\n");
  const dray::TlsOptions whole{"/ca", "/cert", "/key", "jobs"};
  EXPECT_EQ(url({.profile = "a"}), "drays://host");
  EXPECT_EQ(tls({.profile = "a"}), whole);
  const dray::TlsOptions mixed{"/other", "/cert", "/key", "jobs"};
  EXPECT_EQ(tls({.profile = "a", .tls = {.ca_file = "/other"}}), mixed);
  EXPECT_EQ(tls({.url = "drays://b", .tls = {.ca_file = "/other"}}),
            dray::TlsOptions{.ca_file = "/other"});
}

TEST_F(ServerChoiceTest, ACertificateIsNotMixedWithAnotherOnesKey) {
  write("[profiles.a]\nurl = \"drays://host\"\ntls_cert = \"/cert\"\ntls_key = \"/key\"\n");
  EXPECT_EQ(tls({.profile = "a", .tls = {.cert_file = "/mine"}}),
            dray::TlsOptions{.cert_file = "/mine"});
}

TEST_F(ServerChoiceTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(url({.profile = "prod"}), HasSubstr("there is no profile prod"));
  write("[profiles.prod]\nurl = \"dray://p\"\n");
  EXPECT_THAT(url({.profile = "prdo"}), HasSubstr("(did you mean prod?)"));
  write("[profiles.prod]\nulr = \"dray://p\"\n");
  EXPECT_THAT(url({.profile = "prod"}), HasSubstr("config.toml:2: there is no setting"));
}

}  // namespace
}  // namespace cli
