#include "protocol/query_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "core/limits.h"

namespace protocol {
namespace {

using core::Compare;
using core::QueryField;
using core::QueryTerm;

QueryTerm term(std::string_view text) {
  const auto query = parse_query(text);
  EXPECT_TRUE(query.has_value()) << text;
  if (!query) return {};
  EXPECT_EQ(query->terms.size(), 1U) << text;
  return query->terms.at(0);
}

std::string fault(std::string_view text) {
  const auto query = parse_query(text);
  return query ? "OK"
               : std::string(base::error_word(query.error().code)) + " " + query.error().message;
}

TEST(QueryParser, ReadsTermsOfEachKind) {
  EXPECT_EQ(term("queue:emails"), (QueryTerm{.field = QueryField::kQueue, .texts = {"emails"}}));
  EXPECT_EQ(term("type:Send*,Mail"),
            (QueryTerm{.field = QueryField::kType, .texts = {"Send*", "Mail"}}));
  EXPECT_EQ(term("attempt:>3"),
            (QueryTerm{.field = QueryField::kAttempt, .compare = Compare::kAbove, .number = 3}));
  EXPECT_EQ(term("priority:9"), (QueryTerm{.field = QueryField::kPriority, .number = 9}));
  EXPECT_EQ(term("age:>=90m"), (QueryTerm{.field = QueryField::kAge,
                                          .compare = Compare::kAtLeast,
                                          .number = 90 * core::limits::kMinuteMs}));
  EXPECT_EQ(term("args.user.id:42"),
            (QueryTerm{.field = QueryField::kArgs, .path = "user.id", .texts = {"42"}}));
  EXPECT_EQ(term("meta.a:\"\""),
            (QueryTerm{.field = QueryField::kMeta, .path = "a", .texts = {""}}));
  EXPECT_EQ(term("state:dead,cancelled").number, 1 << 5 | 1 << 6);
  EXPECT_EQ(term("state:*").number, 0xff);
  EXPECT_EQ(term("id:000000000000a").texts.at(0), "000000000000A");
}

TEST(QueryParser, ReadsSeveralTermsAndQuotes) {
  const auto query =
      parse_query(R"(  error:"timed \"out\", twice",refused   queue:a:b worker:h-1 )");
  ASSERT_TRUE(query.has_value());
  ASSERT_EQ(query->terms.size(), 3U);
  EXPECT_EQ(query->terms[0].texts, (std::vector<std::string>{"timed \"out\", twice", "refused"}));
  EXPECT_EQ(query->terms[1].texts, (std::vector<std::string>{"a:b"}));
}

TEST(QueryParser, SaysWhatIsWrongWithATerm) {
  EXPECT_EQ(fault("dead"),
            "BADREQ field=query term 'dead' is no field:value; give for example state:dead "
            "queue:emails");
  EXPECT_EQ(fault(""), "BADREQ field=query is empty: to mean all jobs, give state:*");
  EXPECT_EQ(fault("   "), "BADREQ field=query is empty: to mean all jobs, give state:*");
  EXPECT_NE(fault("queu:x").find("did you mean queue?"), std::string::npos);
  EXPECT_NE(fault("state:deed").find("no known state"), std::string::npos);
  EXPECT_NE(fault("attempt:many").find("is no number"), std::string::npos);
  EXPECT_NE(fault("attempt:1,2").find("is no number"), std::string::npos);
  EXPECT_NE(fault("age:1h").find("is no age"), std::string::npos);
  EXPECT_NE(fault("age:>1y").find("is no age"), std::string::npos);
  EXPECT_NE(fault("age:>99999999999w").find("is no age"), std::string::npos);
  EXPECT_NE(fault("id:7").find("is no id"), std::string::npos);
  EXPECT_NE(fault("queue:").find("has no value"), std::string::npos);
  EXPECT_NE(fault("queue:a,").find("has no value"), std::string::npos);
  EXPECT_NE(fault("queue:\"a").find("not closed"), std::string::npos);
  EXPECT_NE(fault("queue:\"a\"b").find("goes on behind its quote"), std::string::npos);
  EXPECT_NE(fault("queue:a/b").find("is no name"), std::string::npos);
  EXPECT_NE(fault("type:a*b").find("is no name"), std::string::npos);
  EXPECT_EQ(fault("queue:*"), "OK");
  EXPECT_NE(fault("args:1").find("needs a path"), std::string::npos);
  EXPECT_NE(fault("queue.x:1").find("has a path"), std::string::npos);
  EXPECT_NE(fault("args.a.b.c.d.e.f.g.h.i:1").find("too long a path"), std::string::npos);
  EXPECT_EQ(fault(std::string(core::limits::kQueryBytesMax + 1, ' ')),
            "TOOBIG limit=4096 got=4097 bytes of query");
  std::string values = "tag:x";
  for (size_t i = 0; i < core::limits::kQueryValuesMax; ++i) values += ",x";
  EXPECT_EQ(fault(values), "TOOBIG limit=64 got=more values of tag in the query");
  std::string many;
  for (size_t i = 0; i <= core::limits::kQueryTermsMax; ++i) many += "tag:x ";
  EXPECT_EQ(fault(many), "TOOBIG limit=32 got=more terms in the query");
}

}  // namespace
}  // namespace protocol
