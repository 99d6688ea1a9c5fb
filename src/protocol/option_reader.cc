#include "protocol/option_reader.h"

#include <algorithm>

#include "protocol/text.h"

namespace protocol {
namespace {

constexpr size_t kShownBytesMax = 32;

std::string joined(OptionNames names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

// What may be a slip of the fingers, and not another word altogether.
bool is_near(size_t distance, std::string_view word) {
  return distance <= 1 + word.size() / 3;
}

}  // namespace

base::Result<size_t> OptionReader::next(Words& words) {
  const std::string_view word = words.take();
  const auto found = std::find_if(names_.begin(), names_.end(), [word](std::string_view name) {
    return equals_ignoring_case(name, word);
  });
  if (found == names_.end()) return unknown(word);
  const auto option = static_cast<size_t>(found - names_.begin());
  if (seen(option)) return bad_field(*found, "stands there twice");
  seen_ |= uint64_t{1} << option;
  return option;
}

tl::unexpected<base::Error> OptionReader::unknown(std::string_view word) const {
  std::string_view nearest;
  size_t distance = SIZE_MAX;
  for (const std::string_view name : names_) {
    const size_t to_name = edit_distance(word, name);
    if (to_name < distance) {
      distance = to_name;
      nearest = name;
    }
  }
  const std::string shown = printable(word, kShownBytesMax);
  if (is_near(distance, word)) {
    return bad_field("OPTION", "unknown option '{}'; did you mean {}?", shown, nearest);
  }
  return bad_field("OPTION", "unknown option '{}'; there are {}", shown, joined(names_));
}

base::Status OptionReader::both_given(size_t left, size_t right) const {
  return bad_field(names_[right], "and {} exclude each other", names_[left]);
}

base::Status OptionReader::missing(size_t option) const {
  return bad_field(names_[option], "is missing");
}

base::Result<size_t> choose(std::string_view field, std::string_view word, OptionNames choices) {
  const auto found = std::find_if(choices.begin(), choices.end(), [word](std::string_view choice) {
    return equals_ignoring_case(choice, word);
  });
  if (found != choices.end()) return static_cast<size_t>(found - choices.begin());
  return bad_field(field, "must be one of {}; got '{}'", joined(choices),
                   printable(word, kShownBytesMax));
}

}  // namespace protocol
