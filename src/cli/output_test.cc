#include "cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/test_values.h"

namespace cli {
namespace {

using dray::Value;
using ::testing::HasSubstr;
using ::testing::Not;

Listing two_jobs() {
  Listing listing("jobs", {{"id"}, {"key", true}, {"what"}});
  listing.add({{"1"}, {"k"}, {"a rather long text"}}, R"({"id":"1"})");
  listing.add({{"22"}, {""}, {"short", Colour::kRed}}, R"({"id":"22"})");
  return listing;
}

TEST(Listing, TableLeavesWideColumnsOut) {
  EXPECT_EQ(two_jobs().text(Form::kTable, false, 0),
            "id  what\n 1  a rather long text\n22  short\n");
  EXPECT_EQ(two_jobs().text(Form::kWide, false, 0),
            "id  key  what\n 1  k    a rather long text\n22       short\n");
}

TEST(Listing, TableFitsTheTerminalAndWideDoesNot) {
  EXPECT_EQ(two_jobs().text(Form::kTable, false, 14), "id  what\n 1  a rather …\n22  short\n");
  EXPECT_THAT(two_jobs().text(Form::kWide, false, 14), HasSubstr("a rather long text"));
}

TEST(Listing, IdsStandToTheLeftAndNumbersToTheRight) {
  Listing listing("jobs", {{"the id"}, {"count"}, {"rate"}});
  listing.add({{"00001"}, {"7"}, {"0.5"}}, "{}");
  EXPECT_EQ(listing.text(Form::kTable, false, 0), "the id  count  rate\n00001       7   0.5\n");
}

TEST(Listing, JsonIsOneDocumentAndNdjsonALineEach) {
  EXPECT_EQ(two_jobs().text(Form::kJson, true, 14),
            "{\"jobs\":[{\"id\":\"1\"},{\"id\":\"22\"}]}\n");
  EXPECT_EQ(two_jobs().text(Form::kNdjson, true, 14), "{\"id\":\"1\"}\n{\"id\":\"22\"}\n");
  EXPECT_EQ(Listing("jobs", {}).text(Form::kJson, false, 0), "{\"jobs\":[]}\n");
  EXPECT_EQ(Listing("jobs", {}).text(Form::kNdjson, false, 0), "");
}

TEST(Listing, ColourIsOnlyWhereItIsWanted) {
  EXPECT_THAT(two_jobs().text(Form::kTable, true, 0), HasSubstr("\x1b[31mshort\x1b[0m"));
  EXPECT_THAT(two_jobs().text(Form::kTable, false, 0), Not(HasSubstr("\x1b")));
}

TEST(Records, UnknownFieldsStandBehindTheKnownOnesInWide) {
  const std::vector<Value> records = {
      map({text("zone"), text("eu"), text("state"), text("run"), text("op"), number(7)}),
      map({text("op"), number(8), text("state"), text("over")})};
  const Listing listing = listing_of("operations", records, {"op", "missing", "state"});
  EXPECT_EQ(listing.text(Form::kTable, false, 0), "op  state\n 7  run\n 8  over\n");
  EXPECT_EQ(listing.text(Form::kWide, false, 0), "op  state  zone\n 7  run    eu\n 8  over\n");
  EXPECT_EQ(listing.text(Form::kNdjson, false, 0),
            "{\"zone\":\"eu\",\"state\":\"run\",\"op\":7}\n{\"op\":8,\"state\":\"over\"}\n");
}

TEST(Records, TimesAndDurationsAreForPeople) {
  EXPECT_EQ(field_text("seen_ms", number(1'772'366'400'000)), "2026-03-01T12:00:00.000Z");
  EXPECT_EQ(field_text("lease_ms", number(90'000)), "1m 30s");
  EXPECT_EQ(field_text("count", number(90'000)), "90000");
  EXPECT_EQ(field_text("name", text("a\x1b[2J")), "a\\x1b[2J");
  EXPECT_EQ(field_text("queues", {.kind = Value::Kind::kArray, .items = {text("a"), text("b")}}),
            "a b");
  EXPECT_EQ(record_text(map({text("state"), text("ready"), text("lease_ms"), number(1)}), false),
            "state  ready\nlease  1ms\n");
}

}  // namespace
}  // namespace cli
