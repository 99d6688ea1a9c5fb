#include "server/transaction.h"

#include <gtest/gtest.h>

#include "core/limits.h"

namespace server {
namespace {

using protocol::CommandId;
using Strings = std::vector<std::string_view>;

base::Status add(Transaction& transaction, CommandId id, const Strings& words) {
  return transaction.add(protocol::spec_of(id), words, nullptr);
}

base::Status push_to(Transaction& transaction, std::string_view args) {
  return add(transaction, CommandId::kJobPush, {"JOB.PUSH", "q", "T", args});
}

TEST(Transaction, KeepsACopyOfEachCommand) {
  Transaction transaction;
  transaction.open();
  for (int i = 0; i < 1'000; ++i) {
    std::string args = "args " + std::to_string(i) + std::string(static_cast<size_t>(i % 40), 'x');
    ASSERT_TRUE(push_to(transaction, args));
    args.assign(args.size(), '?');
  }
  const base::Result<Transaction::Batch> taken = transaction.take();
  ASSERT_TRUE(taken);
  ASSERT_EQ(taken->commands.commands.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) {
    const auto& body = taken->commands.commands[static_cast<size_t>(i)].body;
    EXPECT_EQ(std::get<core::Push>(body).spec.args,
              "args " + std::to_string(i) + std::string(static_cast<size_t>(i % 40), 'x'));
  }
  EXPECT_FALSE(transaction.is_open());
}

TEST(Transaction, WhatIsRefusedSpoilsIt) {
  Transaction transaction;
  transaction.open();
  EXPECT_FALSE(add(transaction, CommandId::kJobFetch, {"JOB.FETCH", "w", "QUEUES", "1", "q"}));
  EXPECT_TRUE(push_to(transaction, "{}"));
  const base::Result<Transaction::Batch> taken = transaction.take();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, base::ErrorCode::kExecAbort);
  transaction.open();
  EXPECT_TRUE(transaction.take());
}

TEST(Transaction, DropLeavesNothingForTheNext) {
  Transaction transaction;
  transaction.open();
  EXPECT_TRUE(push_to(transaction, "{}"));
  transaction.spoil();
  transaction.drop();
  EXPECT_FALSE(transaction.is_open());
  transaction.open();
  const base::Result<Transaction::Batch> taken = transaction.take();
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->commands.commands.empty());
  EXPECT_TRUE(taken->parts.empty());
}

TEST(Transaction, TakesNoOperation) {
  Transaction transaction;
  transaction.open();
  const std::vector<std::string_view> words{"JOB.CANCEL", "WHERE", "queue:q"};
  const base::Status added = transaction.add(*protocol::find_command(words[0]), words, nullptr);
  ASSERT_FALSE(added);
  EXPECT_NE(added.error().message.find("not for MULTI"), std::string::npos);
  EXPECT_FALSE(transaction.take());
}

TEST(Transaction, IsBoundedInCommandsAndBytes) {
  Transaction many;
  many.open();
  for (size_t i = 0; i < core::limits::kBatchItemsMax; ++i) ASSERT_TRUE(push_to(many, ""));
  EXPECT_EQ(push_to(many, "").error().code, base::ErrorCode::kTooBig);
  EXPECT_FALSE(many.take());

  Transaction large;
  large.open();
  const std::string args(size_t{1} << 20, 'x');
  for (int i = 0; i < 15; ++i) ASSERT_TRUE(push_to(large, args));
  EXPECT_EQ(push_to(large, args).error().code, base::ErrorCode::kTooBig);
  EXPECT_TRUE(push_to(large, "{}"));
  EXPECT_FALSE(large.take());
}

}  // namespace
}  // namespace server
