// Reads the options of one command: words in any case and any order, each at most once.
// Threading: one owner.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "protocol/words.h"

namespace protocol {

// The options of a command, in the order of its enum. At most 64.
using OptionNames = std::span<const std::string_view>;

class OptionReader {
 public:
  explicit OptionReader(OptionNames names) : names_(names) {}

  // Takes the next word and returns which option it is. Errors when it is none (with the nearest
  // one, or all of them), or when it was there before. Requires: !words.empty().
  base::Result<size_t> next(Words& words);

  template <typename Option>
  bool seen(Option option) const {
    return (seen_ >> static_cast<size_t>(option) & 1) != 0;
  }

  // Errors when both stood there.
  template <typename Option>
  base::Status exclude(Option left, Option right) const {
    if (seen(left) && seen(right)) [[unlikely]] {
      return both_given(static_cast<size_t>(left), static_cast<size_t>(right));
    }
    return {};
  }

  // Errors when it did not stand there, for an option that has to.
  template <typename Option>
  base::Status require(Option option) const {
    if (!seen(option)) [[unlikely]]
      return missing(static_cast<size_t>(option));
    return {};
  }

 private:
  tl::unexpected<base::Error> unknown(std::string_view word) const;
  base::Status both_given(size_t left, size_t right) const;
  base::Status missing(size_t option) const;

  OptionNames names_;
  uint64_t seen_ = 0;
};

// Returns the place of `word` among `choices`, without regard to case; errors with all of them.
base::Result<size_t> choose(std::string_view field, std::string_view word, OptionNames choices);

}  // namespace protocol
