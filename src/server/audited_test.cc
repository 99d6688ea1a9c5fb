#include "server/audited.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace server {
namespace {

TEST(Audited, NamesWhatTheCommandNamesAndNoMore) {
  const protocol::CommandSpec& spec = protocol::spec_of(protocol::CommandId::kQueuePause);
  const Audited line = audited(spec, core::Command{core::QueuePause{"emails", "a reason"}});
  EXPECT_EQ(line.spec, &spec);
  EXPECT_EQ(line.names, "emails");
}

TEST(Audited, ManyNamesAreCut) {
  core::Bulk bulk;
  bulk.jobs.resize(1'000, core::JobRef{.id = {}, .key = {}, .text = "0000000000001"});
  const auto& spec = protocol::spec_of(protocol::CommandId::kJobDelete);
  const Audited line = audited(spec, core::Command{bulk});
  EXPECT_LT(line.names.size(), 2'200U);
  EXPECT_THAT(line.names, testing::EndsWith(" more"));
}

TEST(Audited, TheOutcomeIsTheFirstError) {
  core::Reply reply;
  reply.array(3);
  reply.ok();
  EXPECT_EQ(outcome_of(reply), "OK");
  reply.error(base::ErrorCode::kGone, "one");
  reply.error(base::ErrorCode::kNotFound, "two");
  EXPECT_EQ(outcome_of(reply), "GONE");
}

}  // namespace
}  // namespace server
