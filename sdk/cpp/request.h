// Puts requests together.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace dray::detail {

// The words of one command, as they are collected. Owner: the caller; words are copied.
class Request {
 public:
  Request() = default;
  Request(std::initializer_list<std::string_view> words) {
    for (const std::string_view word : words) add(word);
  }

  // Throws TOOBIG for a word that no server reads: it would end the connection without an answer.
  Request& add(std::string_view word) {
    append_word(word, body_);
    ++count_;
    return *this;
  }
  Request& add(int64_t number) { return add(std::to_string(number)); }
  // Another one's words behind these.
  Request& add_all(const Request& other) {
    body_ += other.body_;
    count_ += other.count_;
    return *this;
  }

  size_t count() const { return count_; }
  // The request as it is sent.
  std::string bytes() const;

 private:
  static void append_word(std::string_view word, std::string& out);

  std::string body_;
  size_t count_ = 0;
};

std::string request(std::initializer_list<std::string_view> words);
std::string request(const std::vector<std::string>& words);

}  // namespace dray::detail
