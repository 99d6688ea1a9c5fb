// The words of one command, read from the front. Knows the syntax of single words: numbers, ids,
// tokens, counts. Every error says which field, what was wrong, the limit and the value.
// Lifetime: views into the request, which must outlive it. Threading: one owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "core/command.h"
#include "protocol/command_lookup.h"

namespace protocol {

// Makes "field=NAME text" with code BADREQ.
template <class... Args>
tl::unexpected<base::Error> bad_field(std::string_view field, fmt::format_string<Args...> format,
                                      Args&&... args) {
  return base::fail(base::ErrorCode::kBadReq, "field={} {}", field,
                    fmt::format(format, std::forward<Args>(args)...));
}

// Read one word. A number is digits with a minus at most: no plus, no space, no zero in front.
base::Result<int64_t> parse_integer(std::string_view field, std::string_view word);
base::Result<uint64_t> parse_unsigned(std::string_view field, std::string_view word);
// 13 characters of base32, or key:<name>.
base::Result<core::JobRef> parse_job(std::string_view word);
// Never an error: what no token looks like names no lease, and the engine says so.
core::TokenRef parse_token(std::string_view word);

class Words {
 public:
  explicit Words(Arguments words) : words_(words) {}

  bool empty() const { return words_.empty(); }
  size_t left() const { return words_.size(); }
  // The next word, or an empty one at the end. Stays there.
  std::string_view peek() const { return words_.empty() ? std::string_view{} : words_.front(); }

  // Requires: !empty(), by the arity of the command or by a count that was checked.
  std::string_view take() {
    const std::string_view word = words_.front();
    words_ = words_.subspan(1);
    return word;
  }
  // Requires: count <= left().
  Words take_part(size_t count) {
    Words part(words_.first(count));
    words_ = words_.subspan(count);
    return part;
  }

  // What stands behind an option or in a list; errors when nothing does.
  base::Result<std::string_view> value(std::string_view field);
  base::Result<int64_t> integer(std::string_view field);
  base::Result<uint64_t> unsigned_integer(std::string_view field);

  struct CountRule {
    size_t words_each = 1;  // Words of one item, at least.
    size_t least = 1;
    size_t most;
  };
  // The count in front of a list: within the rule, and not more than the words that are there.
  base::Result<size_t> count(std::string_view field, const CountRule& rule);

  // Errors when words are left over.
  base::Status end() const;

 private:
  Arguments words_;
};

}  // namespace protocol
