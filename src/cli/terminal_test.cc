#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(Terminal, NoByteOfAJobCanTakeOverTheTerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\x07\r\n"), "a\\x1b[31mb\\x07\\x0d\\x0a");
  EXPECT_EQ(printable("one\n\ttwo", true), "one\n\ttwo");
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m ü"),
            "\\x9b31m ü");
}

TEST(Terminal, ShortensByCharacters) {
  EXPECT_EQ(shortened("short", 5), "short");
  EXPECT_EQ(shortened("too long", 5), "too …");
  EXPECT_EQ(shortened("üüüüüü", 4), "üüü…");
  EXPECT_EQ(shortened(std::string(10'000, 'x'), 3), "xx…");
}

TEST(Terminal, TableAlignsColumns) {
  Table table({"queue", "ready", "note"});
  table.add({"emails", "5", "ü"});
  table.add({"q", "12345", "-"});
  EXPECT_EQ(table.text(false),
            "queue   ready  note\n"
            "emails      5  ü\n"
            "q       12345  -\n");
}

TEST(Terminal, ColourIsAroundTheWordOnly) {
  Table table({"state"});
  table.add({"dead"}, {colour_of("dead")});
  EXPECT_EQ(table.text(true), "\x1b[2mstate\x1b[0m\n\x1b[31mdead\x1b[0m\n");
}

}  // namespace
}  // namespace cli
