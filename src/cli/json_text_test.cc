#include "cli/json_text.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "cli/test_values.h"

namespace cli {
namespace {

using dray::Value;

std::string text_json(std::string_view bytes) {
  std::string out;
  append_json_text(bytes, out);
  return out;
}

TEST(JsonText, EscapesWhatMustBe) {
  EXPECT_EQ(text_json("a\"b\\c\n\t\x01 ü"), "\"a\\\"b\\\\c\\n\\u0009\\u0001 ü\"");
}

TEST(JsonText, BytesThatAreNoTextAreBase64) {
  EXPECT_EQ(text_json("\xff"), "{\"base64\":\"/w==\"}");
  EXPECT_EQ(text_json("\xff\xfe"), "{\"base64\":\"//4=\"}");
  EXPECT_EQ(text_json("\xff\xfe\xfd"), "{\"base64\":\"//79\"}");
}

TEST(JsonText, RecordIsAnObjectThatParsersRead) {
  const Value record = map({text("id"), text("a"), text("list"),
                            array({number(1), Value{}, text("x")}), text("n"), number(-5)});
  std::string out;
  append_json(record, out);
  EXPECT_EQ(out, R"({"id":"a","list":[1,null,"x"],"n":-5})");
  simdjson::dom::parser parser;
  EXPECT_EQ(parser.parse(out).error(), simdjson::SUCCESS);
}

}  // namespace
}  // namespace cli
