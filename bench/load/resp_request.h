// Writes RESP requests.
#pragma once
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace load {

// Appends one command as an array of bulk strings.
void append_request(std::string& out, std::span<const std::string_view> words);
void append_request(std::string& out, std::initializer_list<std::string_view> words);

// Appends one bulk string.
void append_bulk(std::string& out, std::string_view text);

}  // namespace load
