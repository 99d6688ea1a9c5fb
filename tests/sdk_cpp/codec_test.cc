// Args and results as JSON, by nlohmann's library where it is installed.
#include "dray/codec.h"

#include <gtest/gtest.h>

#include <vector>

#if __has_include(<nlohmann/json.hpp>)
#include "dray/nlohmann_json.h"
#include "dray/testing.h"

namespace sdk_test {
namespace {

struct EmailArgs {
  std::string to;
  std::vector<std::string> copies;
  NLOHMANN_DEFINE_TYPE_INTRUSIVE(EmailArgs, to, copies)
};

class CodecOfJson : public ::testing::Test {
 protected:
  CodecOfJson() {
    worker_.on<EmailArgs>("send_email", [](dray::Context&, const EmailArgs& args) {
      return EmailArgs{args.copies.front(), {args.to}};
    });
  }

  dray::Worker worker_{dray::ClientOptions{}, dray::WorkerOptions{.queues = {{"emails"}}}};
};

TEST_F(CodecOfJson, ArgsAndResultsAreJson) {
  dray::testing::Inline inlined(worker_);
  const EmailArgs args{"ann", {"bob"}};
  const dray::Pushed pushed = inlined.client().push("emails", "send_email", args);
  const dray::JobRecord job = inlined.client().get(pushed.id).value();
  EXPECT_EQ(job.args, R"({"copies":["bob"],"to":"ann"})");
  EXPECT_EQ(job.result, R"({"copies":["ann"],"to":"bob"})");
}

TEST_F(CodecOfJson, ArgsThatAreNoJsonMakeTheJobDead) {
  for (const char* args : {"{", R"({"to":"ann"})", R"({"to":1,"copies":[]})"}) {
    const auto ran =
        dray::testing::run_job(worker_, {.queue = "emails", .type = "send_email", .args = args});
    EXPECT_EQ(ran.job.state, "dead") << args;
    EXPECT_EQ(ran.job.history.front().error_class, "dray::BadArgs");
  }
}

TEST(Codec, TextIsNoJson) {
  EXPECT_EQ(dray::Codec<std::string>::encode("{"), "{");
  EXPECT_EQ(dray::Codec<std::string>::decode("{"), "{");
}

}  // namespace
}  // namespace sdk_test
#endif
