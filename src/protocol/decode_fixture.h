// For tests of decoding: a command written as one line.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "protocol/decode.h"

namespace protocol {

// Some id and token that are well formed.
inline constexpr std::string_view kTestId = "0000000000007";
inline constexpr std::string_view kTestToken = "0000000C0000000000000000AB";

// Splits at single spaces; two in a row make an empty word. `$id` and `$token` stand for the ones
// above. The words are views into `line`.
inline std::vector<std::string_view> words_of_line(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const std::string_view word = line.substr(0, line.find(' '));
    words.push_back(word == "$id" ? kTestId : word == "$token" ? kTestToken : word);
    if (word.size() == line.size()) return words;
    line.remove_prefix(word.size() + 1);
  }
}

// Decodes a line. The views of the command point into it: pass a literal.
inline base::Result<core::Command> decode_line(std::string_view line) {
  const std::vector<std::string_view> words = words_of_line(line);
  const CommandSpec* spec = find_command(words[0]);
  if (spec == nullptr) return unknown_command(words);
  return decode(*spec, words);
}

// The body, or an exception that fails the test.
template <typename Body>
Body body_of(std::string_view line) {
  base::Result<core::Command> command = decode_line(line);
  return std::get<Body>(std::move(command.value().body));
}

// "CODE message", or "OK".
inline std::string fault_of(std::string_view line) {
  const base::Result<core::Command> command = decode_line(line);
  if (command) return "OK";
  return std::string(base::error_word(command.error().code)) + " " + command.error().message;
}

}  // namespace protocol
