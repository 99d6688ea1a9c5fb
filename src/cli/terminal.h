// Text for people: tables, a little colour, and nothing that could take over their terminal.
#pragma once
#include <fmt/core.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cli {

// Control characters, and bytes that are no UTF-8, as \xNN. Line feeds and tabs stay if asked for.
std::string printable(std::string_view bytes, bool keep_lines = false);

// The same, cut to so many characters with "…" at the end.
std::string shortened(std::string_view bytes, size_t characters_max);

// Writes text to stderr. What cannot be written is lost: nobody is there to be told of it, and a
// reader of stderr that has gone is no reason to end what is being done.
void write_error(std::string_view text);

// The same for a format. Not fmt::print(stderr, …), which throws when it cannot write.
template <class... Args>
void print_error(fmt::format_string<Args...> format, Args&&... args) {
  write_error(fmt::format(format, std::forward<Args>(args)...));
}

// Words with a space between.
std::string joined(const std::vector<std::string>& words);

enum class Colour : unsigned char { kNone, kRed, kGreen, kYellow, kCyan, kDim };
// The colour that a state has everywhere.
Colour colour_of(std::string_view state);

// Columns as wide as their widest cell. Numbers stand to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{Row{std::move(header), {}}} {}

  void add(std::vector<std::string> cells, std::vector<Colour> colours = {});
  // Cuts the last column so that lines have `width` characters, but not below `last_min`.
  void fit(size_t width, size_t last_min);
  // Requires: a header that every row fits.
  std::string text(bool coloured) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::vector<Colour> colours;
  };
  std::vector<Row> rows_;
};

std::string painted(std::string_view text, Colour colour, bool coloured);

// Whether stdout is a terminal that wants colour: not with NO_COLOR, not with TERM=dumb.
bool stdout_is_coloured();
// How many characters a line of it has; 0 when it is no terminal.
size_t stdout_columns();

}  // namespace cli
