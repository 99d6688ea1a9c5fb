#include "store/fault_plan.h"

#include <gtest/gtest.h>

namespace store {
namespace {

TEST(FaultPlan, ReadsEveryPart) {
  const auto plan = parse_fault_plan("cut=123,seed=7,fail=57+:ENOSPC,disk=1048576");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->cut_at, 123U);
  EXPECT_EQ(plan->seed, 7U);
  EXPECT_EQ(plan->fail_at, 57U);
  EXPECT_TRUE(plan->fail_sticky);
  EXPECT_EQ(plan->fail_kind, FaultKind::kNoSpace);
  EXPECT_EQ(plan->disk_bytes, 1048576U);
}

TEST(FaultPlan, KnowsEveryKindOfFailure) {
  EXPECT_EQ(parse_fault_plan("fail=1:EIO")->fail_kind, FaultKind::kIoError);
  EXPECT_EQ(parse_fault_plan("fail=1:EINTR")->fail_kind, FaultKind::kInterrupted);
  EXPECT_EQ(parse_fault_plan("fail=1:short")->fail_kind, FaultKind::kShortWrite);
  EXPECT_FALSE(parse_fault_plan("fail=1:short")->fail_sticky);
}

TEST(FaultPlan, IsNoFaultWhenEmpty) {
  const auto plan = parse_fault_plan("");
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->cut_at, 0U);
  EXPECT_EQ(plan->fail_at, 0U);
  EXPECT_EQ(plan->disk_bytes, 0U);
}

TEST(FaultPlan, RefusesWhatItDoesNotUnderstandAndNamesIt) {
  for (const char* text : {"cut", "cut=", "cut=x", "cut=1x", "fail=1", "fail=:EIO", "fail=1:EWHAT",
                           "crash=1", "=1", "cut=1,,seed=2", "cut=-1"}) {
    const auto plan = parse_fault_plan(text);
    ASSERT_FALSE(plan.has_value()) << text;
    EXPECT_EQ(plan.error().code, base::ErrorCode::kBadReq);
  }
  EXPECT_NE(parse_fault_plan("cut=1,speed=2").error().message.find("speed=2"), std::string::npos);
}

}  // namespace
}  // namespace store
