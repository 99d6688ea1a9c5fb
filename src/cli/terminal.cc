#include "cli/terminal.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/assert.h"

namespace cli {
namespace {

// Characters on the screen, near enough: one for each that is no continuation byte.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

// An id may be all digits too, but begins with zeros.
bool is_number(std::string_view text) {
  if (text.size() > 1 && text[0] == '0' && text[1] != '.') return false;
  const auto is_part = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return !text.empty() && std::ranges::all_of(text, is_part) && std::ranges::count(text, '.') <= 1;
}

// A cell that says nothing, and stands in a column of numbers as well.
bool is_blank(std::string_view text) {
  return text.empty() || text == "-";
}

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::kNone:
      return "";
    case Colour::kRed:
      return "31";
    case Colour::kGreen:
      return "32";
    case Colour::kYellow:
      return "33";
    case Colour::kCyan:
      return "36";
    case Colour::kDim:
      return "2";
  }
  return "";
}

}  // namespace

std::string printable(std::string_view bytes, bool keep_lines) {
  const bool is_text = simdjson::validate_utf8(bytes.data(), bytes.size());
  std::string out;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    // U+0080 to U+009F are control characters too: C2 80 to C2 9F.
    const bool is_c1 =
        byte == 0xc2 && i + 1 < bytes.size() && static_cast<uint8_t>(bytes[i + 1]) < 0xa0;
    const bool is_line = keep_lines && (byte == '\n' || byte == '\t');
    if (is_line || (byte >= 0x20 && byte < 0x7f) || (byte >= 0x80 && is_text && !is_c1)) {
      out += bytes[i];
    } else if (is_text && is_c1) {
      out += fmt::format("\\x{:02x}", static_cast<uint8_t>(bytes[++i]));
    } else {
      out += fmt::format("\\x{:02x}", byte);
    }
  }
  return out;
}

std::string shortened(std::string_view bytes, size_t characters_max) {
  std::string text = printable(bytes.substr(0, 4 * characters_max + 8));
  if (width_of(text) <= characters_max && bytes.size() <= 4 * characters_max + 8) return text;
  size_t width = 0;
  size_t end = 0;
  while (end < text.size()) {
    const bool begins = (static_cast<uint8_t>(text[end]) & 0xc0) != 0x80;
    if (begins && ++width >= characters_max) break;
    ++end;
  }
  return text.substr(0, end) + "…";
}

void write_error(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

Colour colour_of(std::string_view state) {
  if (state == "succeeded") return Colour::kGreen;
  if (state == "dead" || state == "failed" || state == "lost" || state == "timeout") {
    return Colour::kRed;
  }
  if (state == "running") return Colour::kCyan;
  if (state == "scheduled" || state == "waiting") return Colour::kYellow;
  return state == "ready" ? Colour::kNone : Colour::kDim;
}

void Table::add(std::vector<std::string> cells, std::vector<Colour> colours) {
  ASSERT(cells.size() == rows_.front().cells.size());
  rows_.push_back({std::move(cells), std::move(colours)});
}

void Table::fit(size_t width, size_t last_min) {
  constexpr size_t kGap = 2;
  const size_t last = rows_.front().cells.size() - 1;
  size_t before = 0;
  for (size_t c = 0; c < last; ++c) {
    size_t widest = 0;
    for (const Row& row : rows_) widest = std::max(widest, width_of(row.cells[c]));
    before += widest + kGap;
  }
  const size_t left = std::max(last_min, width > before ? width - before : 0);
  for (Row& row : rows_) {
    if (width_of(row.cells[last]) > left) row.cells[last] = shortened(row.cells[last], left);
  }
}

std::string Table::text(bool coloured) const {
  std::vector<size_t> widths(rows_.front().cells.size(), 0);
  std::vector<bool> numeric(widths.size(), rows_.size() > 1);
  for (size_t r = 0; r < rows_.size(); ++r) {
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string& cell = rows_[r].cells[c];
      widths[c] = std::max(widths[c], width_of(cell));
      if (r > 0 && !is_number(cell) && !is_blank(cell)) numeric[c] = false;
    }
  }
  std::string out;
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < widths.size(); ++c) {
      const std::string& cell = rows_[r].cells[c];
      const std::string space(widths[c] - width_of(cell), ' ');
      Colour colour = r == 0 ? Colour::kDim : Colour::kNone;
      if (c < rows_[r].colours.size()) colour = rows_[r].colours[c];
      const std::string word = painted(cell, colour, coloured);
      const bool is_last = c + 1 == widths.size();
      line += numeric[c] ? space + word : word + (is_last ? "" : space);
      if (!is_last) line += "  ";
    }
    // A last cell without a word leaves nothing behind.
    const size_t end = line.find_last_not_of(' ');
    out += line.substr(0, end == std::string::npos ? 0 : end + 1) + "\n";
  }
  return out;
}

std::string painted(std::string_view text, Colour colour, bool coloured) {
  if (!coloured || colour == Colour::kNone || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

bool stdout_is_coloured() {
  const char* no_colour = std::getenv("NO_COLOR");
  if (no_colour != nullptr && *no_colour != '\0') return false;
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

size_t stdout_columns() {
  if (isatty(STDOUT_FILENO) != 1) return 0;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

}  // namespace cli
